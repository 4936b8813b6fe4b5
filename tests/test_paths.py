"""paths.py and dvc.yaml name the same files."""

import inspect
import itertools
from pathlib import Path

import pytest
from support import yaml

from splitpose import paths

VARIANT = "final"

VALUES = {
    "variant": [VARIANT],
    "repeat": [1],
    "precision": ["float32", "float16", "int8"],
    "stage": ["train_frozen", "fine_tune"],
}
"""The values that the parameters of the module's functions take."""

NOT_IN_DVC_YAML = {
    paths.DATA, paths.MODELS, paths.REPORTS,  # folders of the files that DVC tracks
    paths.TRAINING_PLOT, paths.THRESHOLDS_PLOT,  # inside reports/plots
    paths.PAIRED_DIFFERENCES, paths.SLICES, paths.ANNOTATOR_AGREEMENT, paths.PCK_CURVES,  # inside reports/analysis
    paths.RECOMMENDATION, paths.SELECTED_INSTANCES, paths.SEED_VARIATION,
    paths.QUARANTINE, paths.WARNINGS, paths.VALIDATION_SUMMARY, paths.IMAGE_SCAN,  # inside data/annotations
    paths.INCOMING_VERSION,  # a stage of its own
    paths.PROFILES,  # named with the profile
    paths.repeat_predictions(VARIANT, 1),  # inside reports/repeat_predictions/<variant>
    paths.COMPARATORS,  # written by comparators/dvc.yaml
    paths.DECISIONS,  # only grows
    paths.initial_weights_record(VARIANT),  # inside models/<variant>/initial
    paths.LOGS,  # one file per stage, with times
    paths.TRAINING_TIME, paths.PAGE, paths.COMPARISON_MARKDOWN, paths.FIGURES,  # differ every time
}  # fmt: skip


def paths_of_the_module() -> set[Path]:
    constants = {value for value in vars(paths).values() if isinstance(value, Path)}
    functions = [
        value
        for name, value in vars(paths).items()
        if inspect.isfunction(value) and name not in ("profile", "crop_sheet")
    ]
    for function in functions:
        values = [VALUES[name] for name in inspect.signature(function).parameters]
        constants |= {function(*arguments) for arguments in itertools.product(*values)}
    return constants


@pytest.fixture(scope="module")
def paths_of_dvc_yaml(repository) -> set[Path]:
    pipeline = yaml.safe_load((repository / "dvc.yaml").read_text())
    found: set[Path] = {Path("params.yaml")}  # DVC's own default
    for stage in pipeline["stages"].values():
        for entry in [*stage["deps"], *stage.get("outs", []), *stage.get("metrics", []), *stage["cmd"].split()]:
            name = next(iter(entry)) if isinstance(entry, dict) else entry  # {path: {persist: true}}
            if name.startswith(("data", "models", "reports")):
                found.add(Path(name.replace("${item.variant}", VARIANT).replace("${item.repeat}", "1")))
    return found


def test_dvc_yaml_names_only_paths_of_the_module(paths_of_dvc_yaml):
    known = paths_of_the_module()
    folders = {folder for path in known for folder in path.parents}
    assert sorted(path for path in paths_of_dvc_yaml if path not in known | folders) == []


def test_every_path_of_the_module_is_in_dvc_yaml(paths_of_dvc_yaml):
    assert sorted(paths_of_the_module() - NOT_IN_DVC_YAML - paths_of_dvc_yaml) == []
