"""New labelled pictures that were dropped into data/incoming/: COCO keypoint JSONs, their pictures beside them."""

from pathlib import Path

from splitpose.annotations import joints_of, with_joints
from splitpose.data import coco
from splitpose.data.reader_result import Reading
from splitpose.settings import Incoming, Viewpoint
from splitpose.skeleton import observer_centric


def read(folder: Path, data: Path, settings: Incoming, viewpoint: Viewpoint) -> list[Reading]:
    """The people of every JSON at any depth of `folder`, in the order of their paths; all are training rows.

    Args:
        folder: to look in; may be missing or empty.
        data: the data root, which `folder` is below.
        settings: who is left out.
        viewpoint: of the source they join. COCO's sides are the person's own; "observer" turns them.

    Raises:
        InputError: of the first JSON that cannot be read.
    """
    return [_read(path, data, settings, viewpoint) for path in sorted(folder.rglob("*.json"))]


def _read(path: Path, data: Path, settings: Incoming, viewpoint: Viewpoint) -> Reading:
    reading = coco.read(
        path,
        [path.parent, path.parent / coco.IMAGES],
        data,
        min_joints=settings.min_joints,
        min_side=settings.min_side,
        group="picture",
    )
    if viewpoint == "person":
        return reading
    joints = observer_centric(joints_of(reading.table))
    return Reading(with_joints(reading.table, joints), reading.left_out)
