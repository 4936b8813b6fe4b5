"""convert: convert a variant to TFLite files, score each of them on the same test crops as the Keras model, and
calibrate the confidence below which each of them finds no person.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from splitpose import annotations, models
from splitpose.codecs import Codec
from splitpose.crops import tfrecords
from splitpose.crops.crop import Crop
from splitpose.data.training_groups_files import read_training_groups
from splitpose.errors import InputError
from splitpose.evaluation import predictions
from splitpose.evaluation.pck import normalised_errors, pck
from splitpose.export.detection_images import SPLITS, DetectionImages
from splitpose.export.parity import check_parity
from splitpose.export.person_detection import NOT_CALIBRATED, DetectionScores, calibrate, score_images
from splitpose.export.tflite import convert_to_precisions
from splitpose.files import atomic_file, write_json
from splitpose.inference.metadata import Metadata, describe_codec, embed_metadata
from splitpose.inference.pose_model import PoseModel
from splitpose.models.from_profile import build_codec, build_seeded_model
from splitpose.models.predict import predict
from splitpose.settings import PRECISIONS, Precision, Profile
from splitpose.stages.command import run

logger = logging.getLogger(__name__)

THREADS = 2
"""Threads of the interpreters; they do not change the outputs."""


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
    profile: Profile,
    variant: str,
    data: Path,
    table: Path,
    crops: Path,
    weights: Path,
    out: Path,
    parity: Path,
    detection: Path,
) -> None:
    """Convert a variant, compare each file with the Keras model and calibrate its person threshold."""
    model = models.load_weights(build_seeded_model(variant, profile), weights)
    codec = build_codec(variant, profile)
    annotated = annotations.read(table)
    contents = dict(
        zip(PRECISIONS, convert_to_precisions(model, PRECISIONS, _calibration_crops(crops, profile)), strict=True)
    )
    metadata = {
        precision: _metadata(profile, variant, precision, codec, weights, crops) for precision in PRECISIONS
    }
    paths = {precision: out / f"{precision}.tflite" for precision in PRECISIONS}
    for precision, path in paths.items():
        _write(path, contents[precision], metadata[precision])
    files = {precision: PoseModel.load(path, THREADS, metadata_required=True) for precision, path in paths.items()}
    results = _compare_with_keras(variant, model, files, _read_test_set(profile, codec, annotated, crops))
    try:
        check_parity(variant, results, profile.conversion)
        detections = _calibrate(files, DetectionImages(annotated, data, profile.person_detection))
    except InputError:
        for path in paths.values():  # files that failed the check, or have no person threshold, must not be used
            path.unlink()
        raise
    for precision, path in paths.items():
        threshold = detections[precision]["threshold"]
        _log_detection(variant, precision, detections[precision])
        _write(path, contents[precision], metadata[precision].model_copy(update={"person_threshold": threshold}))
        results[precision]["bytes"] = path.stat().st_size
    write_json(results, parity)
    is_rendered = profile.person_detection.background_images is None
    write_json({"empty_images": "rendered" if is_rendered else "photographs", "files": detections}, detection)


def _read_test_set(profile: Profile, codec: Codec, annotated: pd.DataFrame, crops: Path) -> TestSet:
    test_crops = list(tfrecords.read(crops, "test"))
    ground_truth = predictions.ground_truth(annotated, [crop.id for crop in test_crops])
    return TestSet(test_crops, ground_truth, codec, profile.scoring.torso_joints)


def _compare_with_keras(
    variant: str, model: keras.Model, files: dict[Precision, PoseModel], test_set: TestSet
) -> dict[Precision, dict[str, Any]]:
    """Return the scores of each file and of the Keras model on the test crops, and their largest difference."""
    pixels = test_set.pixels
    keras_outputs = predict(model, pixels)
    keras_pck = test_set.mean_pck(keras_outputs)
    results: dict[Precision, dict[str, Any]] = {}
    for precision, file in files.items():
        outputs = file.run(pixels)
        results[precision] = {
            "pck_0.2_mean": test_set.mean_pck(outputs),
            "keras_pck_0.2_mean": keras_pck,
            "test_instances": len(pixels),
            "max_difference": round(float(np.abs(outputs - keras_outputs).max()), 6),
        }
        logger.info(
            f"{variant}: {precision}: mean PCK@0.2 on all {len(pixels)} test instances: "
            f"{results[precision]['pck_0.2_mean']:.1f} (Keras {keras_pck:.1f})"
        )
    return results


def _write(path: Path, content: bytes, metadata: Metadata) -> None:
    with atomic_file(path) as temporary:
        temporary.write_bytes(embed_metadata(content, metadata))


def _calibrate(files: dict[Precision, PoseModel], images: DetectionImages) -> dict[Precision, dict[str, Any]]:
    """Choose the person threshold of each file and count its errors; a file without confidence has none."""
    if not all(model.has_confidence for model in files.values()):
        return dict.fromkeys(files, NOT_CALIBRATED)
    models = list(files.values())
    scores = {
        split: (score_images(models, images.people(split)), score_images(models, images.empty(split)))
        for split in SPLITS
    }
    return {
        precision: calibrate(*(DetectionScores(people[index], empty[index]) for people, empty in scores.values()))
        for index, precision in enumerate(files)
    }


def _log_detection(variant: str, precision: Precision, result: dict[str, Any]) -> None:
    if result["threshold"] is None:
        return
    errors = result["test"]
    logger.info(
        f"{variant}: {precision}: person threshold {result['threshold']:.3f}: misses {errors['misses']} of "
        f"{errors['people']} test images with people, false alarms in {errors['false_alarms']} of "
        f"{errors['empty']} images without"
    )


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
