"""Small upper-body pose models for phones, after Debnath et al., AVSS 2018."""

import os
from collections.abc import MutableMapping

MAX_IMAGE_PIXELS = 200_000_000
"""Maximum number of pixels of an image that is decoded: photographs of the largest phone cameras are smaller."""

# OpenCV reads its limit once, when it is imported, and applies it to every format before an image is decoded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_IMAGE_PIXELS))

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def bypass_proxy_on_loopback(environ: MutableMapping[str, str]) -> None:
    """Add the names of loopback to NO_PROXY and no_proxy, which child processes inherit.

    A proxy cannot reach the servers that the project starts on loopback. Programs read one of the two variables or
    both; "*" already excludes every host.
    """
    lower, upper = environ.get("no_proxy", "").strip(), environ.get("NO_PROXY", "").strip()
    for name, value in {"no_proxy": lower or upper, "NO_PROXY": upper or lower}.items():
        if value != "*":
            hosts = [host.strip() for host in value.split(",") if host.strip()]
            environ[name] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))


bypass_proxy_on_loopback(os.environ)
