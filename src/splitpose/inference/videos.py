"""People in a video: each is followed from frame to frame, and every frame is drawn."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from splitpose.crops.geometry import CropRegion, ImagePyramid, full_image_region
from splitpose.drawing import draw_look
from splitpose.inference import video_io
from splitpose.inference.boxes import Person, square
from splitpose.inference.inputs import Input
from splitpose.inference.person_tracker import PersonTracker, Seen
from splitpose.inference.pose_model import Model
from splitpose.inference.predict_options import PredictOptions
from splitpose.inference.predictions_csv import Table
from splitpose.inference.prefetch import prefetch
from splitpose.inference.temporal_smoothing import Track, smoothed
from splitpose.inference.video_io import Frame, Video

DEPTH = 4
"""Frames that are read, and that are looked at, before they are asked for."""


@dataclass(frozen=True)
class SeenFrame:
    """A frame and what was seen of each of its people."""

    frame: Frame
    seen: Sequence[Seen]

    @property
    def joints(self) -> np.ndarray:
        """(P, K, 2) px."""
        return np.stack([each.look.joints for each in self.seen])

    @property
    def track(self) -> Track:
        """As smoothing takes it."""
        sides = [_region(each).side for each in self.seen]
        return self.joints, np.array(sides), np.array([each.begun for each in self.seen])


def predict(
    film: Video,
    input: Input,
    people: Sequence[Person],
    watching: Sequence[PersonTracker],
    how: PredictOptions,
    out: Path,
    table: Table,
) -> Iterator[int]:
    """Write a row for each person and frame, and the video with its people drawn below the folder `out`.

    Rows have the ids ID#000000, ID#000001 ...; a video that is no .mp4 becomes NAME.mp4.

    Yields the number of each frame that is done. Raises InputError where the video cannot be written.
    """
    frames = prefetch(((frame, ImagePyramid(frame.pixels)) for frame in film.frames()), DEPTH)
    seen = prefetch((_seen(frame, picture, watching) for frame, picture in frames), DEPTH)
    path = out / (input.name if input.name.endswith(".mp4") else f"{input.name}.mp4")
    with video_io.written(path, film.rate, film.size) if how.draw else nullcontext() as writer:
        drawn: deque[Frame] = deque()

        def write_drawn() -> None:
            while writer and drawn:
                writer.write(drawn.popleft().pixels)

        # A frame is written when the next one comes: just then the thread that looks needs Python to begin anew,
        # and encoding leaves it Python, which smoothing and drawing do not.
        for each, joints in _steady(_each_after(write_drawn, seen), film.rate, how):
            frame = each.frame
            for person, one, places in zip(people, each.seen, joints, strict=True):
                region, confidence = _region(one), one.look.confidence
                id = f"{person.id}#{frame.number:06d}"
                table.add(id, input.name, region, places, confidence, frame.number, frame.seconds)
                if writer:
                    draw_look(frame.pixels, places, confidence, region)
            if writer:
                drawn.append(frame)
            yield frame.number
        write_drawn()


def followers(people: Sequence[Person], film: Video, model: Model, how: PredictOptions) -> list[PersonTracker]:
    """Who looks at each of a video's people, from the person's box on.

    Without a box, or where a detector found nobody, the person is searched; who is not to be searched or followed
    is looked at in the whole picture then.

    Raises InputError where a box lies outside the frames.
    """
    stays = not how.follow or not model.gives_confidence
    watching = []
    for person in people:
        start = square(person.box, *film.size, model.margin)
        if stays or not how.search:
            start = start or full_image_region(*film.size)
        elif person.box is None:
            start = None
        watching.append(PersonTracker(model, film.size, film.rate, start, stays))
    return watching


def _seen(frame: Frame, picture: ImagePyramid, watching: Sequence[PersonTracker]) -> SeenFrame:
    seen = []
    for one in watching:
        others = [other.region for other in watching if other is not one and other.region]
        seen.append(one.look(picture, others))
    return SeenFrame(frame, seen)


def _each_after(action: Callable[[], None], items: Iterable[SeenFrame]) -> Iterator[SeenFrame]:
    for item in items:
        action()
        yield item


def _steady(seen: Iterable[SeenFrame], rate: float, how: PredictOptions) -> Iterator[tuple[SeenFrame, np.ndarray]]:
    """The frames with the joints (P, K, 2) that are told of them."""
    if how.smooth:
        return smoothed(seen, lambda each: each.track, rate)
    return ((each, each.joints) for each in seen)


def _region(seen: Seen) -> CropRegion:
    assert seen.look.region is not None  # in a video everyone is looked at in every frame
    return seen.look.region
