"""Check of the parity of TFLite files with their Keras model, which a conversion must pass."""

from collections.abc import Mapping
from typing import Any

from splitpose.errors import InputError
from splitpose.settings import Conversion, Precision


def check_parity(variant: str, results: Mapping[Precision, Mapping[str, Any]], limits: Conversion) -> None:
    """Check the files' results against their limits.

    Args:
        variant: name for the message.
        results: by precision, {"pck_0.2_mean", "keras_pck_0.2_mean": percent, "test_instances": their number,
            "max_difference": of the outputs}.
        limits: the profile's `conversion`.

    Raises:
        InputError: results exceed their limits; all of them are listed.
    """
    breaches = []
    # "not <=" instead of ">", so that NaN is also a breach.
    if not (difference := results["float32"]["max_difference"]) <= limits.max_difference:
        breaches.append(f"float32 outputs differ by up to {difference} (limit {limits.max_difference})")
    max_drops: dict[Precision, float] = {"float16": limits.max_pck_drop.float16, "int8": limits.max_pck_drop.int8}
    for precision, max_drop in max_drops.items():
        pck, keras_pck = results[precision]["pck_0.2_mean"], results[precision]["keras_pck_0.2_mean"]
        if not abs(pck - keras_pck) <= max_drop:
            count = results[precision]["test_instances"]
            breaches.append(
                f"{precision} mean PCK@0.2 on all {count} test instances is {pck}, that of the Keras model "
                f"{keras_pck} (limit {max_drop} points)"
            )
    if breaches:
        raise InputError(
            f"{variant}: {'; '.join(breaches)}; check the model and conversion.calibration_crops, or raise "
            "conversion.max_difference and conversion.max_pck_drop"
        )
