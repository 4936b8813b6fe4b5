import re
from pathlib import Path

import pytest
from support import yaml

from splitpose.errors import InputError
from splitpose.settings import (
    RENAMED_KEYS,
    CocoSource,
    Params,
    Profile,
    RunConfig,
    load,
    load_repeats,
    repeat_seed,
)


@pytest.mark.parametrize("name", ["sample", "flic", "coco"])
def test_every_profile_is_valid(repository, name):
    load(Profile, repository / "profiles" / f"{name}.yaml")


def test_the_flic_profile_has_the_papers_parameters(repository):
    profile = load(Profile, repository / "profiles" / "flic.yaml")
    assert (profile.crops.size, profile.model.width_multiplier, profile.training.batch_size) == (224, 1.0, 16)
    frozen, fine_tune = profile.training.frozen, profile.training.fine_tune
    assert (frozen.iterations, frozen.learning_rate) == (50_000, 1e-3)
    assert (fine_tune.iterations, fine_tune.learning_rate) == (150_000, 1e-4)
    assert (profile.crops.rotation, profile.crops.scale, profile.crops.horizontal_flip_prob) == (
        30,
        (0.75, 1.25),
        0,
    )


def broken(repository, tmp_path, change):
    content = yaml.safe_load((repository / "profiles" / "sample.yaml").read_text())
    change(content)
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["crops"].update(sise=96), "crops.sise: unknown key"),
        (lambda c: c["crops"].update(size="96"), "crops.size: Input should be a valid integer"),
        (lambda c: c["training"].pop("batch_size"), "training.batch_size: Field required"),
        (lambda c: c["source"].update(kind="film"), "source: Input tag 'film'"),
        (
            lambda c: c["crops"].update(horizontal_flip_prob=1.5),
            "crops.horizontal_flip_prob: Input should be less than or equal to 1",
        ),
        (
            lambda c: c["crops"].update(region_from="box"),
            "crops.region_from: the value 'box' was renamed to 'bbox'",
        ),
        (lambda c: c["scoring"].update(thresholds=[0.1]), "scoring: thresholds: 0.2 must be one of them"),
        (
            lambda c: c["gate"].update(precision="int4"),
            "gate.precision: Input should be 'float32', 'float16' or 'int8'",
        ),
        (lambda c: c["gate"].pop("max_p95_ms"), "gate.max_p95_ms: Field required"),
        (lambda c: c["benchmark"].update(threads=1), "benchmark.threads: Input should be a valid list"),
        (lambda c: c["benchmark"].update(threads=[]), "benchmark.threads: List should have at least 1 item"),
    ],
)
def test_an_invalid_key_is_reported_in_one_line(repository, tmp_path, change, message):
    path = broken(repository, tmp_path, change)
    with pytest.raises(InputError, match=re.escape(f"{path}: {message}")) as raised:
        load(Profile, path)
    assert "\n" not in str(raised.value)


COCO = {"kind": "coco", "min_joints": 8, "min_side": 32, "group": "image", "test_fraction": 0.2}


@pytest.mark.parametrize(
    ("annotations", "images", "sets"),
    [
        ("a.json", "x", [("train", "a.json", "x")]),
        (["b.json", "a.json"], "x", [("train", "b.json", "x"), ("train", "a.json", "x")]),
        (["b.json", "a.json"], ["y", "x"], [("train", "b.json", "y"), ("train", "a.json", "x")]),
        (
            {"test": "c.json", "train": ["a.json", "b.json"]},
            ["z", "x", "y"],
            [("test", "c.json", "z"), ("train", "a.json", "x"), ("train", "b.json", "y")],
        ),
    ],
)
def test_coco_files_and_folders_are_paired_as_written(annotations, images, sets):
    source = CocoSource.model_validate(COCO | {"annotations": annotations, "images": images})
    assert source.sets == [(split, Path(path), Path(folder)) for split, path, folder in sets]


def test_the_former_name_of_a_group_is_reported_with_the_new_one(repository, tmp_path):
    source = COCO | {"annotations": "a.json", "images": "x", "group": "picture"}
    path = broken(repository, tmp_path, lambda content: content.update(source=source))
    with pytest.raises(InputError, match=r"source\.coco\.group: the value 'picture' was renamed to 'image'$"):
        load(Profile, path)


@pytest.mark.parametrize(
    ("annotations", "images", "message"),
    [
        (
            ["a.json", "b.json"],
            ["x", "y", "z"],
            "images: 3 folders for 2 annotation files; give one folder for all files, or",
        ),
        (["a.json", "a.json"], "x", "annotations: a file is listed twice"),
        ({"test": "a.json"}, "x", "annotations: the split `train` is missing"),
        ({"train": "a.json", "tset": "b.json"}, "x", ".annotations.tset.[key]: Input should be 'train', 'val' or"),
        (None, "x", ".annotations: Input should be a path, a list of paths, or either of them for each split"),
        ([], "x", ".annotations.train: List should have at least 1 item"),
        (["a.json", 5], "x", ".annotations.train.1: Input should be a valid string"),
        ({"train": 5}, "x", ".annotations.train: Input should be a path or a list of paths"),
        ("a.json", None, ".images: Input should be a path or a list of paths"),
    ],
)
def test_invalid_coco_paths_are_reported_in_one_line(repository, tmp_path, annotations, images, message):
    source = COCO | {"annotations": annotations, "images": images}
    path = broken(repository, tmp_path, lambda content: content.update(source=source))
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        load(Profile, path)
    assert str(raised.value).startswith(f"{path}: source.coco") and "\n" not in str(raised.value)


