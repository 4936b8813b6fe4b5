from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from support import web_models

from splitpose import models
from splitpose.codecs import Coordinates, Heatmaps
from splitpose.crops.geometry import CropRegion, ImagePyramid, crop_region
from splitpose.errors import InputError
from splitpose.evaluation import predictions
from splitpose.export.tflite import convert_to_tflite
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.inference.pose_model import DEFAULT_PADDING, EMPTY_POSE, PoseModel, Prediction

pytestmark = pytest.mark.integration

REGION = CropRegion(95, 100, 170)
"""The region of all dots in `web_models.image`."""


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> dict[str, bytes]:
    """TFLite files without metadata, with outputs of several kinds."""
    import tensorflow as tf

    shape = (1, web_models.SIZE, web_models.SIZE, 3)
    return {
        "heatmaps": web_models.dots(half=False),
        "coordinates": web_models.convert(lambda crop: tf.zeros((1, 11, 2)) * tf.reduce_mean(crop), shape),
        "nine joints": web_models.convert(lambda crop: tf.zeros((1, 9, 2)) * tf.reduce_mean(crop), shape),
        "classes": web_models.convert(lambda crop: tf.zeros((1, 1000)) * tf.reduce_mean(crop), shape),
        "text": web_models.convert(lambda words: words + 1.0, (1, 128)),
    }


@pytest.fixture(scope="module", params=["baseline", "final"])
def variant(request, tmp_path_factory) -> tuple[str, PoseModel]:
    """A variant with random weights, as a TFLite file without metadata."""
    keras.utils.set_random_seed(0)
    model = models.build(request.param, 64, 0.25, momentum=0.0)
    model(np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32), training=True)
    path = tmp_path_factory.mktemp("model") / f"{request.param}.tflite"
    path.write_bytes(convert_to_tflite(model, "float32", np.empty(0)))
    return request.param, PoseModel.load(path)


def metadata(**changes) -> Metadata:
    values = {
        "variant": "dots",
        "precision": "float32",
        "viewpoint": "observer",
        "size": web_models.SIZE,
        "region_from": "joints",
        "padding": 1.25,
        "output": "heatmaps",
        "heatmap_fwhm": 3.0,
        "decoding": "dark",
        "weights_sha256": "a" * 64,
        "crops_sha256": "b" * 64,
    }
    return Metadata(**(values | changes))


def load(folder: Path, content: bytes, **options) -> PoseModel:
    (folder / "a.tflite").write_bytes(content)
    return PoseModel.load(folder / "a.tflite", **options)


def test_a_file_is_used_as_its_metadata_states(contents, tmp_path):
    model = load(tmp_path, embed_metadata(contents["heatmaps"], metadata()), metadata_required=True)
    assert model.metadata == metadata()
    assert model.codec == Heatmaps(web_models.SIZE, 3.0, "dark")
    assert (model.padding, model.joints_padding) == (1.25, 1.25)
    assert model.has_confidence
    assert model.regions_from_joints


def test_the_padding_of_a_detectors_box_is_not_used_for_joints(contents, tmp_path):
    model = load(tmp_path, embed_metadata(contents["heatmaps"], metadata(region_from="bbox", padding=1.1)))
    assert (model.padding, model.joints_padding) == (1.1, DEFAULT_PADDING)
    assert not model.regions_from_joints


def test_without_metadata_the_codec_is_inferred_from_the_output(contents, tmp_path):
    model = load(tmp_path, contents["coordinates"])
    assert model.codec == Coordinates(web_models.SIZE)
    assert not model.has_confidence
    assert (model.padding, model.regions_from_joints) == (DEFAULT_PADDING, True)
    assert load(tmp_path, contents["heatmaps"]).has_confidence


def test_missing_metadata_is_reported_where_it_is_required(contents, tmp_path):
    with pytest.raises(InputError, match=r"a.tflite: has no splitpose metadata"):
        load(tmp_path, contents["heatmaps"], metadata_required=True)


def test_joints_and_confidence_in_a_region(contents, tmp_path):
    model = load(tmp_path, embed_metadata(contents["heatmaps"], metadata()))
    prediction = model.predict_region(ImagePyramid(web_models.image()), REGION)
    assert prediction.region == REGION
    assert prediction.joints == pytest.approx(web_models.JOINT_POSITIONS, abs=2)
    assert (prediction.confidence > 0.9).all()
    assert prediction.mean_confidence == pytest.approx(prediction.confidence.mean())
    grey = ImagePyramid(np.full_like(web_models.image(), web_models.GREY))
    assert model.predict_region(grey, REGION).mean_confidence < 0.1


