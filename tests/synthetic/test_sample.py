"""The synthetic sample: FLIC's layout, reproducible bytes, joints that match the drawing."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from splitpose.annotations import joints_of
from splitpose.data import flic
from splitpose.skeleton import INDEX
from splitpose.synthetic import appearance, camera, figure, lighting, poses, sample, scene

PEOPLE, FILMS, SEED = 24, 10, 5
FIELDS = (
    "poselet_hit_idx",
    "moviename",
    "coords",
    "filepath",
    "imgdims",
    "currframe",
    "torsobox",
    "istrain",
    "istest",
)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    sample.render(folder, PEOPLE, FILMS, SEED, workers=1)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_examples_have_flics_layout(rendered: Path) -> None:
    examples = loadmat(rendered / "FLIC" / "examples.mat")["examples"]
    assert examples.shape == (1, PEOPLE)
    assert examples.dtype.names == FIELDS
    row = examples[0, 0]
    assert row["coords"].shape == (2, 29)
    filled = np.flatnonzero(~np.isnan(row["coords"][0]))
    assert filled.tolist() == [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]
    assert row["imgdims"].tolist() == [[480, 720, 3]]
    assert row["torsobox"].shape == (1, 4)
    assert row["currframe"].shape == row["istrain"].shape == row["istest"].shape == (1, 1)
    film, frame = row["moviename"].item(), row["currframe"].item()
    assert row["filepath"].item() == f"{film}-{int(frame):08d}.jpg"


def test_examples_load_squeezed(rendered: Path) -> None:
    examples = loadmat(rendered / "FLIC" / "examples.mat", squeeze_me=True)["examples"]
    assert examples.shape == (PEOPLE,)
    row = examples[0]
    assert row["coords"].shape == (2, 29)
    assert row["torsobox"].shape == (4,)
    assert isinstance(row["moviename"], str)
    assert bool(row["istrain"]) != bool(row["istest"])


def test_the_header_contains_no_date(rendered: Path) -> None:
    header = (rendered / "FLIC" / "examples.mat").read_bytes()[:116]
    assert header.rstrip() == b"MATLAB 5.0 MAT-file, rendered sample"


def test_bytes_do_not_depend_on_workers(rendered: Path, tmp_path: Path) -> None:
    sample.render(tmp_path, PEOPLE, FILMS, SEED, workers=2)
    assert hashes(tmp_path) == hashes(rendered)


def test_the_seed_changes_the_images(rendered: Path, tmp_path: Path) -> None:
    (plan,) = sample.plan_images(1, sample.film_names(1), SEED)
    joints = sample.render_image(tmp_path, SEED, plan)
    assert not np.array_equal(joints, sample.render_image(tmp_path, SEED + 1, plan))


def test_the_flic_reader_reads_it(rendered: Path) -> None:
    table = flic.read(rendered, "person").table
    assert len(table) == PEOPLE
    assert table["id"].is_unique
    for image in table["image"]:
        assert cv2.imread(str(rendered / image)).shape == (480, 720, 3)
    joints = joints_of(table)
    assert np.isfinite(joints).all()
    assert (joints >= 0).all() and (joints[..., 0] <= 719).all() and (joints[..., 1] <= 479).all()


def test_splits_share_no_film(rendered: Path) -> None:
    table = flic.read(rendered, "person").table
    films = {split: set(rows["group"]) for split, rows in table.groupby("split")}
    assert set(films) == {"train", "test"}
    assert not films["train"] & films["test"]
    assert len(films["test"]) == 2  # a fifth of 10 films


def test_the_torso_box_contains_the_middle_of_the_torso(rendered: Path) -> None:
    table = flic.read(rendered, "person").table
    torso = [INDEX[name] for name in ("lsho", "rsho", "lhip", "rhip")]
    middle = joints_of(table)[:, torso].mean(axis=1)
    assert (table["box_x0"] < middle[:, 0]).all() and (middle[:, 0] < table["box_x1"]).all()
    assert (table["box_y0"] < middle[:, 1]).all() and (middle[:, 1] < table["box_y1"]).all()


def test_some_planned_images_have_two_people() -> None:
    plans = sample.plan_images(1001, sample.film_names(20), seed=3)
    assert sum(plan.people for plan in plans) == 1001
    assert 0.06 < np.mean([plan.people == 2 for plan in plans]) < 0.14
    assert len({plan.name for plan in plans}) == len(plans)
    assert {plan.film for plan in plans} == set(range(20))


def test_film_names_are_distinct_beyond_the_list() -> None:
    names = sample.film_names(250)
    assert len(set(names)) == 250


def test_interrupted_rendering_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sample, "_render_all", stop)
    with pytest.raises(KeyboardInterrupt):
        sample.render(tmp_path, PEOPLE, FILMS, SEED, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_poses_follow_flics_mean() -> None:
    rng = np.random.default_rng(0)
    drawn = np.stack([poses.sample_pose(rng) for _ in range(400)])
    # FLIC's mean nose and left wrist (pose_statistics.json), torso units.
    np.testing.assert_allclose(drawn[:, INDEX["nose"]].mean(axis=0), [-0.013, -0.680], atol=0.03)
    np.testing.assert_allclose(drawn[:, INDEX["lwri"]].mean(axis=0), [0.349, 0.360], atol=0.06)


def test_implausible_poses_are_detected() -> None:
    good = poses.sample_pose(np.random.default_rng(1))
    assert poses.is_plausible(good)
    long_arm = good.copy()
    long_arm[INDEX["lwri"]] += [1.0, 0.0]
    assert not poses.is_plausible(long_arm)
    crossed_eyes = good.copy()
    crossed_eyes[[INDEX["leye"], INDEX["reye"]]] = good[[INDEX["reye"], INDEX["leye"]]]
    assert not poses.is_plausible(crossed_eyes)


def test_people_in_one_image_are_separate() -> None:
    rng = np.random.default_rng(2)
    image, people = scene.render_scene(rng, camera.sample_film_style(rng), 2)
    assert image.shape == (480, 720, 3) and image.dtype == np.uint8
    one, other = people
    assert abs(one[:, 0].mean() - other[:, 0].mean()) > 0.45 * (poses.torso_px(one) + poses.torso_px(other))


@pytest.mark.parametrize("seed", range(6))
def test_every_joint_is_on_the_drawn_person(seed: int) -> None:
    rng = np.random.default_rng(seed)
    empty = np.full((480, 720, 3), (255, 0, 255), np.uint8)
    joints = poses.sample_placed_pose(rng, 0, 480)
    image = empty.copy()
    figure.draw_person(image, joints, appearance.sample_appearance(rng), lighting.sample_light(rng), rng)
    drawn = (np.abs(image.astype(int) - empty) > 60).any(axis=2)
    x, y = np.rint(joints).astype(int).T
    assert drawn[y, x].all()
    assert 0.02 < drawn.mean() < 0.75


def test_eyes_are_darker_than_the_face_around_them() -> None:
    darker = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        image = np.full((480, 720, 3), 128, np.uint8)
        joints = poses.sample_placed_pose(rng, 0, 480)
        person = appearance.sample_appearance(rng)
        figure.draw_person(image, joints, person, lighting.sample_light(rng), rng)
        grey = image.mean(axis=2)
        eye = joints[INDEX["leye"]]
        x, y = np.rint(eye).astype(int)
        cheek_x, cheek_y = np.rint(eye + np.array([0, 0.09 * poses.torso_px(joints)])).astype(int)
        iris, cheek = grey[y - 1 : y + 2, x - 1 : x + 2].min(), grey[cheek_y, cheek_x]
        darker += iris < 0.8 * cheek
    assert darker >= 24  # exceptions: dark skin in shadow, hands in front of the face
