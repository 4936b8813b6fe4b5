import cv2
import keras
import numpy as np
import pytest

from splitpose import models
from splitpose.crops.geometry import CropRegion, crop_region
from splitpose.errors import InputError
from splitpose.evaluation import predictions
from splitpose.export.tflite import convert_to_tflite
from splitpose.inference.crop_pose import predict
from splitpose.inference.runtime import Runtime


@pytest.fixture(scope="module", params=["baseline", "final"])
def file(request, tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = models.build(request.param, 64, 0.25, momentum=0.0)
    model(np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3)).astype(np.float32), training=True)
    path = tmp_path_factory.mktemp("model") / f"{request.param}.tflite"
    path.write_bytes(convert_to_tflite(model, "float32", np.empty(0)))
    return path


def test_heatmap_prediction_lies_in_its_region(file):
    picture = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    joints, confidence = predict(Runtime(file), picture, CropRegion(150, 100, 80))
    assert joints.shape == (11, 2)
    if file.stem == "final":
        assert (np.abs(joints - [150, 100]) <= 40).all()
        assert ((confidence >= 0) & (confidence <= 1)).all()
    else:
        assert np.isnan(confidence).all()


def test_no_tflite_file(tmp_path):
    with pytest.raises(InputError, match=r"x.tflite: no such TFLite file"):
        Runtime(tmp_path / "x.tflite")
    (tmp_path / "x.tflite").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x.tflite: not a TFLite file that runs here"):
        Runtime(tmp_path / "x.tflite")


def test_real_film_frames_go_through_crop_and_prediction(file, shared):
    """FLIC's two frames: the crop holds all joints, and predictions come back into the picture's pixels."""
    import pandas as pd

    from splitpose.annotations import JOINT_COLUMNS
    from splitpose.crops.augmentation import extract_crop
    from splitpose.crops.geometry import ImagePyramid
    from splitpose.crops.instances import Instance

    rows = pd.read_csv(shared / "flic" / "annotations_of_images.csv")
    truth = rows[JOINT_COLUMNS].to_numpy().reshape(-1, 11, 2)
    for name, joints in zip(rows["image"], truth, strict=True):
        picture = cv2.imread(str(shared / "flic" / "images" / name))
        region = crop_region(joints, np.full(4, np.nan), "joints", 1.5)
        crop = extract_crop(Instance(name, name, picture.shape[1::-1], joints, region), ImagePyramid(picture), 64)
        assert ((crop.joints >= -0.5) & (crop.joints <= 63.5)).all()
        np.testing.assert_allclose(predictions.in_pictures([crop], crop.joints[None])[0], joints, atol=1e-9)
        predicted, _ = predict(Runtime(file), picture, region)
        assert np.isfinite(predicted).all()
