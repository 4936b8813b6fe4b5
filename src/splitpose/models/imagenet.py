"""Download of the ImageNet weights of keras.applications' MobileNet into Keras' cache folder.

Keras' own download of these weights has no checksum and no timeout, and a file that was only partly downloaded is
used as if it were complete.
"""

import hashlib
import logging
import os
import re
from base64 import b64encode
from pathlib import Path

import requests

from splitpose.errors import InputError, one_line, root_cause
from splitpose.files import atomic_file

logger = logging.getLogger(__name__)

BASE_URL = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet"

FILES = {
    0.25: "mobilenet_2_5_224_tf_no_top.h5",
    0.5: "mobilenet_5_0_224_tf_no_top.h5",
    0.75: "mobilenet_7_5_224_tf_no_top.h5",
    1.0: "mobilenet_1_0_224_tf_no_top.h5",
}
"""Keras' weights files by width multiplier (`settings.IMAGENET_WIDTHS`), trained at 224 px."""

TIMEOUT_S = 10
"""Seconds without data after which a download fails."""


def fetch_imagenet_weights(width: float) -> Path:
    """Return the file of the ImageNet weights for a width multiplier; download it unless Keras' cache has it.

    Raises:
        InputError: there are no weights for this width multiplier, or they cannot be downloaded.
    """
    if width not in FILES:
        widths = ", ".join(str(known) for known in FILES)
        raise InputError(
            f"model.backbone_weights: imagenet: weights exist for the widths {widths}, not for "
            f"model.width_multiplier {width}; use one of these, or random"
        )
    path = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models" / FILES[width]
    if not path.is_file():
        _download(f"{BASE_URL}/{path.name}", path)
    return path


def _download(url: str, path: Path) -> None:
    """Download a file, which appears at `path` only when complete."""
    logger.info("backbone weights: downloading %s", url)
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        with atomic_file(path) as temporary, requests.get(url, stream=True, timeout=TIMEOUT_S) as response:
            if not response.ok:
                raise OSError(f"the server responds with {response.status_code} {response.reason}")
            with temporary.open("wb") as file:
                for chunk in response.iter_content(2**16):
                    md5.update(chunk)
                    file.write(chunk)
            checksum = re.search(r"md5=([\w+/=]+)", response.headers.get("x-goog-hash", ""))
            if checksum and checksum[1] != b64encode(md5.digest()).decode():
                raise OSError("the MD5 checksum differs from the server's")
    except OSError as error:  # includes the exceptions of requests
        raise InputError(
            f"model.backbone_weights: imagenet: {url}: {one_line(root_cause(error))}; "
            "download it on another machine and set model.backbone_weights to the file's path, or use random"
        ) from error
