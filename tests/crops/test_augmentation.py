import numpy as np
import pytest

from splitpose.crops.augmentation import extract_augmented_crop, extract_crop
from splitpose.crops.geometry import CropRegion, ImagePyramid, apply_affine
from splitpose.crops.instances import Instance
from splitpose.settings import Crops
from splitpose.skeleton import INDEX

REGION = CropRegion(100, 100, 80)


def crop_settings(**changes):
    values = {
        "size": 64, "region_from": "joints", "padding": 1.5, "copies_per_instance": 2,
        "rotation": 30.0, "scale": (0.75, 1.25),
        "shift": 0.1, "horizontal_flip_prob": 0.5, "brightness": 0.3, "seed": 1, "instances_per_shard": 1,
    }  # fmt: skip
    return Crops(**(values | changes))


NO_AUGMENTATION = {
    "rotation": 0.0, "scale": (1.0, 1.0), "shift": 0.0, "horizontal_flip_prob": 0.0, "brightness": 0.0,
}  # fmt: skip


def image():
    return ImagePyramid(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8))


def random_joints():
    return np.random.default_rng(1).uniform(70, 130, (11, 2))


def augment(id, joints, settings, copy=0):
    return extract_augmented_crop(Instance(id, "a.png", (200, 200), joints, REGION), image(), settings, copy)


def crop_without_augmentation():
    return extract_crop(Instance("a", "a.png", (200, 200), random_joints(), REGION), image(), 64)


def test_crop_without_augmentation_is_not_flipped():
    crop = crop_without_augmentation()
    np.testing.assert_allclose(crop.joints, apply_affine(crop.to_crop, random_joints()))
    assert crop.pixels.shape == (64, 64, 3)


def test_horizontal_flip_swaps_left_and_right():
    original = augment("a", random_joints(), crop_settings(**NO_AUGMENTATION))
    flipped = augment("a", random_joints(), crop_settings(**NO_AUGMENTATION | {"horizontal_flip_prob": 1.0}))
    left, right = original.joints[INDEX["lwri"]], flipped.joints[INDEX["rwri"]]
    np.testing.assert_allclose(right, [63 - left[0], left[1]])
    nose = original.joints[INDEX["nose"]]
    np.testing.assert_allclose(flipped.joints[INDEX["nose"]], [63 - nose[0], nose[1]])
    np.testing.assert_array_equal(flipped.pixels, original.pixels[:, ::-1])


def test_augmentation_depends_on_seed_id_and_copy_only():
    def pixels(id="a", copy=0, seed=1):
        return augment(id, random_joints(), crop_settings(seed=seed), copy).pixels

    np.testing.assert_array_equal(pixels(), pixels())
    for other in (pixels(id="b"), pixels(copy=1), pixels(seed=2)):
        assert (other != pixels()).any()


def test_rotation_and_scale_are_within_the_settings():
    for copy in range(200):
        crop = augment("a", random_joints(), crop_settings(horizontal_flip_prob=0.0, shift=0.0), copy)
        linear = crop.to_crop[:, :2]
        assert 0.75 <= np.sqrt(np.linalg.det(linear)) / (64 / 80) <= 1.25
        assert abs(np.degrees(np.arctan2(linear[1, 0], linear[0, 0]))) <= 30


def test_missing_joint_stays_missing():
    joints = random_joints()
    joints[INDEX["lwri"]] = np.nan
    crop = augment("a", joints, crop_settings(horizontal_flip_prob=1.0))
    assert np.isnan(crop.joints[INDEX["rwri"]]).all()
    assert np.isfinite(crop.joints).sum() == 20


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_colours_change_only_with_colour_jitter(strength):
    settings = crop_settings(**NO_AUGMENTATION | {"brightness": strength})
    pixels = augment("a", random_joints(), settings).pixels
    assert (pixels == crop_without_augmentation().pixels).all() == (strength == 0.0)
