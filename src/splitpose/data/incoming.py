"""Reader of new annotations in data/incoming/: COCO keypoint JSONs with their images next to them or in images/."""

from pathlib import Path

from splitpose.annotations import joints_of, with_joints
from splitpose.data import coco
from splitpose.data.reader_result import ReaderResult
from splitpose.settings import Incoming, Viewpoint
from splitpose.skeleton import observer_centric


def read(folder: Path, data: Path, settings: Incoming, viewpoint: Viewpoint) -> list[ReaderResult]:
    """Read every JSON at any depth of `folder`, sorted by path, as training rows.

    Args:
        folder: folder to search; may be missing or empty.
        data: data root; `folder` is below it.
        settings: which instances are skipped.
        viewpoint: viewpoint of the source that the rows are added to. Left and right in COCO are the person's
            own; "observer" converts them to the observer's.

    Raises:
        InputError: A JSON cannot be read; the first one is named.
    """
    options = coco.ReadOptions(settings.min_joints, settings.min_side)
    return [_read(path, data, options, viewpoint) for path in sorted(folder.rglob("*.json"))]


def _read(path: Path, data: Path, options: coco.ReadOptions, viewpoint: Viewpoint) -> ReaderResult:
    result = coco.read(path, [path.parent, path.parent / coco.IMAGES], data, options)
    if viewpoint == "person":
        return result
    joints = observer_centric(joints_of(result.table))
    return ReaderResult(with_joints(result.table, joints), result.skipped)
