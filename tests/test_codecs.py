import numpy as np
import pytest

from splitpose import models
from splitpose.codecs import STRIDE, Coordinates, Heatmaps, infer_codec


def test_encoding_of_coordinates():
    codec = Coordinates(size=4)
    # A crop of 4 px spans -0.5 to 3.5: its corner is at -0.5 sides from its centre, its centre at 0.
    np.testing.assert_allclose(codec.encode(np.array([[[-0.5, 3.5], [1.5, 1.5]]])), [[[-0.5, 0.5], [0, 0]]])


def test_coordinates_round_trip():
    codec = Coordinates(size=96)
    joints = np.random.default_rng(0).uniform(-5, 100, (3, 11, 2)).astype(np.float32)
    np.testing.assert_allclose(codec.decode(codec.encode(joints)), joints, atol=1e-4)


def test_peak_and_width_of_an_encoded_heatmap():
    codec = Heatmaps(size=32, fwhm=3.0)
    # The centre of heatmap px (2, 5) is at 4 * 2 + 1.5 and 4 * 5 + 1.5 of the crop.
    maps = np.asarray(codec.encode(np.array([[[9.5, 21.5]]], np.float32)))
    assert maps.shape == (1, 8, 8, 1)
    assert maps[0, 5, 2, 0] == pytest.approx(1.0)
    # Full width at half maximum 3: at a distance of 1.5 px it is 1/2, at 1 px 2 ** -(1 / 1.5) ** 2.
    assert maps[0, 5, 3, 0] == pytest.approx(2 ** -((1 / 1.5) ** 2), rel=1e-5)
    assert maps[0, 6, 3, 0] == pytest.approx(maps[0, 5, 3, 0] ** 2, rel=1e-5)


def test_heatmap_round_trip_is_within_half_a_heatmap_pixel():
    codec = Heatmaps(size=96, fwhm=3.0)
    joints = np.random.default_rng(1).uniform(0, 95, (4, 11, 2)).astype(np.float32)
    decoded = codec.decode(np.asarray(codec.encode(joints)))
    assert np.abs(decoded - joints).max() <= 2.0 + 1e-4


@pytest.mark.parametrize("width", [3.0, 5.0])
def test_dark_is_accurate_to_a_hundredth_of_a_heatmap_pixel(width):
    """Wherever the peak is, also on the border and a little outside."""
    codec = Heatmaps(96, width, "dark")
    rng = np.random.default_rng(0)
    inside = rng.uniform(-2, 97, (8, 11, 2))  # crop px; in heatmap px from -1 to 24
    corners = np.array([[-2, -2], [97, 97], [-2, 97], [1.5, 1.5], [93.5, 1.5], [0, 50], [50, 95], [3.5, 5.5]])
    joints = np.concatenate([inside, np.tile(corners[:, None], (1, 11, 1))]).astype(np.float32)
    decoded = codec.decode(np.asarray(codec.encode(joints)))
    assert decoded.dtype == np.float32
    assert np.abs(decoded - joints).max() < 0.01 * STRIDE


def test_dark_of_known_heights():
    """Log2 of the heights is -2, 0, -1 in the row: the maximum is at +1/6; and -3, 0, -3 in the column: at 0."""
    maps = np.zeros((1, 8, 8, 1), np.float32)
    rows, columns = 2.0 ** np.array([-3, 0, -3]), 2.0 ** np.array([-2, 0, -1])
    maps[0, 3:6, 2:5, 0] = rows[:, None] * columns
    unsmoothed = Heatmaps(32, 0.1, "dark")  # so narrow that neighbouring pixels have no weight
    np.testing.assert_allclose(unsmoothed.decode(maps), [[[4 * (3 + 1 / 6) + 1.5, 4 * 4 + 1.5]]], atol=1e-4)


