from typing import Any

import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.evaluation import robustness as module
from splitpose.evaluation.robustness import PredictJoints, measure_robustness
from splitpose.skeleton import FLIP_INDICES, INDEX, JOINTS, PAIRS

SIZE = 96
# Observer-centric: left joints are right in the image. x, y of the left one; its partner mirrors it.
LEFT = {"lsho": (65, 35), "lelb": (76, 52), "lwri": (70, 70), "lhip": (58, 78), "leye": (54, 18)}
NOSE = (48, 26)
COLOURS = {
    "lsho": (255, 0, 0),
    "lelb": (0, 255, 0),
    "lwri": (0, 0, 255),
    "lhip": (255, 255, 0),
    "leye": (255, 0, 255),
    "nose": (0, 255, 255),
}
"""Colours of the joints; a joint and its partner on the other side share one."""


def people(count: int) -> np.ndarray:
    """Return (N, K, 2): one pose at integer px, each person at a different position."""
    pose = np.zeros((len(JOINTS), 2))
    for left, right in PAIRS:
        x, y = LEFT[left]
        pose[INDEX[left]], pose[INDEX[right]] = (x, y), (SIZE - x, y)
    pose[INDEX["nose"]] = NOSE
    return pose + np.random.default_rng(0).integers(-3, 4, (count, 1, 2))


def painted(truth: np.ndarray) -> np.ndarray:
    """Return crops with a blob of 3 px at each joint, in the joint's colour."""
    crops = np.zeros((len(truth), SIZE, SIZE, 3), np.uint8)
    for crop, joints in zip(crops, truth.astype(int), strict=True):
        for left, right in [*PAIRS, ("nose", "nose")]:
            for x, y in joints[[INDEX[left], INDEX[right]]]:
                crop[y - 1 : y + 2, x - 1 : x + 2] = COLOURS[left]
    return crops


def detect_blobs(crops: np.ndarray) -> np.ndarray:
    """Predict the positions of the blobs, however dark or blurred; the left of two is the one further right."""
    colours = np.array(list(COLOURS.values())) / 255
    found = np.zeros((len(crops), len(JOINTS), 2))
    for crop, joints in zip(crops.astype(float), found, strict=True):
        which = np.argmax(crop @ (colours / np.linalg.norm(colours, axis=1, keepdims=True)).T, axis=-1)
        bright = crop.max(axis=-1)
        seen = bright > 0.5 * bright.max()
        for number, left in enumerate(COLOURS):
            points = np.argwhere(seen & (which == number))[:, ::-1]
            if left == "nose":
                joints[INDEX[left]] = points.mean(axis=0)
                continue
            right_half = points[:, 0] > (points[:, 0].min() + points[:, 0].max()) / 2
            joints[INDEX[left]] = points[right_half].mean(axis=0)
            joints[FLIP_INDICES[INDEX[left]]] = points[~right_half].mean(axis=0)
    return found


def swap_axes(crops: np.ndarray) -> np.ndarray:
    return detect_blobs(crops)[..., ::-1]


def keep_sides_when_flipped(crops: np.ndarray) -> np.ndarray:
    """Predict sides as in the unflipped crops, also for flipped ones, which a mark identifies."""
    joints = detect_blobs(crops)
    mirrored = crops[:, 0, -1, 0] > 0
    return np.where(mirrored[:, None, None], joints[:, FLIP_INDICES], joints)


def double_coordinates(crops: np.ndarray) -> np.ndarray:
    return 2 * detect_blobs(crops)


def halve_coordinates(crops: np.ndarray) -> np.ndarray:
    return detect_blobs(crops) / 2


def predict_mean_pose(crops: np.ndarray) -> np.ndarray:
    """Predict the mean pose of centred people."""
    pose = people(1000).mean(axis=0)
    pose = (pose + (pose * [-1, 1] + [SIZE - 1, 0])[FLIP_INDICES]) / 2
    return np.broadcast_to(pose, (len(crops), *pose.shape))


def fail_in_the_dark(crops: np.ndarray) -> np.ndarray:
    dark = crops.max(axis=(1, 2, 3)) < 0.7 * 255
    return np.where(dark[:, None, None], 0.0, detect_blobs(crops))


def expect_blurred_crops(crops: np.ndarray) -> np.ndarray:
    sharp = crops.max(axis=(1, 2, 3)) == 255
    off = np.zeros((len(JOINTS), 2))
    off[[INDEX["lsho"], INDEX["rsho"]]] = 12, 0  # of a torso of 50 px: from 9 of 11 joints to all of them
    return detect_blobs(crops) + np.where(sharp[:, None, None], off, 0)


def measure(model: PredictJoints, count: int = 12) -> dict[str, Any]:
    truth = people(count)
    crops = painted(truth)
    crops[:, 0, 0, 0] = 1  # the mark: in the upper left corner, too dark for a blob
    return measure_robustness(model, crops, truth)


def test_perfect_model() -> None:
    found = measure(detect_blobs)
    assert found["n"] == 12
    assert found["flip_equivariance"] == {
        "median": 0.0,
        "within": {"0.1": 100.0, "0.2": 100.0},
        "criterion": "median at most 0.2 torso diameters",
        "passed": True,
    }
    assert list(found["shift_equivariance"]["steps"]) == ["2", "4", "8"]
    for step, figures in found["shift_equivariance"]["steps"].items():
        assert figures == {
            "px": int(step),
            "shift_ratio": 1.0,
            "median": 0.0,
            "within": {"0.1": 100.0, "0.2": 100.0},
        }
    assert found["darkening"]["pck_0.2"] == {"1": 100.0, "0.8": 100.0, "0.6": 100.0, "0.4": 100.0}
    assert list(found["blur"]["pck_0.2"]) == ["0", "1", "2", "3"]
    assert found["blur"]["pck_0.2"]["1"] == 100.0


