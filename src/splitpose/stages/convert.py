"""convert: convert a variant to TFLite files, and score each of them on the same test crops as the Keras model."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from splitpose import annotations, models
from splitpose.codecs import Codec
from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.data.training_groups_files import read_training_groups
from splitpose.errors import InputError
from splitpose.evaluation import predictions
from splitpose.evaluation.pck import normalised_errors, pck
from splitpose.export.parity import check_parity
from splitpose.export.tflite import convert_to_precisions
from splitpose.files import atomic_file, write_json
from splitpose.inference.metadata import Metadata, describe_codec, embed_metadata
from splitpose.inference.pose_model import PoseModel
from splitpose.models.from_profile import build_codec, build_seeded_model
from splitpose.models.predict import predict
from splitpose.settings import PRECISIONS, Precision, Profile
from splitpose.stages.command import run

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TestSet:
    """The test crops, their ground truth (N, K, 2) in image px, and the codec and torso joints for scoring."""

    crops: list[Crop]
    ground_truth: np.ndarray
    codec: Codec
    torso_joints: tuple[str, str]

    @property
    def pixels(self) -> np.ndarray:
        """(N, S, S, 3) uint8 RGB."""
        return np.stack([crop.pixels for crop in self.crops])

    def mean_pck(self, outputs: np.ndarray) -> float:
        """Return the mean PCK@0.2 of a model's outputs, percent."""
        joints = predictions.to_image(self.crops, self.codec.decode(outputs))
        errors = normalised_errors(self.ground_truth, joints, self.torso_joints)
        return round(float(np.nanmean(pck(errors, 0.2))), 3)


def convert(
    profile: Profile, variant: str, table: Path, crops: Path, weights: Path, out: Path, parity: Path
) -> None:
    """Convert a variant and compare each file with the Keras model."""
    model = models.load_weights(build_seeded_model(variant, profile), weights)
    codec = build_codec(variant, profile)
    test_crops = list(tfrecords.read(crops, "test"))
    ground_truth = predictions.ground_truth(annotations.read(table), [crop.id for crop in test_crops])
    test_set = TestSet(test_crops, ground_truth, codec, profile.scoring.torso_joints)
    pixels = test_set.pixels
    keras_outputs = predict(model, pixels)
    keras_pck = test_set.mean_pck(keras_outputs)
    calibration = _calibration_crops(crops, profile)
    results: dict[Precision, dict[str, Any]] = {}
    contents = convert_to_precisions(model, PRECISIONS, calibration)
    for precision, content in zip(PRECISIONS, contents, strict=True):
        path = out / f"{precision}.tflite"
        metadata = _metadata(profile, variant, precision, codec, weights, crops)
        with atomic_file(path) as temporary:
            temporary.write_bytes(embed_metadata(content, metadata))
        outputs = PoseModel.load(path, threads=2, metadata_required=True).run(pixels)
        results[precision] = {
            "bytes": path.stat().st_size,
            "pck_0.2_mean": test_set.mean_pck(outputs),
            "keras_pck_0.2_mean": keras_pck,
            "test_instances": len(test_crops),
            "max_difference": round(float(np.abs(outputs - keras_outputs).max()), 6),
        }
        logger.info(
            "%s: %s: %.2f MB, mean PCK@0.2 on all %d test instances: %.1f (Keras %.1f)",
            variant,
            precision,
            results[precision]["bytes"] / 1e6,
            len(test_crops),
            results[precision]["pck_0.2_mean"],
            keras_pck,
        )
    try:
        check_parity(variant, results, profile.conversion)
    except InputError:
        for precision in PRECISIONS:  # files that failed the check must not be used
            (out / f"{precision}.tflite").unlink()
        raise
    write_json(results, parity)


def _metadata(
    profile: Profile, variant: str, precision: Precision, codec: Codec, weights: Path, crops: Path
) -> Metadata:
    output, heatmap_fwhm, decoding = describe_codec(codec)
    # A shard's name contains a digest of everything that its bytes depend on.
    shards = "\n".join(sorted(path.name for path in crops.glob("*.tfrecord")))
    groups = read_training_groups(weights)
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
        training_groups=None if groups is None else groups.to_json(),
    )


def _calibration_crops(crops: Path, profile: Profile) -> np.ndarray:
    """Return a seeded random sample of the training crops, (N, S, S, 3) uint8."""
    total = tfrecords.count(crops, "train")
    count = min(total, profile.conversion.calibration_crops)
    indices = set(np.random.default_rng(profile.conversion.seed).choice(total, count, replace=False).tolist())
    return np.stack([crop.pixels for crop in tfrecords.read(crops, "train", indices)])


if __name__ == "__main__":
    run(convert)
