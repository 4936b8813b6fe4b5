"""Following a person from frame to frame: each frame's joints say where to look in the next.

The square of the next frame lies around the joints as the squares did that the model was trained with. A person is
lost where the model is much less sure than it was of this person before, or where the next square is no place for
one; then the whole picture is searched. How sure a model is of people whom it sees well differs from model to
model and from person to person, so that there is no one limit for all. Without a box the picture is searched at
first, and then again, ever more seldom, as the first find may be wrong.

Coordinates carry no confidence. What is no person cannot be told from one by them, and squares that follow a guess
shrink or wander off within a second, so with such a model every frame is looked at in the same square.
"""

from dataclasses import dataclass

import numpy as np

from splitpose.crops.geometry import CropRegion, ImagePyramid, crop_region, full_image_region
from splitpose.inference.pose_model import NOBODY, Look, Model
from splitpose.inference.sliding_window import SIDES, Around, region_around_joints, search
from splitpose.skeleton import INDEX

LOST = 0.85
"""A person counts as lost below this share of the confidence that is usual for this person."""

FORGETTING = 0.03
"""Share of a frame in what is usual: about a second of video."""

LARGEST, SMALLEST = 1.5, 0.02
"""Longer sides of the picture: no person's square is larger or smaller."""

PAUSE, GROWTH = 1 / 3, 4
"""Seconds from one search to the next, and how many times as many after each that found nobody better."""

SEARCHED = SIDES[:2]
"""A video is searched again and again, so that squares of the smallest size, two thirds of all, are left out."""

TORSO = [INDEX[joint] for joint in ("lsho", "rsho", "lhip", "rhip")]


@dataclass(frozen=True)
class Seen:
    """A look at a person, and how often the person was found anew before: between such looks nothing is smooth."""

    look: Look
    begun: int


class PersonTracker:
    """Looks at one person in each frame of a video.

    Args:
        model: that looks.
        size: (width, height) px of the frames.
        rate: frames a second.
        start: the person's square in the first frame, None where it is to be searched; if `stays`, in all of them.
        stays: do not follow.
    """

    def __init__(
        self, model: Model, size: tuple[int, int], rate: float, start: CropRegion | None, stays: bool = False
    ):
        self._model, self._size, self._rate, self._stays = model, size, rate, stays
        self._start, self.region = start, start
        self._around: Around | None = region_around_joints(model.margin) if model.boxes_are_of_joints else None
        self._usual = 0.0
        self._pause, self._waits = PAUSE, 0
        self._begun = 0

    def look(self, picture: ImagePyramid, others: list[CropRegion]) -> Seen:
        """The person in the next frame; `others` are the squares of other people there."""
        if self._stays:
            return Seen(self._model.look(picture, self._start) if self._start else NOBODY, 0)
        followed = self.region
        look = self._model.look(picture, followed) if followed else None
        if self._around is None:
            self._around = alike(look) if look else region_around_joints(self._model.joints_margin)
        is_lost = look is None or look.sure < LOST * self._usual
        if is_lost:
            self._waits = min(self._waits, round(PAUSE * self._rate))
        if self._waits <= 0 and (is_lost or self._start is None):
            look = self._searched(picture, look, is_lost, others)
        look = look or self._model.look(picture, full_image_region(*self._size))
        self._waits -= 1
        self._begun += look.region is not followed
        sure = look.sure
        self._usual += FORGETTING * (max(sure, LOST * self._usual) - self._usual) if self._usual else sure
        following = self._around(look.joints)
        self.region = following if self._is_in_picture(following) else None
        return Seen(look, self._begun)

    def _searched(
        self, picture: ImagePyramid, look: Look | None, is_lost: bool, others: list[CropRegion]
    ) -> Look | None:
        """Whom a search finds, if better than the look, by far so where the person is not lost; or the look."""
        assert self._around is not None
        found = search(self._model, picture, self._size, self._around, others, SEARCHED)
        needed = 0.0 if look is None else look.sure / (1 if is_lost else LOST)
        is_better = found is not None and found.sure > needed
        self._pause = PAUSE if is_better else GROWTH * self._pause
        self._waits = round(self._pause * self._rate)
        return found if is_better else look

    def _is_in_picture(self, region: CropRegion) -> bool:
        width, height = self._size
        is_inside = 0 <= region.x < width and 0 <= region.y < height
        return is_inside and SMALLEST <= region.side / max(width, height) <= LARGEST


def alike(look: Look) -> Around:
    """Squares that lie around a person as the one of this look does, kept by shoulders and hips.

    A detector's box may be that of the torso, or of the whole person with legs; how it lies around the joints is
    seen once, where it was given.
    """
    assert look.region is not None
    torso = crop_region(look.joints[TORSO], np.empty(0), "joints", 1.0)
    side = look.region.side / torso.side
    right, down = (look.region.x - torso.x) / torso.side, (look.region.y - torso.y) / torso.side

    def around(joints: np.ndarray) -> CropRegion:
        now = crop_region(joints[TORSO], np.empty(0), "joints", 1.0)
        return CropRegion(now.x + right * now.side, now.y + down * now.side, side * now.side)

    return around
