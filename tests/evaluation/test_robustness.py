from typing import Any

import numpy as np
import pytest

from splitpose.errors import InputError
from splitpose.evaluation import robustness as module
from splitpose.evaluation.robustness import JointsOf, behaviour
from splitpose.skeleton import INDEX, JOINTS, FLIP_INDICES, PAIRS

SIZE = 96
# Observer-centric: left joints are right in the picture. x, y of the left one; its partner mirrors it.
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
"""Of a joint and its partner alike."""


def people(count: int) -> np.ndarray:
    """(N, K, 2): one pose at whole px, everybody a little elsewhere."""
    pose = np.zeros((len(JOINTS), 2))
    for left, right in PAIRS:
        x, y = LEFT[left]
        pose[INDEX[left]], pose[INDEX[right]] = (x, y), (SIZE - x, y)
    pose[INDEX["nose"]] = NOSE
    return pose + np.random.default_rng(0).integers(-3, 4, (count, 1, 2))


def painted(truth: np.ndarray) -> np.ndarray:
    """Crops with a blob of 3 px in its colour at each joint."""
    crops = np.zeros((len(truth), SIZE, SIZE, 3), np.uint8)
    for crop, joints in zip(crops, truth.astype(int), strict=True):
        for left, right in [*PAIRS, ("nose", "nose")]:
            for x, y in joints[[INDEX[left], INDEX[right]]]:
                crop[y - 1 : y + 2, x - 1 : x + 2] = COLOURS[left]
    return crops


def seeing(crops: np.ndarray) -> np.ndarray:
    """A model that finds the blobs, however dark or blurred; the left of two is the one further right."""
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


def axes_swapped(crops: np.ndarray) -> np.ndarray:
    return seeing(crops)[..., ::-1]


def sides_kept_in_the_mirror(crops: np.ndarray) -> np.ndarray:
    """Sides as in the crops as they were painted, also where those are mirrored: it knows them by a mark."""
    joints = seeing(crops)
    mirrored = crops[:, 0, -1, 0] > 0
    return np.where(mirrored[:, None, None], joints[:, FLIP_INDICES], joints)


def codec_doubles(crops: np.ndarray) -> np.ndarray:
    return 2 * seeing(crops)


def codec_halves(crops: np.ndarray) -> np.ndarray:
    return seeing(crops) / 2


def not_looking(crops: np.ndarray) -> np.ndarray:
    """The mean pose of people who stand in the middle."""
    pose = people(1000).mean(axis=0)
    pose = (pose + (pose * [-1, 1] + [SIZE - 1, 0])[FLIP_INDICES]) / 2
    return np.broadcast_to(pose, (len(crops), *pose.shape))


def blind_in_the_dark(crops: np.ndarray) -> np.ndarray:
    dark = crops.max(axis=(1, 2, 3)) < 0.7 * 255
    return np.where(dark[:, None, None], 0.0, seeing(crops))


def made_for_blurred_crops(crops: np.ndarray) -> np.ndarray:
    sharp = crops.max(axis=(1, 2, 3)) == 255
    off = np.zeros((len(JOINTS), 2))
    off[[INDEX["lsho"], INDEX["rsho"]]] = 12, 0  # of a torso of 50 px: from 9 of 11 joints to all of them
    return seeing(crops) + np.where(sharp[:, None, None], off, 0)


def checked(model: JointsOf, count: int = 12) -> dict[str, Any]:
    truth = people(count)
    crops = painted(truth)
    crops[:, 0, 0, 0] = 1  # the mark: in the upper left corner, too dark for a blob
    return behaviour(model, crops, truth)


def test_what_a_perfect_model_does() -> None:
    found = checked(seeing)
    assert found["n"] == 12
    assert found["mirrored"] == {
        "median": 0.0,
        "within": {"0.1": 100.0, "0.2": 100.0},
        "bound": "median at most 0.2 torso diameters",
        "holds": True,
    }
    assert list(found["shifted"]["steps"]) == ["2", "4", "8"]
    for step, figures in found["shifted"]["steps"].items():
        assert figures == {
            "px": int(step),
            "followed": 1.0,
            "median": 0.0,
            "within": {"0.1": 100.0, "0.2": 100.0},
        }
    assert found["darker"]["pck_0.2"] == {"1": 100.0, "0.8": 100.0, "0.6": 100.0, "0.4": 100.0}
    assert list(found["blurrier"]["pck_0.2"]) == ["0", "1", "2", "3"]
    assert found["blurrier"]["pck_0.2"]["1"] == 100.0


