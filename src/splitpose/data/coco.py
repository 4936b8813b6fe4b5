"""COCO keypoint annotations to the annotation table.

Keypoints are pixel indices, as Detectron2 reads them: integers are pixel centres, so they are taken over as they
are. Boxes are continuous with pixel corners at integers, so half a pixel is taken off them. Sides are the
person's own.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from splitpose.annotations import BOX_COLUMNS, typed, with_joints
from splitpose.data.coco_json import Box, Picture, load
from splitpose.data.reader_result import Reading, joined
from splitpose.errors import InputError
from splitpose.progress import track
from splitpose.skeleton import INDEX, JOINTS

ANNOTATIONS = "annotations.json"
IMAGES = "images"

Sets = Sequence[tuple[str, Path, Path]]
"""Of each JSON: the split of its people, its path, the folder of its pictures."""


def copy(sets: Sets, raw: Path) -> None:
    """Copy each JSON and the pictures of its people to <number>-<name of the JSON>/ in `raw`.

    Copies and no hard links, because DVC may make its files read-only. A picture that is missing, or whose
    file_name leads out of its folder, is left to the checks.

    Raises:
        InputError: naming a JSON and what is wrong with it, or a missing folder.
    """
    for place, (_, annotations, images) in zip(_places_in(raw, sets), sets, strict=True):
        content = load(annotations)
        if not images.is_dir():
            raise InputError(f"source.images: {images}: no such folder of pictures")
        (place / IMAGES).mkdir(parents=True)
        shutil.copyfile(annotations, place / ANNOTATIONS)
        wanted = {person.image_id for person in content.annotations}
        paths = [picture.path for picture in content.images if picture.id in wanted]
        for path in track(paths, f"copying pictures of {annotations.name}", len(paths), "pictures"):
            if path.is_absolute() or ".." in path.parts or not _is_file(images / path):
                continue
            (place / IMAGES / path).parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(images / path, place / IMAGES / path)
            except PermissionError as error:
                raise InputError(f"{images / path}: may not be read; give yourself the right to") from error


def read_all(sets: Sets, raw: Path, *, min_joints: int, min_side: float, group: str) -> Reading:
    """The people of all JSONs that `copy` brought to `raw`; what it takes and raises is `read`'s."""
    return joined(
        read(
            place / ANNOTATIONS,
            [place / IMAGES],
            raw.parent,
            min_joints=min_joints,
            min_side=min_side,
            group=group,
            split=split,
        )
        for place, (split, _, _) in zip(_places_in(raw, sets), sets, strict=True)
    )


def read(
    annotations: Path,
    image_folders: Sequence[Path],
    root: Path,
    *,
    min_joints: int,
    min_side: float,
    group: str,
    split: str = "train",
) -> Reading:
    """The people of a COCO keypoints JSON who are large enough and have enough of the 11 joints.

    A joint of visibility 0 is not annotated. Every category counts whose keypoints have some of the 11 joints,
    in whatever order and spelling.

    Args:
        annotations: the JSON, below `root`.
        image_folders: below `root`, where pictures are looked for by file_name; the first that has one counts,
            and the first of all for a picture that none has.
        root: `image` and `id` in the table are paths below it; an id ends in "-<the annotation's id>".
        min_joints: people with fewer annotated joints are left out; at least 1.
        min_side: px; people whose box's longer side is shorter are left out. Without a proper box, the longer
            side of their joints' extent counts.
        group: "picture" (its file_name), "folder" (that file_name lies in), or a key of each of the images.
        split: of all these people.

    Raises:
        InputError: naming the file, the entry and the key that is wrong; or nobody is left.
    """
    content = load(annotations)
    columns_of_picture = {
        picture.id: {
            "image": _image(picture.path, image_folders, root),
            "width": picture.width,
            "height": picture.height,
            "group": _group(picture, group, f"{annotations}: images[{number}]"),
        }
        for number, picture in enumerate(content.images)
    }
    places = {category.id: category.joints for category in content.categories}
    name = annotations.relative_to(root).with_suffix("").as_posix()
    rows, joints, left_out = [], [], Counter[str]()
    for person in content.annotations:
        persons_joints = _joints(person.keypoints or [], places[person.category_id])
        if not places[person.category_id]:
            left_out["other category"] += 1
        elif person.iscrowd:
            left_out["crowd"] += 1
        elif np.isfinite(persons_joints[:, 0]).sum() < min_joints:
            left_out[f"fewer than {min_joints} joints"] += 1
        elif _side(person.bbox, persons_joints) < min_side:
            left_out["tiny"] += 1
        else:
            box = dict(zip(BOX_COLUMNS, _corners(person.bbox), strict=True))
            rows.append({"id": f"{name}-{person.id}", "split": split, **columns_of_picture[person.image_id], **box})
            joints.append(persons_joints)
    if not rows:
        counts = ", ".join(f"{people} {reason}" for reason, people in left_out.items())
        raise InputError(
            f"{annotations}: nobody is left of {len(content.annotations)} people{f': {counts}' if counts else ''}; "
            f"lower min_joints (now {min_joints}) or min_side (now {min_side:g} px), or give another file"
        )
    return Reading(typed(with_joints(pd.DataFrame(rows), np.array(joints))), dict(left_out))


def _places_in(raw: Path, sets: Sets) -> list[Path]:
    """The folder of each JSON."""
    return [raw / f"{number}-{annotations.stem}" for number, (_, annotations, _) in enumerate(sets)]


def _is_file(path: Path) -> bool:
    """Whether there is a file; no file can have a name that the system refuses."""
    try:
        return path.is_file()
    except OSError:
        return False


def _image(path: PurePosixPath, folders: Sequence[Path], root: Path) -> str:
    """A picture's path below `root`; one that leads out of its folder stays so, for the checks to find."""
    folder = next((folder for folder in folders if _is_file(folder / path)), folders[0])
    return str(PurePosixPath(folder.relative_to(root)) / path)


def _group(picture: Picture, group: str, where: str) -> str:
    """What must not be cut apart; the three kinds are `read`'s."""
    if group == "picture":
        return str(picture.path)
    if group == "folder":
        return str(picture.path.parent)
    value = dict(picture).get(group)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise InputError(f"{where}.{group}: no text or whole number; source.group needs one in each of the images")
    return str(value)


def _joints(keypoints: list[float], places: dict[str, int]) -> np.ndarray:
    """(K, 2) px, NaN where not annotated."""
    joints = np.full((len(JOINTS), 2), np.nan)
    for joint, place in places.items():
        x, y, visibility = keypoints[3 * place : 3 * place + 3] or (0, 0, 0)
        if visibility > 0:
            joints[INDEX[joint]] = x, y
    return joints


def _side(box: Box | None, joints: np.ndarray) -> float:
    """Longer side in px of the box, or of the joints' extent without a proper box."""
    if box is not None and min(box[2:]) > 0:
        return max(box[2:])
    return float(np.ptp(joints[np.isfinite(joints[:, 0])], axis=0).max())


def _corners(box: Box | None) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 from pixel centres; NaN without a box."""
    x, y, width, height = box or (np.nan,) * 4
    return x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5
