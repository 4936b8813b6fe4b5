"""The web page with the workspace's models, served on this machine only."""

import argparse
import contextlib
import sys
from pathlib import Path

from splitpose.errors import InputError
from splitpose.web import static_server


def demo(models: Path, port: int) -> None:
    """Add the models to the page and serve it on loopback until it is interrupted.

    Args:
        models: folder with <variant>/<precision>.tflite files.
        port: port of the server; 0 selects a free one.

    Raises:
        InputError: the page has not been built, or the port is in use.
    """
    folder = static_server.page_folder()
    with static_server.create_server(folder, port) as server:
        count = static_server.publish_models(models, folder)
        if count:
            print(f"{models}: {count} model(s) are on the page")
        else:
            print(f"{models}: no TFLite files yet; the page opens any other .tflite file")
        print(f"open http://127.0.0.1:{server.server_port}/ in a browser; stop the server with Ctrl-C", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def main() -> None:
    """Run the demo with options from the command line."""
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