def test_dark_of_a_diagonal_peak():
    """The maximum of a peak that is elongated diagonally cannot be found axis by axis."""
    x, y = np.meshgrid(np.arange(24), np.arange(24))
    along, across = (x - 10.3 + y - 12.4) / np.sqrt(2), (x - 10.3 - y + 12.4) / np.sqrt(2)
    maps = np.exp(-(along**2) / 18 - across**2 / 8)[None, ..., None].astype(np.float32)
    decoded = (Heatmaps(96, 3.0, "dark").decode(maps) - 1.5) / STRIDE
    np.testing.assert_allclose(decoded, [[[10.3, 12.4]]], atol=0.01)


def test_dark_tolerates_noise_and_low_peaks():
    codec = Heatmaps(96, 5.0, "dark")
    rng = np.random.default_rng(2)
    joints = rng.uniform(8, 88, (8, 11, 2)).astype(np.float32)
    maps = 0.3 * np.asarray(codec.encode(joints)) + rng.normal(0, 0.01, (8, 24, 24, 11)).astype(np.float32)
    argmax = Heatmaps(96, 5.0).decode(maps)
    # Noise makes a neighbour of the true pixel the highest one; smoothing finds the maximum nevertheless.
    assert np.abs(argmax - joints).max() > 0.5 * STRIDE
    assert np.abs(codec.decode(maps) - joints).max() < 0.25 * STRIDE


@pytest.mark.parametrize("level", [0.0, -0.2, 0.3, np.nan])
def test_flat_heatmap_is_decoded_by_argmax(level):
    maps = np.full((2, 24, 24, 11), level, np.float32)
    np.testing.assert_array_equal(Heatmaps(96, 3.0, "dark").decode(maps), Heatmaps(96, 3.0).decode(maps))
    np.testing.assert_array_equal(Heatmaps(96, 3.0).decode(maps), np.full((2, 11, 2), 1.5))


def test_dark_stays_within_a_heatmap_pixel_of_the_highest_one():
    """This holds for any heatmap, and the position is finite."""
    rng = np.random.default_rng(3)
    for maps in (rng.normal(0, 1, (64, 24, 24, 11)), 1e6 * rng.random((64, 8, 8, 11)), -rng.random((4, 8, 8, 11))):
        size = maps.shape[1] * STRIDE
        maps = maps.astype(np.float32)
        dark, argmax = Heatmaps(size, 3.0, "dark").decode(maps), Heatmaps(size, 3.0).decode(maps)
        assert np.isfinite(dark).all()
        assert np.abs(dark - argmax).max() <= STRIDE + 1e-4


def test_batch_is_decoded_like_single_heatmaps():
    maps = np.random.default_rng(4).random((5, 24, 24, 11)).astype(np.float32)
    codec = Heatmaps(96, 3.0, "dark")
    single = np.concatenate([codec.decode(heatmaps[None]) for heatmaps in maps])
    np.testing.assert_allclose(codec.decode(maps), single, atol=1e-3)


def test_heatmap_of_a_joint_outside_the_crop_has_no_peak():
    maps = np.asarray(Heatmaps(size=32, fwhm=3.0).encode(np.array([[[-40.0, 10.0]]], np.float32)))
    assert maps.max() < 1e-3


def test_confidence():
    maps = np.zeros((1, 8, 8, 2), np.float32)
    maps[0, 3, 3, 0], maps[0, 1, 1, 1] = 0.7, 1.4
    np.testing.assert_allclose(Heatmaps(32, 3.0).confidence(maps), [[0.7, 1.0]])
    assert np.isnan(Coordinates(32).confidence(np.zeros((1, 11, 2)))).all()


def test_codec_is_inferred_from_the_shape_of_the_outputs():
    assert infer_codec(np.zeros((1, 11, 2)), 96) == Coordinates(96)
    assert infer_codec(np.zeros((1, 24, 24, 11)), 96) == Heatmaps(96, 0.0, "argmax")


def test_codec_of_a_variant():
    assert models.build_codec("final", 96) == Heatmaps(96, 3.0, "argmax")
    assert models.build_codec("final", 96, 5.0, "dark") == Heatmaps(96, 5.0, "dark")
    assert models.build_codec("baseline", 96, 5.0, "dark") == Coordinates(96)
