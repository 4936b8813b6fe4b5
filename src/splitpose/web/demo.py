"""`make demo`: the page of web/ with the workspace's models, served on this machine alone."""

import contextlib
from pathlib import Path

from splitpose.web import static_server


def demo(models: Path, port: int) -> None:
    """Put the models beside the page and serve it until Ctrl-C.

    Raises InputError where the page has not been built or the port is taken.
    """
    folder = static_server.built()
    with static_server.server(folder, port) as server:
        count = static_server.publish(models, folder)
        if count:
            print(f"{count} model(s) of {models}/ are on the page")
        else:
            print(
                f"{models}/ has no TFLite files yet: `make repro` trains them; the page opens any .tflite file too"
            )
        print(f"open http://127.0.0.1:{server.server_port}/ in a browser; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
