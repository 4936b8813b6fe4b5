import numpy as np
import pytest

from splitpose.crops.augmentation import extract_augmented_crop, extract_crop
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine
from splitpose.crops.instances import Instance
from splitpose.settings import Crops
from splitpose.skeleton import INDEX

REGION = CropRegion(100, 100, 80)


def settings(**changes):
    numbers = {
        "size": 64, "region_from": "joints", "padding": 1.5, "copies_per_instance": 2,
        "rotation": 30.0, "scale": (0.75, 1.25),
        "shift": 0.1, "horizontal_flip_prob": 0.5, "brightness": 0.3, "seed": 1, "instances_per_shard": 1,
    }  # fmt: skip
    return Crops(**(numbers | changes))


def picture():
    return np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)


def joints():
    return np.random.default_rng(1).uniform(70, 130, (11, 2))


def changed(id, points, settings, copy=0):
    return extract_augmented_crop(
        Instance(id, "a.png", (200, 200), points, REGION), ImagePyramid(picture()), settings, copy
    )


def unchanged():
    return extract_crop(Instance("a", "a.png", (200, 200), joints(), REGION), ImagePyramid(picture()), 64)


def test_plain_crop_keeps_sides():
    crop = unchanged()
    np.testing.assert_allclose(crop.joints, apply_affine(crop.to_crop, joints()))
    assert crop.pixels.shape == (64, 64, 3)


def test_mirroring_swaps_sides():
    still = {"rotation": 0.0, "scale": (1.0, 1.0), "shift": 0.0, "brightness": 0.0}
    as_is = changed("a", joints(), settings(**still, horizontal_flip_prob=0.0))
    mirrored = changed("a", joints(), settings(**still, horizontal_flip_prob=1.0))
    left, right = as_is.joints[INDEX["lwri"]], mirrored.joints[INDEX["rwri"]]
    np.testing.assert_allclose(right, [63 - left[0], left[1]])
    nose = as_is.joints[INDEX["nose"]]
    np.testing.assert_allclose(mirrored.joints[INDEX["nose"]], [63 - nose[0], nose[1]])
    np.testing.assert_array_equal(mirrored.pixels, as_is.pixels[:, ::-1])


def test_chance_depends_on_seed_id_and_copy_alone():
    def pixels(id="a", copy=0, seed=1):
        return changed(id, joints(), settings(seed=seed), copy).pixels

    np.testing.assert_array_equal(pixels(), pixels())
    for other in (pixels(id="b"), pixels(copy=1), pixels(seed=2)):
        assert (other != pixels()).any()


def test_turns_and_scales_within_the_settings():
    for copy in range(200):
        crop = changed("a", joints(), settings(horizontal_flip_prob=0.0, shift=0.0), copy)
        turn = crop.to_crop[:, :2]
        assert 0.75 <= np.sqrt(np.linalg.det(turn)) / (64 / 80) <= 1.25
        assert abs(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))) <= 30


def test_a_missing_joint_stays_missing():
    points = joints()
    points[INDEX["lwri"]] = np.nan
    crop = changed("a", points, settings(horizontal_flip_prob=1.0))
    assert np.isnan(crop.joints[INDEX["rwri"]]).all()
    assert np.isfinite(crop.joints).sum() == 20


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_light_changes_only_when_asked(strength):
    still = settings(rotation=0.0, scale=(1.0, 1.0), shift=0.0, horizontal_flip_prob=0.0, brightness=strength)
    same = (changed("a", joints(), still).pixels == unchanged().pixels).all()
    assert same == (strength == 0.0)
