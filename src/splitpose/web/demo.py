"""`make demo`: the page of web/ with the workspace's models, served on this machine alone."""

import argparse
import contextlib
import sys
from pathlib import Path

from splitpose.errors import InputError
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


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="DIR")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    try:
        demo(options.models, options.port)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
