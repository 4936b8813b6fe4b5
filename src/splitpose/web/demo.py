"""`splitpose demo`: the web page with the workspace's models, served on this machine only."""

import contextlib
from collections.abc import Collection
from pathlib import Path

from splitpose.web import static_server


def demo(
    models: Path,
    port: int,
    variants: Collection[str] | None = None,
    champion: static_server.ChampionFile | None = None,
) -> None:
    """Add the models to the page and serve it on loopback until it is interrupted.

    Args:
        models: folder with <variant>/<precision>.tflite files.
        port: port of the server; 0 selects a free one.
        variants: names of the variants to offer, None for all.
        champion: the champion, which the page marks, None if it is not known.

    Raises:
        InputError: the page has not been built, or the port is in use.
    """
    folder = static_server.page_folder()
    with static_server.create_server(folder, port) as server:
        entries = static_server.publish_models(models, folder, variants, champion)
        if entries:
            print(f"{models}: {len(entries)} model(s) are on the page")
            if champion and not any("champion" in entry for entry in entries):
                print(f"the champion, {champion.description}, is not one of them")
        else:
            print(f"{models}: no TFLite files yet; the page opens any other .tflite file")
        print(f"open http://127.0.0.1:{server.server_port}/ in a browser; stop the server with Ctrl-C", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
