"""convert: a variant as TFLite files, each scored as a file on the same people as the Keras model."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from splitpose import annotations, models
from splitpose.codecs import Codec
from splitpose.crops import tfrecords
from splitpose.errors import InputError
from splitpose.evaluation import predictions
from splitpose.evaluation.pck import normalised_errors, pck
from splitpose.export.parity import check
from splitpose.export.tflite import convert_to_tflite
from splitpose.files import atomic_file, write_json
from splitpose.inference.metadata import Metadata, describe_codec, embed_metadata
from splitpose.inference.runtime import Runtime
from splitpose.models.from_profile import build_codec, build_seeded_model
from splitpose.models.predict import predict
from splitpose.settings import PRECISIONS, Precision, Profile
from splitpose.stages.command import run


def convert(
    profile: Profile, variant: str, table: Path, crops: Path, weights: Path, out: Path, parity: Path
) -> None:
    """Convert a variant and compare each file with Keras."""
    model = models.load_weights(build_seeded_model(variant, profile), weights)
    codec = build_codec(variant, profile)
    calibration = _calibration(crops, profile)
    people = list(tfrecords.read(crops, "test"))
    pixels = np.stack([crop.pixels for crop in people])
    truth = predictions.truth_of(annotations.read(table), [crop.id for crop in people])

    def score(outputs: np.ndarray) -> float:
        joints = predictions.in_pictures(people, codec.decode(outputs))
        return round(float(np.nanmean(pck(normalised_errors(truth, joints, profile.scoring.torso_joints), 0.2))), 3)

    expected = predict(model, pixels)
    keras_pck = score(expected)
    figures: dict[Precision, dict[str, Any]] = {}
    for precision in PRECISIONS:
        path = out / f"{precision}.tflite"
        content = convert_to_tflite(model, precision, calibration)
        with atomic_file(path) as beside:
            beside.write_bytes(embed_metadata(content, _card(profile, variant, precision, codec, weights, crops)))
        outputs = Runtime(path, threads=2).run(pixels)
        figures[precision] = {
            "bytes": path.stat().st_size,
            "pck_0.2_mean": score(outputs),
            "keras_pck_0.2_mean": keras_pck,
            "max_difference": round(float(np.abs(outputs - expected).max()), 6),
        }
        print(f"{variant}: {precision}: {figures[precision]}")
    try:
        check(variant, figures, profile.conversion)
    except InputError:
        for precision in PRECISIONS:  # what failed the gate must not be taken for a model
            (out / f"{precision}.tflite").unlink()
        raise
    write_json(figures, parity)


def _card(
    profile: Profile, variant: str, precision: Precision, codec: Codec, weights: Path, crops: Path
) -> Metadata:
    output, heatmap_fwhm, decoding = describe_codec(codec)
    # A shard's name has a digest of all that its bytes come from.
    shards = "\n".join(sorted(path.name for path in crops.glob("*.tfrecord")))
    return Metadata(
        variant=variant,
        precision=precision,
        viewpoint=profile.source.viewpoint,
        size=profile.crops.size,
        region_from=profile.crops.region_from,
        padding=profile.crops.padding,
        output=output,
        heatmap_fwhm=heatmap_fwhm,
        decoding=decoding,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        crops_sha256=hashlib.sha256(shards.encode()).hexdigest(),
    )


def _calibration(crops: Path, profile: Profile) -> np.ndarray:
    """Seeded training crops (N, S, S, 3) uint8."""
    total = tfrecords.count(crops, "train")
    count = min(total, profile.conversion.calibration_crops)
    chosen = set(np.random.default_rng(profile.conversion.seed).choice(total, count, replace=False).tolist())
    everybody = enumerate(tfrecords.read(crops, "train"))
    return np.stack([crop.pixels for number, crop in everybody if number in chosen])


if __name__ == "__main__":
    run(convert)
