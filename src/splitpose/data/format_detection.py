"""Any source at a path, known by what it holds: COCO keypoints, FLIC's archive, or an annotation table."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitpose.annotations import TEXT_COLUMNS
from splitpose.data import coco, flic
from splitpose.data.reader_result import joined
from splitpose.errors import InputError

EXAMPLES = "examples.mat"
TABLES = (".parquet", ".csv")


@dataclass(frozen=True)
class Source:
    """What was found at a path.

    - kind: in words.
    - table: annotation table; of a table file as it is, unchecked.
    - left_out: people that the reader left out, by reason.
    - root: folder that `image` is below.
    - splits_are_cut: whether the source itself says who is for tests.
    """

    kind: str
    table: pd.DataFrame
    left_out: dict[str, int]
    root: Path
    splits_are_cut: bool


def detect_format(path: Path, images: Path | None = None) -> Source:
    """Read the source at `path`.

    Sides stay as the source has them, and nobody is left out for being small or half annotated.

    Args:
        path: a COCO keypoints JSON; a folder that holds some, at any depth; FLIC's examples.mat, its folder or
            the one around it; or an annotation table as Parquet or CSV.
        images: folder of the pictures. Without it they are looked for by file_name beside a JSON and in images/
            there, in FLIC's images/, and from a table's folder upwards.

    Raises:
        InputError: there is no source at `path`, or it can't be read.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if images is not None and not images.is_dir():
        raise InputError(f"{images}: no such folder of pictures")
    path, images = path.resolve(), images and images.resolve()
    if path.suffix == ".json":
        return _coco("COCO keypoints", [path], images, path.parent)
    if path.suffix in TABLES:
        return _table(path, images)
    if path.name == EXAMPLES:
        return _flic(_around(path.parent), images)
    if (path / EXAMPLES).is_file():
        return _flic(_around(path), images)
    if any((path / archive / EXAMPLES).is_file() for archive in flic.ARCHIVES):
        return _flic(path, images)
    if jsons := sorted(path.rglob("*.json")):
        return _coco(f"{len(jsons)} COCO keypoints JSONs", jsons, images, path.parent)
    raise InputError(
        f"{path}: no source; give a COCO keypoints JSON or a folder of some, FLIC's folder with {EXAMPLES}, or an "
        "annotation table (.parquet, .csv)"
    )


def _coco(kind: str, jsons: Sequence[Path], images: Path | None, root: Path) -> Source:
    """Several JSONs below `root` as one source."""
    if images is not None:
        root = Path(os.path.commonpath([root, images]))
    reading = joined(
        coco.read(
            json,
            [images] if images else [json.parent, json.parent / coco.IMAGES],
            root,
            min_joints=1,
            min_side=0,
            group="picture",
        )
        for json in jsons
    )
    return Source(kind, reading.table, reading.left_out, root, splits_are_cut=False)


def _around(archive: Path) -> Path:
    """The folder that holds the archive's, as its reader wants it."""
    if archive.name not in flic.ARCHIVES:
        raise InputError(f"{archive}: a folder with {EXAMPLES} is called {' or '.join(flic.ARCHIVES)}; rename it")
    return archive.parent


def _flic(root: Path, images: Path | None) -> Source:
    reading = flic.read(root, "person")
    table = reading.table
    if images is not None:
        table = table.assign(image=table["image"].map(os.path.basename))
    kind = f"{EXAMPLES} of FLIC's layout"
    return Source(kind, table, reading.left_out, images or root, splits_are_cut=True)


def _table(path: Path, images: Path | None) -> Source:
    try:
        texts = dict.fromkeys(TEXT_COLUMNS, str)
        table = pd.read_csv(path, dtype=texts) if path.suffix == ".csv" else pd.read_parquet(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give an annotation table") from error
    except ValueError as error:
        raise InputError(f"{path}: not a readable annotation table ({' '.join(str(error).split())})") from error
    root = images or next((folder for folder in path.parents if _any_picture(table, folder)), path.parent)
    return Source("annotation table", table, {}, root, splits_are_cut=True)


def _any_picture(table: pd.DataFrame, folder: Path) -> bool:
    """Whether one of the first pictures lies below `folder`; the first of all may be the one that is missing."""
    if "image" not in table:
        return False
    return any((folder / image).is_file() for image in table["image"].dropna().astype(str).head(100))
