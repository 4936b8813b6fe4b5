import numpy as np

from splitpose.codecs import Coordinates, Heatmaps
from splitpose.evaluation.decoding import decode_all, select_headline
from splitpose.skeleton import FLIP_INDICES, INDEX

SIZE = 32


def people(count):
    return np.random.default_rng(0).uniform(4, SIZE - 5, (count, 11, 2)).astype(np.float32)


def flip(joints):
    """Flip joints horizontally: x becomes SIZE - 1 - x, because pixel centres are at integers, and sides swap."""
    return joints[:, FLIP_INDICES] * np.array([-1, 1], np.float32) + np.array([SIZE - 1, 0], np.float32)


def test_flipped_outputs_of_a_perfect_model_equal_its_outputs():
    joints = people(3)
    for codec in (Coordinates(SIZE), Heatmaps(SIZE, 3.0)):
        outputs, flipped_outputs = (np.asarray(codec.encode(one)) for one in (joints, flip(joints)))
        np.testing.assert_allclose(codec.flip(flipped_outputs), outputs, atol=1e-5)


def test_flip_test_of_coordinates_calculated_manually():
    codec = Coordinates(SIZE)
    # The model predicts the nose 1 px too far right in the crop, and 3 px too far right in the flipped one,
    # which is 3 px too far left in the crop: on average 1 px too far left.
    truth = people(1)
    nose = np.zeros((11, 2), np.float32)
    nose[INDEX["nose"], 0] = 1
    outputs = np.asarray(codec.encode(truth + nose))
    flipped_outputs = np.asarray(codec.encode(flip(truth) + 3 * nose))
    plain, flipped = decode_all(codec, outputs, flipped_outputs)
    assert (plain.name, flipped.name) == ("coordinates", "coordinates + flip test")
    np.testing.assert_allclose(plain.joints - truth, nose[None], atol=1e-4)
    np.testing.assert_allclose(flipped.joints - truth, -nose[None], atol=1e-4)


def test_heatmaps_have_four_decodings():
    codec = Heatmaps(SIZE, 3.0)
    truth = people(2)
    outputs, flipped_outputs = (np.asarray(codec.encode(one)) for one in (truth, flip(truth)))
    decoded = {one.name: one.joints for one in decode_all(codec, outputs, flipped_outputs)}
    assert list(decoded) == ["argmax", "argmax + flip test", "dark", "dark + flip test"]
    for name, joints in decoded.items():
        worst = np.abs(joints - truth).max()
        assert worst < 0.1 if "dark" in name else 0.5 < worst <= 2.01  # half a heatmap px is 2 px of the crop


def test_headline_is_selected_by_the_settings():
    truth = people(1)
    for codec, name in ((Heatmaps(SIZE, 3.0), "dark + flip test"), (Coordinates(SIZE), "coordinates + flip test")):
        outputs, flipped_outputs = (np.asarray(codec.encode(one)) for one in (truth, flip(truth)))
        assert (
            select_headline(list(decode_all(codec, outputs, flipped_outputs)), "dark", flip_test=True).name == name
        )
