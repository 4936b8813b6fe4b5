import numpy as np

from splitpose.codecs import Coordinates, Heatmaps
from splitpose.evaluation.decoding import headline, readings
from splitpose.skeleton import INDEX, FLIP_INDICES

SIZE = 32


def people(count):
    return np.random.default_rng(0).uniform(4, SIZE - 5, (count, 11, 2)).astype(np.float32)


def mirrored(joints):
    """Of the same crops mirrored: pixel centres are at integers, so x goes to SIZE - 1 - x, and sides swap."""
    return joints[:, FLIP_INDICES] * np.array([-1, 1], np.float32) + np.array([SIZE - 1, 0], np.float32)


def test_the_mirror_of_what_a_perfect_model_says_of_mirrored_crops_is_what_it_says_of_the_crops():
    joints = people(3)
    for codec in (Coordinates(SIZE), Heatmaps(SIZE, 3.0)):
        outputs, of_mirrored = (np.asarray(codec.encode(one)) for one in (joints, mirrored(joints)))
        np.testing.assert_allclose(codec.flip(of_mirrored), outputs, atol=1e-5)


def test_flip_test_of_coordinates_by_hand():
    codec = Coordinates(SIZE)
    # The model sees the nose 1 px too far right in the crop, and 3 px too far right in the mirrored one,
    # which is 3 px too far left in the crop: on average 1 px too far left.
    truth = people(1)
    nose = np.zeros((11, 2), np.float32)
    nose[INDEX["nose"], 0] = 1
    outputs = np.asarray(codec.encode(truth + nose))
    of_mirrored = np.asarray(codec.encode(mirrored(truth) + 3 * nose))
    plain, flipped = readings(codec, outputs, of_mirrored)
    assert (plain.name, flipped.name) == ("coordinates", "coordinates + flip test")
    np.testing.assert_allclose(plain.joints - truth, nose[None], atol=1e-4)
    np.testing.assert_allclose(flipped.joints - truth, -nose[None], atol=1e-4)


def test_heatmaps_are_read_in_four_ways():
    codec = Heatmaps(SIZE, 3.0)
    truth = people(2)
    outputs, of_mirrored = (np.asarray(codec.encode(one)) for one in (truth, mirrored(truth)))
    found = {one.name: one.joints for one in readings(codec, outputs, of_mirrored)}
    assert list(found) == ["argmax", "argmax + flip test", "dark", "dark + flip test"]
    for name, joints in found.items():
        worst = np.abs(joints - truth).max()
        assert worst < 0.1 if "dark" in name else 0.5 < worst <= 2.01  # half a heatmap px is 2 px of the crop


def test_headline_is_what_is_asked_for():
    truth = people(1)
    for codec, name in ((Heatmaps(SIZE, 3.0), "dark + flip test"), (Coordinates(SIZE), "coordinates + flip test")):
        outputs, of_mirrored = (np.asarray(codec.encode(one)) for one in (truth, mirrored(truth)))
        assert headline(list(readings(codec, outputs, of_mirrored)), "dark", flip_test=True).name == name
