"""Options of `splitpose predict`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PredictOptions:
    """Options of `splitpose predict`.

    sliding_window: search images without a box for the person; if False, or if the model has no confidence output,
        the region is the whole image.
    people: maximum number of people to search for in an image without a box.
    track: follow each person from frame to frame of a video; if False, the region is the same in all frames.
    smooth: smooth the joints of a video over time.
    draw: write images and videos with the predicted poses drawn.
    threads: threads of the TFLite interpreter.
    """

    sliding_window: bool = True
    people: int = 1
    track: bool = True
    smooth: bool = True
    draw: bool = True
    threads: int = 1
