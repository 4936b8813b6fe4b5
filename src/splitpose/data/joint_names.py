"""Names of keypoints in annotation files, mapped to the joints of the skeleton."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from splitpose.skeleton import FULL_NAMES, JOINTS


@dataclass(frozen=True)
class JointNames:
    """Maps the names of keypoints to joints.

    Many spellings are known: "Left Shoulder", "left_shoulder", "leftShoulder", "l-shoulder", "lsho",
    "shoulder_left" ... `joint_map` adds the names of a file, by joint: {"lsho": "6"}.
    """

    joint_map: Mapping[str, str] = field(default_factory=dict)

    def indices(self, names: Sequence[str]) -> dict[str, int]:
        """Return the index in `names` of each joint that is among them, in skeleton order."""
        joints = [self.joint(name) for name in names]
        return {joint: joints.index(joint) for joint in JOINTS if joint in joints}

    def joint(self, name: str) -> str | None:
        """Return the joint of this name, None if it is unknown."""
        for joint, mapped in self.joint_map.items():
            if mapped == name:
                return joint
        return _JOINT_BY_SPELLING.get(re.sub(r"[\W_]", "", name.lower()))


def _spellings(joint: str) -> set[str]:
    """Return the spellings of a joint without separators: leftshoulder, lshoulder, leftsho, shoulderleft ..."""
    *side, part = FULL_NAMES[joint].split()
    if not side:
        return {part}
    sides, parts = {side[0], side[0][0]}, {part, joint[1:]}
    return {spelling for s in sides for p in parts for spelling in (s + p, p + s)}


_JOINT_BY_SPELLING = {spelling: joint for joint in JOINTS for spelling in _spellings(joint)}