def test_a_joint_map_has_names_as_text(repository):
    source = COCO | {"annotations": "a.json", "images": "x"}
    assert (
        CocoSource.model_validate(source).joint_map
        == CocoSource.model_validate(source | {"joint_map": None}).joint_map
        == {}
    )
    assert CocoSource.model_validate(source | {"joint_map": {"lsho": 6, "nose": "n a"}}).joint_map == {
        "lsho": "6",
        "nose": "n a",
    }
    for name in ("coco", "flic", "sample"):
        assert load(Profile, repository / "profiles" / f"{name}.yaml").incoming.joint_map == {}
        assert "joint_map: null" in (repository / "profiles" / f"{name}.yaml").read_text()


@pytest.mark.parametrize(
    ("joint_map", "message"),
    [
        ({"left_shoulder": "6"}, "incoming.joint_map: unknown joint left_shoulder; the joints are lsho, lelb, "),
        ({"lsho": "6", "rsho": 6}, "incoming.joint_map: the name 6 is given to several joints"),
        ({"lsho": None}, "incoming.joint_map: every joint should have the name of a keypoint"),
        (["lsho=6"], "incoming.joint_map: Input should be null or a mapping such as {lsho: '6', rsho: '7'}"),
    ],
)
def test_an_invalid_joint_map_is_reported(repository, tmp_path, joint_map, message):
    path = broken(repository, tmp_path, lambda content: content["incoming"].update(joint_map=joint_map))
    with pytest.raises(InputError, match=re.escape(f"{path}: {message}")):
        load(Profile, path)


def test_a_missing_profile_lists_the_available_ones(repository):
    with pytest.raises(InputError, match=r"film.yaml: no such file; available: coco, flic, sample"):
        load(Profile, repository / "profiles" / "film.yaml")


def test_a_file_without_keys_is_reported(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("# only a comment\n")
    with pytest.raises(InputError, match=r"params.yaml: contains no keys; restore the file$"):
        load(Params, path)


def test_invalid_yaml_is_reported(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("variants: [")
    with pytest.raises(InputError, match=r"params.yaml: line 1: not valid YAML: did not find expected"):
        load(Params, path)


@pytest.fixture
def three_repeats(repository, tmp_path):
    """Return the paths of a profile with training.repeats: 3 and of params.yaml with the repeats 1, 2 and 5."""
    profile = tmp_path / "profiles" / "film.yaml"
    profile.parent.mkdir()
    content = yaml.safe_load((repository / "profiles" / "sample.yaml").read_text())
    content["training"] |= {"repeats": 3, "seed": 7}
    profile.write_text(yaml.safe_dump(content))
    params = tmp_path / "params.yaml"
    params.write_text("profile: film\nrepeats: [1, 2, 5]\nvariants: {final: {}}\n")
    return profile, params


def test_every_repeat_has_a_seed_of_its_own_and_the_first_has_the_profiles(three_repeats):
    profile, params = three_repeats
    assert load_repeats(profile, params) == [1, 2, 5]
    configs = [RunConfig.resolve(profile, params, "final", repeat) for repeat in (1, 2, 5)]
    assert [config.profile.training.seed for config in configs] == [7, 1_000_007, 4_000_007]
    assert [config.title for config in configs] == ["final, repeat 1", "final, repeat 2", "final, repeat 5"]
    assert RunConfig.resolve(profile, params, "final") == configs[0]


def test_a_single_run_is_named_after_its_variant(repository):
    config = RunConfig.resolve(repository / "profiles" / "sample.yaml", repository / "params.yaml", "final")
    assert (config.repeat, config.title) == (1, "final")


@pytest.mark.parametrize("name", ["sample", "flic", "coco"])
def test_no_phase_of_a_repeat_has_the_order_of_crops_of_another_repeats_phase(repository, name):
    training = load(Profile, repository / "profiles" / f"{name}.yaml").training
    # A phase that starts at iteration n orders its crops by seed + n; its last iteration may be rounded up.
    last = training.frozen.iterations + training.validation_interval
    assert repeat_seed(training.seed, 1) == training.seed
    assert repeat_seed(training.seed, 2) > training.seed + last


def test_another_number_of_repeats_than_the_profiles_is_an_error_with_the_remedy(three_repeats):
    profile, params = three_repeats
    params.write_text("profile: film\nvariants: {final: {}}\n")  # without the key, there is one repeat
    message = (
        f"{params}: repeats: [1] differs from training.repeats of {profile}, which is 3; "
        f"set repeats: [1, 2, 3] in {params}, or training.repeats: 1 in {profile}"
    )
    for read in (
        lambda: load_repeats(profile, params),
        lambda: RunConfig.resolve(profile, params, "final"),
    ):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            read()


@pytest.mark.parametrize(
    ("repeats", "message"),
    [
        ("[1, 2, 1]", "repeats: a number is listed twice"),
        ("[]", "repeats: List should have at least 1 item"),
        ("[0]", "repeats.0: Input should be greater than 0"),
        ("2", "repeats: Input should be a valid list"),
    ],
)
def test_invalid_repeats_are_reported_in_one_line(tmp_path, repeats, message):
    path = tmp_path / "params.yaml"
    path.write_text(f"profile: sample\nrepeats: {repeats}\nvariants: {{final: {{}}}}\n")
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        load(Params, path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_a_renamed_key_is_reported_with_its_new_name(repository, tmp_path, old, new):
    *sections, old_key = old.split(".")

    def use_the_old_key(content):
        for section in sections:
            content = content[section]
        content[old_key] = content.pop(new.split(".")[-1])

    path = broken(repository, tmp_path, use_the_old_key)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: {old}: this key was renamed to {new}$"):
        load(Profile, path)
