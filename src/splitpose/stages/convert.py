"""convert: a variant as TFLite files, each scored as a file on the same people as the Keras model."""

from pathlib import Path

import numpy as np

import splitpose.stages.quiet  # noqa: F401
from splitpose import annotations, models
from splitpose.crops import records
from splitpose.deploy.runtime import PRECISIONS, Runtime
from splitpose.deploy.tflite import convert_to_tflite
from splitpose.files import whole_file, write_json
from splitpose.scoring import predictions
from splitpose.scoring.pck import normalised_errors, pck
from splitpose.settings import Profile
from splitpose.stages.command import run
from splitpose.stages.training_run import start
from splitpose.training.phase import predict


def convert(
    profile: Profile, variant: str, table: Path, crops: Path, weights: Path, out: Path, parity: Path
) -> None:
    """Convert a variant and compare each file with Keras."""
    model = models.load(start(variant, profile), weights)
    codec = models.codec(variant, profile.crops.size, profile.training.heatmap_width, profile.model.decoding)
    calibration = _calibration(crops, profile)
    people = list(records.read(crops, "test"))
    pixels = np.stack([crop.pixels for crop in people])
    truth = predictions.truth_of(annotations.read(table), [crop.id for crop in people])

    def score(outputs: np.ndarray) -> float:
        joints = predictions.in_pictures(people, codec.decode(outputs))
        return round(float(np.nanmean(pck(normalised_errors(truth, joints, profile.scoring.torso_joints), 0.2))), 3)

    expected = predict(model, pixels)
    keras_pck = score(expected)
    figures = {}
    for precision in PRECISIONS:
        path = out / f"{precision}.tflite"
        with whole_file(path) as beside:
            beside.write_bytes(convert_to_tflite(model, precision, calibration))
        outputs = Runtime(path, threads=2).run(pixels)
        figures[precision] = {
            "bytes": path.stat().st_size,
            "pck_0.2_mean": score(outputs),
            "keras_pck_0.2_mean": keras_pck,
            "max_difference": round(float(np.abs(outputs - expected).max()), 6),
        }
        print(f"{variant}: {precision}: {figures[precision]}")
    write_json(figures, parity)


def _calibration(crops: Path, profile: Profile) -> np.ndarray:
    """Seeded training crops (N, S, S, 3) uint8."""
    total = records.count(crops, "train")
    count = min(total, profile.conversion.calibration_crops)
    chosen = set(np.random.default_rng(profile.conversion.seed).choice(total, count, replace=False).tolist())
    everybody = enumerate(records.read(crops, "train"))
    return np.stack([crop.pixels for number, crop in everybody if number in chosen])


if __name__ == "__main__":
    run(convert)