@pytest.mark.parametrize(
    ("model", "failed"),
    [
        (detect_blobs, set()),
        (swap_axes, {"flip_equivariance", "shift_equivariance", "darkening", "blur"}),
        (keep_sides_when_flipped, {"flip_equivariance"}),
        (double_coordinates, {"flip_equivariance", "shift_equivariance", "darkening", "blur"}),
        (halve_coordinates, {"flip_equivariance", "darkening", "blur"}),
        (predict_mean_pose, {"shift_equivariance"}),
        (fail_in_the_dark, {"darkening", "blur"}),  # blurring a blob darkens it
        (expect_blurred_crops, {"darkening", "blur"}),
    ],
)
def test_criteria_that_a_model_fails(model: PredictJoints, failed: set[str]) -> None:
    found = measure(model)
    assert {name for name, check in found.items() if name != "n" and not check["passed"]} == failed


def test_metrics_of_broken_models() -> None:
    assert measure(swap_axes)["shift_equivariance"]["steps"]["8"]["shift_ratio"] == -1.0
    assert measure(double_coordinates)["shift_equivariance"]["steps"]["8"]["shift_ratio"] == 2.0
    assert measure(halve_coordinates)["shift_equivariance"]["steps"]["8"]["shift_ratio"] == 0.5
    still = measure(predict_mean_pose)["shift_equivariance"]["steps"]["8"]
    # 8 px right and 8 up, of a torso of lsho (65, 35) to rhip (38, 78).
    assert (still["shift_ratio"], still["median"]) == (0.0, round(8 * 2**0.5 / np.hypot(27, 43), 4))
    # Sides not swapped: the nose stays; of the others the eyes are nearest, 12 px apart.
    assert measure(keep_sides_when_flipped)["flip_equivariance"]["within"] == {"0.1": 9.0909, "0.2": 9.0909}


def test_unannotated_joints_and_people_without_a_torso_are_not_counted() -> None:
    truth = people(6)
    crops = painted(truth)
    truth[:, INDEX["nose"]] = np.nan
    truth[0, INDEX["lsho"]] = np.nan

    def no_nose(crops: np.ndarray) -> np.ndarray:
        joints = detect_blobs(crops)
        joints[:, INDEX["nose"]] = 0
        return joints

    found = measure_robustness(no_nose, crops, truth)
    assert found["flip_equivariance"]["median"] == 0.0
    assert found["shift_equivariance"]["steps"]["2"]["within"]["0.1"] == 100.0
    assert found["darkening"]["pck_0.2"]["1"] == 100.0
    assert np.isfinite(found["darkening"]["mean_pose"])


def test_no_torso_is_an_error() -> None:
    truth = people(2)
    crops = painted(truth)
    truth[:, INDEX["rhip"]] = np.nan
    with pytest.raises(InputError, match="no test instance has both lsho and rhip"):
        measure_robustness(detect_blobs, crops, truth)


def test_joints_that_leave_the_crop_are_not_counted() -> None:
    # The eyes, at a height of 18, are at 6 now, which 8 px up leaves; all others stay in.
    truth = people(1)
    up = truth[:, INDEX["leye"], 1] - 6
    truth = truth - [0, up[0]]
    counted: list[int] = []

    def eyes_elsewhere(crops: np.ndarray) -> np.ndarray:
        counted.append(len(crops))
        joints = np.array(truth)
        if len(counted) > 2:  # after the crops as they are and the mirrored ones: they were shifted
            joints += [[2, -2], [4, -4], [8, -8]][len(counted) - 3] if len(counted) < 6 else [0, 0]
            joints[:, [INDEX["leye"], INDEX["reye"]]] += [0, 50]
        return joints

    steps = measure_robustness(eyes_elsewhere, painted(truth), truth)["shift_equivariance"]["steps"]
    assert steps["2"]["within"]["0.2"] == pytest.approx(100 * 9 / 11, abs=1e-4)
    assert steps["8"]["within"]["0.2"] == 100.0


def test_steps_grow_with_the_crop() -> None:
    truth = 2 * people(2)
    crops = np.repeat(np.repeat(painted(people(2)), 2, axis=1), 2, axis=2)

    def twice(crops: np.ndarray) -> np.ndarray:
        return 2 * detect_blobs(np.ascontiguousarray(crops[:, ::2, ::2])) + 0.5

    steps = measure_robustness(twice, crops, truth)["shift_equivariance"]["steps"]
    assert {name: step["px"] for name, step in steps.items()} == {"2": 4, "4": 8, "8": 16}
    assert steps["8"]["shift_ratio"] == 1.0


def test_shifted_content_calculated_manually() -> None:
    levels = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)
    (shifted,) = module._shift(np.repeat(levels[None, ..., None], 3, axis=-1), 1)
    assert shifted[..., 0].tolist() == [[4, 4, 5], [7, 7, 8], [7, 7, 8]]  # right and up, the edge repeated


def test_darkened_and_blurred_content_calculated_manually() -> None:
    seen: list[np.ndarray] = []

    def keep(crops: np.ndarray) -> np.ndarray:
        seen.append(crops)
        return detect_blobs(crops)

    truth = people(2)
    crops = painted(truth)
    module.darkening(keep, crops, truth, truth)
    assert [int(one.max()) for one in seen] == [204, 153, 102]  # the joints of the unchanged crops are known
    seen[:] = [crops]
    module.blur(keep, crops, truth, truth)
    assert len(seen) == 4
    sums = [one.astype(int).sum() for one in seen]
    np.testing.assert_allclose(sums, sums[0], rtol=0.1)  # light is spread, not lost
    assert [int(one.max()) for one in seen] == sorted((int(one.max()) for one in seen), reverse=True)
