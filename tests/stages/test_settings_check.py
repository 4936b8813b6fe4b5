"""Every rule that depends on settings only is checked before the first stage runs.

The table of bad values has, where the call is cheap, the function of the stage that rejects the value later.
"""

import re
import shutil

import numpy as np
import pytest
from dvc.utils.hydra import apply_overrides
from support import yaml

from splitpose.data.splits import assign_splits
from splitpose.errors import InputError
from splitpose.export.detection_images import list_images
from splitpose.models import imagenet, registry
from splitpose.settings import IMAGENET_WIDTHS, RunConfig, Validation
from splitpose.stages.settings_check import check, list_variants, variant_constants

COCO = {
    "kind": "coco",
    "annotations": "people.json",
    "images": "images",
    "min_joints": 8,
    "min_side": 32,
    "group": "image",
    "test_fraction": 0.2,
}
FLIC = {"kind": "flic", "edition": "FLIC", "archive": "FLIC.zip", "viewpoint": "observer"}


@pytest.fixture
def project(repository, tmp_path):
    """Return a function that writes a project with a changed sample profile, and returns its params.yaml."""
    (tmp_path / "profiles").mkdir()
    text = (repository / "profiles" / "sample.yaml").read_text()
    params = tmp_path / "params.yaml"
    shutil.copyfile(repository / "params.yaml", params)

    def write(**changes):
        content = yaml.safe_load(text)
        for dotted, value in changes.items():
            *sections, key = dotted.split("__")
            section = content
            for name in sections:
                section = section[name]
            section[key] = section[key] | value if isinstance(value, dict) and key != "source" else value
        (tmp_path / "profiles" / "sample.yaml").write_text(yaml.safe_dump(content))
        return params

    return write


def test_the_projects_settings_are_valid(repository):
    assert list(check(repository / "params.yaml").variants) == ["baseline", "no_gap", "split", "final"]


def test_the_variants_are_those_of_the_registry():
    assert list_variants() == sorted(registry.list_variants())
    assert variant_constants("final") == {"CODEC": "heatmaps", "TRAINABLE_BACKBONE_BLOCKS": None, "FILTERS": None}


def test_the_widths_with_imagenet_weights_are_those_of_the_download():
    assert tuple(imagenet.FILES) == IMAGENET_WIDTHS


SPLITS = {"train": "people.json", "val": "val.json", "test": "test.json"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crops__size": 100}, "crops.size: 100 is not a multiple of 32; use 96 or 128"),
        ({"crops__size": 16}, "crops.size: 16 is not a multiple of 32; use 32"),
        ({"crops__scale": [1.25, 0.75]}, "crops.scale: 1.25 to 0.75 is not a range; write the lower end first"),
        (
            {"model__width_multiplier": 0.03},
            "model.width_multiplier: Input should be greater than or equal to 0.05",
        ),
        (
            {"model": {"backbone_weights": "imagenet", "width_multiplier": 0.6}},
            "model.backbone_weights: imagenet: weights exist for the widths 0.25, 0.5, 0.75, 1.0, not for "
            "model.width_multiplier 0.6; use one of these, or random",
        ),
        ({"model__backbone_weights": "no.h5"}, "model.backbone_weights: no.h5: no such file; use random, imagenet"),
        ({"model__initial_weights": "no.h5"}, "model.initial_weights: no.h5: no such file; use null, champion or"),
        (
            {"model__initial_weights": "profiles"},
            "model.initial_weights: profiles: no such file; use null, champion",
        ),
        (
            {"training": {"batch_size": 15, "devices": 2}},
            "training.batch_size: 15 crops cannot be divided evenly between 2 training.devices",
        ),
        ({"training__seed": 2**32}, "training.seed: Input should be less than 2147483648"),
        (
            {"training__frozen": {"learning_rate": float("inf")}},
            "training.frozen.learning_rate: Input should be a fin",
        ),
        (
            {"validation__fraction": 0},
            "validation.fraction: 0 leaves a split without people; use a share between 0",
        ),
        (
            {"validation__fraction": 1.0},
            "validation.fraction: 1 leaves a split without people; use a share between",
        ),
        ({"source": COCO | {"test_fraction": 1.0}}, "source.test_fraction: 1 leaves a split without people; use"),
        ({"source": COCO | {"min_joints": 12}}, "source.coco.min_joints: Input should be less than or equal to 11"),
        ({"incoming__min_joints": 12}, "incoming.min_joints: Input should be less than or equal to 11"),
        (
            {"source": COCO | {"annotations": "b.json"}},
            "source.annotations: b.json: no such file; correct the path",
        ),
        ({"source": COCO | {"images": "photos"}}, "source.images: photos: no such folder; correct the path"),
        ({"source": FLIC}, "source.archive: FLIC.zip: no such file; correct the path, or use null to download it"),
        (
            {"person_detection__background_images": "streets"},
            "person_detection.background_images: streets: no such folder; correct the path, or use null",
        ),
        ({"person_detection__background_images": "images"}, "person_detection.background_images: "),
        ({"gate__variant": "finale"}, "gate.variant: finale is not a variant; available: baseline, "),
        ({"benchmark__target": "phone"}, "benchmark.target: String should match pattern"),
        (
            {"benchmark__target": "ssh://pi@host:port"},
            "benchmark.target: ssh://pi@host:port: not an ssh target; use",
        ),
        (
            {"benchmark__target": "browser:host:99999"},
            "benchmark.target: browser:host:99999: not a browser target;",
        ),
        ({"benchmark__target": "adb"}, "benchmark.target: adb: requires the benchmark_model program for Android;"),
        ({"scoring__torso": "lsho-lhip"}, "scoring.torso: Input should be 'lsho-rhip' or 'rsho-lhip'"),
        (
            {"scoring__flip_test": "yes"},
            "scoring.flip_test: Input should be a valid boolean; yes is text in YAML 1",
        ),
        (
            {"crops__shift": "0,05"},
            "crops.shift: Input should be a valid number; 0,05 has a decimal comma, write 0.",
        ),
        (
            {"crops__size": "96"},
            "crops.size: Input should be a valid integer; 96 is quoted, write it without quotes",
        ),
        (
            {"training__frozen": {"iterations": 1e3}},
            "training.frozen.iterations: Input should be a valid integer; wr",
        ),
    ],
)
def test_a_value_that_a_stage_rejects_is_reported_in_one_line(project, tmp_path, monkeypatch, changes, message):
    monkeypatch.delenv("SPLITPOSE_BENCHMARK_BINARY", raising=False)
    (tmp_path / "images").mkdir()
    (tmp_path / "people.json").write_text("{}")
    params = project(**changes)
    with pytest.raises(InputError) as raised:
        check(params)
    assert str(raised.value).startswith(f"{tmp_path}/profiles/sample.yaml: {message}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"source": COCO},
        {"source": COCO | {"annotations": SPLITS, "test_fraction": 0.0}},
        {"source": FLIC | {"archive": None}},
        {"source": FLIC | {"archive": "https://example.org/FLIC.zip"}},
        {"source": FLIC | {"archive": "people.json"}},
        {"model": {"backbone_weights": "imagenet", "width_multiplier": 0.25}},
        {"model": {"backbone_weights": "imagenet", "width_multiplier": 0.6, "initial_weights": "people.json"}},
        {"model__initial_weights": "champion"},
        {"benchmark__target": "ssh://pi@host:22/usr/bin/python3"},
        {"crops__scale": [1.0, 1.0]},
        {"training": {"batch_size": 16, "devices": 2}},
    ],
)
def test_values_that_the_stages_accept_are_accepted(project, tmp_path, changes):
    (tmp_path / "images").mkdir()
    for name in SPLITS.values():
        (tmp_path / name).write_text("{}")
    assert check(project(**changes)).profile == "sample"


