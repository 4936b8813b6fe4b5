import numpy as np
import pytest

from splitpose.crops.geometry import (
    CropRegion,
    ImagePyramid,
    apply_affine,
    crop_affine,
    crop_region,
    full_image_region,
    invert_affine,
)


def test_region_of_joints():
    joints = np.full((11, 2), np.nan)
    joints[0], joints[1] = [10, 20], [30, 80]
    region = crop_region(joints, np.full(4, np.nan), "joints", padding=1.5)
    assert region == CropRegion(x=20.0, y=50.0, side=90.0)


def test_region_of_a_bounding_box():
    assert crop_region(np.zeros((11, 2)), np.array([0, 0, 100, 40.0]), "bbox", 2.0) == CropRegion(50.0, 20.0, 200.0)


def test_region_of_the_full_image():
    assert full_image_region(100, 60) == CropRegion(49.5, 29.5, 100)  # 20 px above and below the image
    assert full_image_region(60, 101) == CropRegion(29.5, 50, 101)
    assert full_image_region(1, 1) == CropRegion(0, 0, 1)


def test_corners_of_the_region_are_mapped_to_corners_of_the_crop():
    region = CropRegion(x=50, y=40, side=20)
    corners = np.array([[40, 30], [60, 30], [50, 40]])
    mapped = apply_affine(crop_affine(region, size=10), corners)
    np.testing.assert_allclose(mapped, [[-0.5, -0.5], [9.5, -0.5], [4.5, 4.5]])


def test_rotation_scale_shift_and_flip():
    region = CropRegion(x=0, y=0, side=10)
    right = np.array([2.0, 0.0])
    centre = np.array([4.5, 4.5])
    np.testing.assert_allclose(apply_affine(crop_affine(region, 10, rotation=90), right), centre + [0, 2])
    np.testing.assert_allclose(apply_affine(crop_affine(region, 10, scale=2), right), centre + [4, 0])
    np.testing.assert_allclose(apply_affine(crop_affine(region, 10, shift=(0.1, 0.2)), right), centre + [3, 2])
    np.testing.assert_allclose(apply_affine(crop_affine(region, 10, flip=True), right), centre + [-2, 0])


def test_affine_round_trip():
    affine = crop_affine(CropRegion(123.4, 234.5, 87.6), 96, rotation=21, scale=1.2, shift=(0.03, -0.04), flip=True)
    points = np.random.default_rng(0).uniform(0, 720, (50, 2))
    np.testing.assert_allclose(apply_affine(invert_affine(affine), apply_affine(affine, points)), points, atol=1e-9)


@pytest.mark.parametrize("side", [32, 96, 320])
@pytest.mark.parametrize("flip", [False, True])
def test_warped_dot_is_at_the_mapped_position(side, flip):
    image = np.zeros((400, 400, 3), np.uint8)
    radius = max(1, side // 32)
    image[200 - radius : 201 + radius, 220 - radius : 221 + radius] = 255
    affine = crop_affine(CropRegion(210, 205, side), 64, rotation=20, flip=flip)
    crop = ImagePyramid(image).warp(affine, 64).mean(axis=2)
    weight = crop / crop.sum()
    rows, columns = np.mgrid[:64, :64]
    centre = np.array([(weight * columns).sum(), (weight * rows).sum()])
    np.testing.assert_allclose(centre, apply_affine(affine, np.array([220.0, 200.0])), atol=0.1)


def test_pixels_outside_the_image_are_black():
    crop = ImagePyramid(np.full((20, 20, 3), 200, np.uint8)).warp(crop_affine(CropRegion(0, 0, 20), 20), 20)
    assert crop[0, 0].tolist() == [0, 0, 0]
    assert crop[15, 15].tolist() == [200, 200, 200]


def test_crops_of_one_image_are_independent():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    affines = [crop_affine(CropRegion(150, 150, side), 32, rotation=10) for side in (40, 200, 90, 200)]
    shared = ImagePyramid(pixels)
    for affine in affines:
        np.testing.assert_array_equal(shared.warp(affine, 32), ImagePyramid(pixels).warp(affine, 32))
