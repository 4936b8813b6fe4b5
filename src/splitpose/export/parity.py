"""Whether TFLite files do what the Keras model does: the gate that a conversion must pass."""

from collections.abc import Mapping
from typing import Any

from splitpose.errors import InputError
from splitpose.settings import Conversion, Precision


def check(variant: str, figures: Mapping[Precision, Mapping[str, Any]], limits: Conversion) -> None:
    """Compare the files' figures with what they may be off by.

    Args:
        variant: for the message.
        figures: of each precision {"pck_0.2_mean", "keras_pck_0.2_mean": percent, "max_difference": of outputs}.
        limits: the profile's `conversion`.

    Raises InputError with the figures of every file that is further off than it may be.
    """
    breaches = []
    # "not at most" and not "more", so that what is no number breaches too.
    if not (difference := figures["float32"]["max_difference"]) <= limits.max_difference:
        breaches.append(f"float32's outputs differ by up to {difference}, allowed {limits.max_difference}")
    allowed: dict[Precision, float] = {"float16": limits.max_pck_drop.float16, "int8": limits.max_pck_drop.int8}
    for precision, points in allowed.items():
        found, keras = figures[precision]["pck_0.2_mean"], figures[precision]["keras_pck_0.2_mean"]
        if not abs(found - keras) <= points:
            breaches.append(
                f"{precision} has a mean PCK@0.2 of {found}, Keras {keras}, allowed are {points} points"
            )
    if breaches:
        raise InputError(
            f"{variant}: {'; '.join(breaches)}; look at the model and at conversion.calibration_crops, or "
            "allow more by conversion.max_difference and conversion.max_pck_drop"
        )
