"""The ways in which a model's output can be read: the codec's decoding, and the flip test."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from splitpose.codecs import Codec, Heatmaps
from splitpose.settings import Decoding


@dataclass(frozen=True)
class Reading:
    """Joints (N, K, 2) in crop px, and how they were read from a model's outputs.

    `decoding` is None where there is only one, that of coordinates. The flip test runs the model on the crop and on
    its mirror image and reads the mean of both outputs, at twice the cost; usual in the literature, not in the
    paper.
    """

    decoding: Decoding | None
    flip_test: bool
    joints: np.ndarray

    @property
    def name(self) -> str:
        """Of the reading, for tables."""
        return f"{self.decoding or 'coordinates'}{' + flip test' if self.flip_test else ''}"


def readings(codec: Codec, outputs: np.ndarray, of_mirrored: np.ndarray) -> Iterator[Reading]:
    """Every reading of the outputs for N crops, given also the outputs for the same crops mirrored."""
    mean = (outputs + codec.flip(of_mirrored)) / 2
    codecs: dict[Decoding | None, Codec] = {None: codec}
    if isinstance(codec, Heatmaps):
        codecs = {decoding: replace(codec, decoding=decoding) for decoding in get_args(Decoding)}
    for decoding, one in codecs.items():
        yield Reading(decoding, False, one.decode(outputs))
        yield Reading(decoding, True, one.decode(mean))


def headline(found: list[Reading], decoding: Decoding, flip_test: bool) -> Reading:
    """The reading that the settings ask for."""
    return next(one for one in found if one.decoding in (None, decoding) and one.flip_test == flip_test)
