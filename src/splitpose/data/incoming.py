"""Reader of new annotations in data/incoming/: exports of labelling tools with their images, in any tool's layout.

The split of an instance depends on the name of its group, the fractions and the seed only. The folder of a delivery
is not part of the name, so that two deliveries of an image are in the same split.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from splitpose.annotations import INCOMING, joints_of, with_joints
from splitpose.data.formats.detection import Found, find_annotations
from splitpose.data.image_finder import ImageFinder, image_folders
from splitpose.data.joint_names import JointNames
from splitpose.data.people import ReadOptions, select_people
from splitpose.data.reader_result import ReaderResult
from splitpose.data.splits import draw_splits
from splitpose.settings import Incoming, Viewpoint
from splitpose.skeleton import observer_centric

ALLOW_FEWER = "SPLITPOSE_ALLOW_FEWER"
"""Environment variable; 1 accepts that people of the previous annotation table are missing."""


def fewer_allowed() -> bool:
    """Return whether the environment accepts that people are missing."""
    return os.environ.get(ALLOW_FEWER) == "1"


def is_incoming(table: pd.DataFrame) -> pd.Series:
    """Return whether each row of an annotation table is from data/incoming/."""
    return table["id"].str.startswith((f"{INCOMING}/", f"{INCOMING}-"))


def missing_people(
    previous: pd.DataFrame, table: pd.DataFrame, replaced: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Return the number of incoming people of an earlier annotation table that `table` lacks, by JSON.

    `replaced` is the id of the row with a person's corrected joints by the id of each replaced row.
    """
    remaining = previous["id"].map(lambda id: (replaced or {}).get(id, id))
    is_missing = is_incoming(previous) & ~remaining.isin(table["id"])
    jsons = previous.loc[is_missing, "id"].str.rsplit("-", n=1).str[0] + ".json"
    return dict(sorted(Counter(jsons).items()))


def read(folder: Path, data: Path, settings: Incoming, viewpoint: Viewpoint, seed: int) -> list[ReaderResult]:
    """Read all annotations at any depth of `folder`, sorted by path, and divide their groups into splits.

    Groups are named "incoming/<value of settings.group>", which no group of another source is.

    Args:
        folder: folder to search; may be missing or empty.
        data: data root; `folder` is below it.
        settings: which instances are skipped, their groups, and the share of the groups for each split.
        viewpoint: viewpoint of the source that the rows are added to. Left and right in COCO are the person's
            own; "observer" converts them to the observer's.
        seed: seed of the splits.

    Raises:
        InputError: Annotations cannot be read; the first file is named.
    """
    options = ReadOptions(settings.min_joints, settings.min_side, settings.group, group_key="incoming.group")
    if not folder.is_dir():
        return []
    names = JointNames(settings.joint_map)
    annotations = find_annotations(folder)
    results = [
        _read(found, _delivery(found.path, folder), names, data, options, viewpoint) for found in annotations.found
    ]
    if results:
        results[0] = replace(results[0], notes=(*results[0].notes, *annotations.notes))
    return [replace(result, table=_assign_splits(result.table, settings, seed)) for result in results]


def _read(
    found: Found, delivery: Path, names: JointNames, data: Path, options: ReadOptions, viewpoint: Viewpoint
) -> ReaderResult:
    finder = ImageFinder(image_folders(found.path, boundary=delivery))
    result = select_people(found.read(names), finder, data, options)
    if viewpoint == "person":
        return result
    joints = observer_centric(joints_of(result.table))
    return replace(result, table=with_joints(result.table, joints))


def _delivery(path: Path, folder: Path) -> Path:
    """Return the subfolder of `folder` with a file, or `folder` itself; the search for images does not leave it."""
    parts = path.relative_to(folder).parts
    return folder / parts[0] if len(parts) > 1 else folder


def _assign_splits(table: pd.DataFrame, settings: Incoming, seed: int) -> pd.DataFrame:
    groups = f"{INCOMING}/" + table["group"]
    splits = draw_splits(groups, seed, settings.test_fraction, settings.validation_fraction)
    return table.assign(group=groups, split=splits)
