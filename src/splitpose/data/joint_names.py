"""Names of keypoints in annotation files, mapped to the joints of the skeleton."""

import difflib
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from splitpose.errors import some_of
from splitpose.skeleton import FULL_NAMES, JOINTS

COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
"""The 17 keypoints of COCO in its order (Lin et al., ECCV 2014)."""

STARTS_AS_COCO = (17, 26, 133, 136)
"""Numbers of keypoints whose first 17 are COCO's: COCO, Halpe-26, COCO-WholeBody, Halpe-136."""

PREFIXES = r"(?:person|human|body|pose|skeleton|kpts?|kp|keypoints?|joints?|points?|[pkj]|id|no|nr)?\d*"
SUFFIXES = r"joint|keypoint|kpt|kp|point|center|centre|position|pos"

OTHER_PARTS = re.compile(
    r"ear|kne|ank|foot|feet|toe|heel|neck|head|pelvis|thorax|spine|chest|torso|throat|hand|thumb|finger|index"
    r"|middle|ring|pinky|palm|mouth|lip|jaw|chin|face|brow|inner|outer|forehead|root|back|belly|mid|msho|mhip"
    r"|clavicle|collar|stomach|navel"
)
"""Parts of the body that other skeletons have and this one has not."""

MIN_SIMILARITY = 0.75
"""Smallest ratio of difflib at which a known name is suggested for an unknown one."""


@dataclass(frozen=True)
class JointNames:
    """Maps the names of keypoints to joints.

    Many spellings are known: "Left Shoulder", "left_shoulder", "leftShoulder", "l-shoulder", "lsho",
    "shoulder_left", "05_left_shoulder", "person/left_shoulder" ... `joint_map` adds the names of a file, by joint:
    {"lsho": "6"}.
    """

    joint_map: Mapping[str, str] = field(default_factory=dict)

    def indices(self, names: Sequence[str]) -> dict[str, int]:
        """Return the index in `names` of each joint that is among them, in skeleton order.

        If several names mean a joint, the name of `joint_map` is preferred, then the first one.
        """
        joints = list(self.joints(names))
        found = {joint: joints.index(joint) for joint in JOINTS if joint in joints}
        keys = [_key(name) for name in names]
        mapped = {joint: keys.index(_key(name)) for joint, name in self.joint_map.items() if _key(name) in keys}
        return {joint: mapped.get(joint, index) for joint, index in found.items()}

    def joints(self, names: Sequence[str]) -> list[str | None]:
        """Return the joint of each name of a file, None where it is unknown.

        A number at the end is ignored if all names end in a number and no two are equal without it: "nose_0",
        "left_eye_1", "right_eye_2".
        """
        stems = [re.sub(r"[\W_]?\d+$", "", name) for name in names]
        is_numbered = len(names) > 2 and all(stem and stem != name for stem, name in zip(stems, names, strict=True))
        if is_numbered and max(Counter(stems).values()) == 1:
            return [self.joint(name) or self.joint(stem) for name, stem in zip(names, stems, strict=True)]
        return [self.joint(name) for name in names]

    def joint(self, name: str) -> str | None:
        """Return the joint of this name, None if it is unknown."""
        for joint, mapped in self.joint_map.items():
            if _key(mapped) == _key(name):
                return joint
        known = (_JOINT_BY_SPELLING.get(text) for text in _variants(name))
        return next(filter(None, known), None)