def test_a_batch_of_crops_has_the_outputs_of_its_crops(contents, tmp_path):
    model = load(tmp_path, contents["heatmaps"])
    shape = (3, web_models.SIZE, web_models.SIZE, 3)
    crops = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    outputs = model.run(crops)
    assert outputs.shape == (3, web_models.SIZE // 4, web_models.SIZE // 4, 11)
    np.testing.assert_array_equal(outputs[1:2], model.run(crops[1:2]))


def test_instances_are_predicted_in_their_images(contents, tmp_path):
    from splitpose.crops.instances import Instance

    model = load(tmp_path, embed_metadata(contents["heatmaps"], metadata()))
    image = web_models.image()
    cv2.imwrite(str(tmp_path / "a.png"), image)
    cv2.imwrite(str(tmp_path / "b.png"), np.roll(image, 10, axis=1))
    regions = {"a.png": [REGION, CropRegion(100, 95, 180)], "b.png": [CropRegion(105, 100, 170)]}
    instances = [
        Instance("id", path, image.shape[1::-1], web_models.JOINT_POSITIONS, region)
        for path, in_image in regions.items()
        for region in in_image
    ]
    joints = model.predict_instances(instances, tmp_path)
    assert joints.shape == (3, 11, 2)
    for prediction, offset in zip(joints, (0, 0, 10), strict=True):
        assert prediction == pytest.approx(web_models.JOINT_POSITIONS + [offset, 0], abs=2)
    (tmp_path / "b.png").unlink()
    with pytest.raises(InputError, match=r"b.png: no such image"):
        model.predict_instances(instances, tmp_path)


def test_mean_confidence_computed_manually():
    confidence = np.array([1.0] * 5 + [0.5] * 6)
    assert Prediction(np.zeros((11, 2)), confidence, None).mean_confidence == pytest.approx(8 / 11)
    assert np.isnan(EMPTY_POSE.mean_confidence)


@pytest.mark.parametrize("kind", ["nine joints", "classes", "text"])
def test_other_models_are_rejected(contents, tmp_path, kind):
    with pytest.raises(InputError) as error:
        load(tmp_path, contents[kind])
    assert str(error.value).startswith(
        f"{tmp_path / 'a.tflite'}: is not one of splitpose's models: its outputs are (1, "
    )
    assert str(error.value).endswith("; `splitpose benchmark` measures any TFLite file")
    assert "\n" not in str(error.value)


def test_metadata_that_does_not_match_the_file_is_reported(contents, tmp_path):
    with pytest.raises(InputError, match=r"a.tflite: does not match its metadata; convert the model again"):
        load(tmp_path, embed_metadata(contents["coordinates"], metadata()))
    with pytest.raises(InputError, match=r"a.tflite: predicts other joints \(head, tail\); train the model again"):
        load(tmp_path, embed_metadata(contents["heatmaps"], metadata(joints=("head", "tail"))))


def test_damaged_and_missing_files_are_reported(contents, tmp_path):
    for content in (b"", b"text", contents["heatmaps"][:1000]):
        with pytest.raises(InputError, match=r"a.tflite: "):
            load(tmp_path, content)
    with pytest.raises(InputError, match=r"gone.tflite: no such TFLite file"):
        PoseModel.load(tmp_path / "gone.tflite")


def test_predicted_joints_are_in_the_region(variant):
    name, model = variant
    image = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    prediction = model.predict_region(ImagePyramid(image), CropRegion(150, 100, 80))
    assert prediction.joints.shape == (11, 2)
    if name == "final":
        assert (np.abs(prediction.joints - [150, 100]) <= 40).all()
        assert ((prediction.confidence >= 0) & (prediction.confidence <= 1)).all()
    else:
        assert np.isnan(prediction.confidence).all()


def test_real_film_frames_are_cropped_and_predicted(variant, shared):
    """FLIC's two frames: the crop contains all joints, and predictions are mapped back to px of the image."""
    import pandas as pd

    from splitpose.annotations import JOINT_COLUMNS
    from splitpose.crops.augmentation import extract_crop
    from splitpose.crops.instances import Instance

    _, model = variant
    rows = pd.read_csv(shared / "flic" / "annotations_of_images.csv")
    ground_truth = rows[JOINT_COLUMNS].to_numpy().reshape(-1, 11, 2)
    for name, joints in zip(rows["image"], ground_truth, strict=True):
        image = cv2.imread(str(shared / "flic" / "images" / name))
        region = crop_region(joints, np.full(4, np.nan), "joints", 1.5)
        crop = extract_crop(Instance(name, name, image.shape[1::-1], joints, region), ImagePyramid(image), 64)
        assert ((crop.joints >= -0.5) & (crop.joints <= 63.5)).all()
        np.testing.assert_allclose(predictions.to_image([crop], crop.joints[None])[0], joints, atol=1e-9)
        assert np.isfinite(model.predict_region(ImagePyramid(image), region).joints).all()
