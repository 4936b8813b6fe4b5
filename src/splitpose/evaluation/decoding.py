"""Decoding of a model's outputs into joints: the codec's decodings, each with and without the flip test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from splitpose.codecs import Codec, Heatmaps
from splitpose.settings import Decoding


@dataclass(frozen=True)
class DecodedJoints:
    """Joints decoded from a model's outputs, and how they were decoded.

    The flip test (test-time augmentation) averages the outputs for the crop and for its horizontal flip, at twice
    the cost. It is common in the literature; the paper does not use it.
    """

    decoding: Decoding | None
    """None for coordinates, which have one decoding."""
    flip_test: bool
    joints: np.ndarray
    """(N, K, 2) crop px."""
    outputs: np.ndarray
    """The model outputs that were decoded, averaged over the flips by the flip test."""

    @property
    def name(self) -> str:
        """The name in tables and JSON, e.g. "argmax + flip test"."""
        return f"{self.decoding or 'coordinates'}{' + flip test' if self.flip_test else ''}"


def decode_all(codec: Codec, outputs: np.ndarray, flipped_outputs: np.ndarray) -> Iterator[DecodedJoints]:
    """Yield the joints of every decoding, without and with the flip test.

    Args:
        codec: the model's codec.
        outputs: the model's outputs for N crops.
        flipped_outputs: its outputs for the same crops flipped horizontally.
    """
    averaged = (outputs + codec.flip(flipped_outputs)) / 2
    codecs: dict[Decoding | None, Codec] = {None: codec}
    if isinstance(codec, Heatmaps):
        codecs = {decoding: replace(codec, decoding=decoding) for decoding in get_args(Decoding)}
    for decoding, decoder in codecs.items():
        yield DecodedJoints(decoding, False, decoder.decode(outputs), outputs)
        yield DecodedJoints(decoding, True, decoder.decode(averaged), averaged)


def select_headline(decoded: Sequence[DecodedJoints], decoding: Decoding, flip_test: bool) -> DecodedJoints:
    """Return the decoding that the settings select; the headline metrics are computed from it."""
    return next(
        joints for joints in decoded if joints.decoding in (None, decoding) and joints.flip_test == flip_test
    )