def describe_unknown(names: Sequence[str], joint_names: JointNames) -> list[str]:
    """Return notes on the keypoint names of a file: unknown ones with the nearest known name, and missing joints.

    There are none if every joint has a name. Other parts of the body, such as ears and knees, are no notes.

    Args:
        names: all keypoint names of a file.
        joint_names: the mapping that the file is read with.
    """
    names = list(dict.fromkeys(names))
    found = joint_names.indices(names)
    missing = [joint for joint in JOINTS if joint not in found]
    notes = [
        f"joint_map: no keypoint is named {name!r} ({joint})"
        for joint, name in joint_names.joint_map.items()
        if joint in missing
    ]
    if not missing or not found:
        return notes
    joints = joint_names.joints(names)
    unknown = [name for name, joint in zip(names, joints, strict=True) if not joint and not _is_other_part(name)]
    nearest = {name: joint for name in unknown if (joint := _nearest(name)) is not None}
    notes += [
        f"{name} is no known joint; nearest: {_full_name(joint)}; if it is this joint, rename it or set "
        f"joint_map: {{{joint}: {name}}}"
        for name, joint in nearest.items()
    ]
    if others := [name for name in unknown if name not in nearest]:
        notes.append(f"no known joints: {some_of(others, 8)}")
    listing = ", ".join(_full_name(joint) for joint in missing)
    return [*notes, f"not annotated, because no keypoint has their name: {listing}"]


def describe_refusal(names: Sequence[str]) -> str:
    """Return the error for a file none of whose keypoint names is known, with a `joint_map` that would do.

    The example has the file's own names, in the order of COCO or FLIC if there are as many.
    """
    names = list(dict.fromkeys(names))
    problem = "no keypoint has the name of one of the 11 joints (such as left_shoulder); found "
    if not names:
        return f"{problem}none"
    condition, order = _likely_order(names)
    example = ",".join(f"{joint}={name}" for joint, name in zip(order, names, strict=False) if joint)
    return (
        f"{problem}{some_of(names, 20)}; state which joints they are with joint_map in the profile, or with the "
        f"option --joint-map{condition}: --joint-map {shlex.quote(example)}"
    )


def _likely_order(names: Sequence[str]) -> tuple[str, Sequence[str | None]]:
    """Return a condition, and the joint of each of the first names of a file under this condition."""
    if len(names) in STARTS_AS_COCO:
        return ", if they are in COCO's order", [JointNames().joint(name) for name in COCO_NAMES]
    if len(names) == len(JOINTS):
        return ", if they are in FLIC's order", JOINTS
    return f", for example, if {' and '.join(names[:2])} were nose and left_shoulder", ("nose", "lsho")


def _variants(name: str) -> list[str]:
    """Return the name without separators, then without a path, prefix or suffix: "person/05_nose_joint" is nose."""
    last = re.split(r"[/\\:]", name)[-1]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", last)
    parts = [part for part in re.split(r"[\W_]+", words.lower()) if part]
    while len(parts) > 1 and re.fullmatch(PREFIXES, parts[0]):
        parts = parts[1:]
    while len(parts) > 1 and re.fullmatch(SUFFIXES, parts[-1]):
        parts = parts[:-1]
    return [_squeeze(name), _squeeze(last), "".join(parts), "".join(parts).lstrip("0123456789")]


def _key(name: str) -> str:
    """Return a name as joint maps compare it: without spaces around it, in any letter case."""
    return name.strip().casefold()


def _squeeze(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _is_other_part(name: str) -> bool:
    return OTHER_PARTS.search(_squeeze(name)) is not None


def _nearest(name: str) -> str | None:
    """Return the joint whose spelling is most similar to an unknown name, None if none is."""
    closest = difflib.get_close_matches(_variants(name)[-1], _JOINT_BY_SPELLING, 1, MIN_SIMILARITY)
    return _JOINT_BY_SPELLING[closest[0]] if closest else None


def _full_name(joint: str) -> str:
    return FULL_NAMES[joint].replace(" ", "_")


def _spellings(joint: str) -> set[str]:
    """Return the spellings of a joint without separators: leftshoulder, lshoulder, leftsho, shoulderleft ..."""
    *side, part = FULL_NAMES[joint].split()
    if not side:
        return {part}
    sides, parts = {side[0], side[0][0], side[0][0] + "t"}, {part, joint[1:]}
    return {spelling for s in sides for p in parts for spelling in (s + p, p + s)}


_JOINT_BY_SPELLING = {spelling: joint for joint in JOINTS for spelling in _spellings(joint)}
