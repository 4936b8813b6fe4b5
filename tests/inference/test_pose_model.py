from pathlib import Path

import numpy as np
import pytest
from support import web_models as made

from splitpose.codecs import Coordinates, Heatmaps
from splitpose.crops.geometry import CropRegion, ImagePyramid
from splitpose.errors import InputError
from splitpose.inference import pose_model as models
from splitpose.inference.metadata import Metadata, embed_metadata
from splitpose.inference.pose_model import MARGIN, NOBODY, Look, Model


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, bytes]:
    """Content of a file of heatmaps and of one of coordinates, both without a card."""
    import tensorflow as tf

    shape = (1, made.SIZE, made.SIZE, 3)
    return {
        "heatmaps": made.dots(half=False),
        "coordinates": made.converted(lambda crop: tf.zeros((1, 11, 2)) * tf.reduce_mean(crop), shape),
        "nine joints": made.converted(lambda crop: tf.zeros((1, 9, 2)) * tf.reduce_mean(crop), shape),
        "classes": made.converted(lambda crop: tf.zeros((1, 1000)) * tf.reduce_mean(crop), shape),
        "text": made.converted(lambda words: words + 1.0, (1, 128)),
    }


def card(**changes) -> Metadata:
    fields = {
        "variant": "dots",
        "precision": "float32",
        "viewpoint": "observer",
        "size": made.SIZE,
        "region_from": "joints",
        "padding": 1.25,
        "output": "heatmaps",
        "heatmap_fwhm": 3.0,
        "decoding": "dark",
        "weights_sha256": "a" * 64,
        "crops_sha256": "b" * 64,
    }
    return Metadata(**(fields | changes))


def loaded(folder: Path, content: bytes) -> Model:
    (folder / "a.tflite").write_bytes(content)
    return models.load(folder / "a.tflite")


def test_a_file_is_read_as_its_card_says(files, tmp_path):
    model = loaded(tmp_path, embed_metadata(files["heatmaps"], card()))
    assert model.codec == Heatmaps(made.SIZE, 3.0, "dark")
    assert (model.margin, model.joints_margin) == (1.25, 1.25)
    assert model.gives_confidence
    assert model.boxes_are_of_joints


def test_a_margin_around_a_detectors_box_is_none_around_the_joints(files, tmp_path):
    model = loaded(tmp_path, embed_metadata(files["heatmaps"], card(region_from="bbox", padding=1.1)))
    assert (model.margin, model.joints_margin) == (1.1, MARGIN)
    assert not model.boxes_are_of_joints


def test_without_a_card_the_output_tells(files, tmp_path):
    model = loaded(tmp_path, files["coordinates"])
    assert model.codec == Coordinates(made.SIZE)
    assert not model.gives_confidence
    assert (model.margin, model.boxes_are_of_joints) == (MARGIN, True)
    assert loaded(tmp_path, files["heatmaps"]).gives_confidence


def test_it_finds_the_joints_in_a_square_and_says_how_sure_it_is(files, tmp_path):
    model = loaded(tmp_path, embed_metadata(files["heatmaps"], card()))
    look = model.look(ImagePyramid(made.picture()), CropRegion(95, 100, 170))
    assert look.joints == pytest.approx(made.PLACES, abs=2)
    assert (look.confidence > 0.9).all()
    assert look.sure == pytest.approx(look.confidence.mean())
    assert model.look(ImagePyramid(np.full_like(made.picture(), made.GREY)), CropRegion(95, 100, 170)).sure < 0.1


def test_how_sure_a_look_is_by_hand():
    confidence = np.array([1.0] * 5 + [0.5] * 6)
    assert Look(np.zeros((11, 2)), confidence, None).sure == pytest.approx(8 / 11)
    assert np.isnan(NOBODY.sure)


@pytest.mark.parametrize("kind", ["nine joints", "classes", "text"])
def test_what_is_no_pose_model_is_named(files, tmp_path, kind):
    with pytest.raises(InputError) as error:
        loaded(tmp_path, files[kind])
    assert str(error.value).startswith(f"{tmp_path / 'a.tflite'}: is no pose model")
    assert "\n" not in str(error.value)


def test_a_card_that_does_not_fit_its_file_is_told(files, tmp_path):
    with pytest.raises(InputError, match=r"a.tflite: does not do what its card says; convert the model anew"):
        loaded(tmp_path, embed_metadata(files["coordinates"], card()))
    with pytest.raises(InputError, match=r"a.tflite: finds other joints \(head, tail\); train the model anew"):
        loaded(tmp_path, embed_metadata(files["heatmaps"], card(joints=("head", "tail"))))


def test_damaged_and_missing_files_are_named(files, tmp_path):
    for content in (b"", b"text", files["heatmaps"][:1000]):
        with pytest.raises(InputError, match=r"a.tflite: "):
            loaded(tmp_path, content)
    with pytest.raises(InputError, match=r"gone.tflite: no such TFLite file"):
        models.load(tmp_path / "gone.tflite")