@pytest.mark.parametrize("name", ["finale", "__init__", "registry", "../registry", "layers", "final.py", "Final"])
def test_a_name_that_is_no_variant_is_reported_with_the_known_ones(project, tmp_path, name):
    params = project()
    params.write_text(yaml.safe_dump({"profile": "sample", "variants": {"final": {}, name: {}}}))
    message = f"{params}: variants.{name}: there is no module {name}.py with a variant in "
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        check(params)
    assert str(raised.value).endswith("; available: baseline, final, mobilenet_v3, no_gap, split")
    with pytest.raises(InputError, match="variants: unknown variant"):
        registry.get_variant(name)


def test_a_missing_profile_is_reported_with_the_known_ones(project):
    params = project()
    params.write_text("profile: film\nvariants: {final: {}}\n")
    with pytest.raises(InputError, match=r"profiles/film.yaml: no such file; available: sample"):
        check(params)


def test_imagenet_weights_do_not_fit_every_variant(project):
    params = project(model__backbone_weights="imagenet")
    params.write_text("profile: sample\nvariants: {final: {}, mobilenet_v3: {}}\n")
    with pytest.raises(
        InputError, match=r"model.backbone_weights: there are no ImageNet weights for the variant mobil"
    ):
        check(params)


def test_the_stages_reject_the_same_values(tmp_path):
    with pytest.raises(InputError, match=r"crops.size: 100 is not a multiple of 32"):
        registry.build("baseline", size=100)
    with pytest.raises(InputError, match=r"weights exist for the widths 0.25, 0.5, 0.75, 1.0, not for"):
        imagenet.fetch_imagenet_weights(0.6)
    with pytest.raises(InputError, match=r"person_detection.background_images: .* has 0 images"):
        list_images(tmp_path)
    with pytest.raises(ValueError, match="high"):
        np.random.default_rng(0).uniform(1.25, 0.75)
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"split": ["train"] * 9, "group": list("abcdefghi")})
    for fraction in (0.0, 1.0):
        with pytest.raises(InputError, match=r"validation.seed: with 1, none of the 9 training groups"):
            assign_splits(table, Validation(fraction=fraction, seed=1))


def comments(text):
    return re.findall(r"#.*", text)


@pytest.mark.parametrize("name", ["params", "profiles/sample", "profiles/flic", "profiles/coco"])
def test_dvc_exp_run_keeps_the_comments(repository, tmp_path, name):
    path = tmp_path / "file.yaml"
    text = (repository / f"{name}.yaml").read_text()
    path.write_text(text)
    key = "++variants.final.fine_tune.learning_rate" if name == "params" else "training.fine_tune.learning_rate"
    for number in (1, 2, 3):  # the first time, DVC changes the style of lists
        apply_overrides(path, [f"{key}=0.0000{number}", *(["repeats=[1,2]"] if name == "params" else [])])
    assert comments(path.read_text()) == comments(text)
    assert "learning_rate: 3e-05" in path.read_text()


def test_a_small_number_that_dvc_writes_is_read(project):
    params = project()
    profile = params.parent / "profiles" / "sample.yaml"
    apply_overrides(profile, ["training.fine_tune.learning_rate=0.00001"])
    apply_overrides(params, ["++variants.final.fine_tune.learning_rate=0.00002"])
    assert "learning_rate: 1e-05" in profile.read_text()
    config = RunConfig.resolve(profile, params, "final").profile.training
    assert config.fine_tune.learning_rate == 2e-5
    assert RunConfig.resolve(profile, params, "split").profile.training.fine_tune.learning_rate == 1e-5