@pytest.mark.parametrize(
    ("model", "broken"),
    [
        (seeing, set()),
        (axes_swapped, {"mirrored", "shifted", "darker", "blurrier"}),
        (sides_kept_in_the_mirror, {"mirrored"}),
        (codec_doubles, {"mirrored", "shifted", "darker", "blurrier"}),
        (codec_halves, {"mirrored", "darker", "blurrier"}),
        (not_looking, {"shifted"}),
        (blind_in_the_dark, {"darker", "blurrier"}),  # blurring a blob darkens it
        (made_for_blurred_crops, {"darker", "blurrier"}),
    ],
)
def test_which_bounds_a_model_breaks(model: JointsOf, broken: set[str]) -> None:
    found = checked(model)
    assert {name for name, check in found.items() if name != "n" and not check["holds"]} == broken


def test_what_broken_models_do() -> None:
    assert checked(axes_swapped)["shifted"]["steps"]["8"]["followed"] == -1.0
    assert checked(codec_doubles)["shifted"]["steps"]["8"]["followed"] == 2.0
    assert checked(codec_halves)["shifted"]["steps"]["8"]["followed"] == 0.5
    still = checked(not_looking)["shifted"]["steps"]["8"]
    # 8 px right and 8 up, of a torso of lsho (65, 35) to rhip (38, 78).
    assert (still["followed"], still["median"]) == (0.0, round(8 * 2**0.5 / np.hypot(27, 43), 4))
    # Sides not swapped: the nose stays; of the others the eyes are nearest, 12 px apart.
    assert checked(sides_kept_in_the_mirror)["mirrored"]["within"] == {"0.1": 9.0909, "0.2": 9.0909}


def test_joints_that_nobody_has_and_people_without_a_torso_are_not_counted() -> None:
    truth = people(6)
    crops = painted(truth)
    truth[:, INDEX["nose"]] = np.nan
    truth[0, INDEX["lsho"]] = np.nan

    def no_nose(crops: np.ndarray) -> np.ndarray:
        joints = seeing(crops)
        joints[:, INDEX["nose"]] = 0
        return joints

    found = behaviour(no_nose, crops, truth)
    assert found["mirrored"]["median"] == 0.0
    assert found["shifted"]["steps"]["2"]["within"]["0.1"] == 100.0
    assert found["darker"]["pck_0.2"]["1"] == 100.0
    assert np.isfinite(found["darker"]["mean_pose"])


def test_nobody_with_a_torso_is_an_error() -> None:
    truth = people(2)
    crops = painted(truth)
    truth[:, INDEX["rhip"]] = np.nan
    with pytest.raises(InputError, match="nobody has both lsho and rhip"):
        behaviour(seeing, crops, truth)


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

    steps = behaviour(eyes_elsewhere, painted(truth), truth)["shifted"]["steps"]
    assert steps["2"]["within"]["0.2"] == pytest.approx(100 * 9 / 11, abs=1e-4)
    assert steps["8"]["within"]["0.2"] == 100.0


def test_steps_grow_with_the_crop() -> None:
    truth = 2 * people(2)
    crops = np.repeat(np.repeat(painted(people(2)), 2, axis=1), 2, axis=2)

    def twice(crops: np.ndarray) -> np.ndarray:
        return 2 * seeing(np.ascontiguousarray(crops[:, ::2, ::2])) + 0.5

    steps = behaviour(twice, crops, truth)["shifted"]["steps"]
    assert {name: step["px"] for name, step in steps.items()} == {"2": 4, "4": 8, "8": 16}
    assert steps["8"]["followed"] == 1.0


def test_shifted_content_by_hand() -> None:
    levels = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)
    (shifted,) = module._shifted(np.repeat(levels[None, ..., None], 3, axis=-1), 1)
    assert shifted[..., 0].tolist() == [[4, 4, 5], [7, 7, 8], [7, 7, 8]]  # right and up, the edge repeated


def test_darker_and_blurrier_content_by_hand() -> None:
    seen: list[np.ndarray] = []

    def keep(crops: np.ndarray) -> np.ndarray:
        seen.append(crops)
        return seeing(crops)

    truth = people(2)
    crops = painted(truth)
    module.darker(keep, crops, truth)
    assert [int(one.max()) for one in seen] == [255, 204, 153, 102]
    seen.clear()
    module.blurrier(keep, crops, truth)
    np.testing.assert_array_equal(seen[0], crops)
    sums = [one.astype(int).sum() for one in seen]
    np.testing.assert_allclose(sums, sums[0], rtol=0.1)  # light is spread, not lost
    assert [int(one.max()) for one in seen] == sorted((int(one.max()) for one in seen), reverse=True)
