"""dvc.yaml, and the comparators' own: a stage's deps are the modules its output comes from, no more and no less."""

import ast
from pathlib import Path

import pytest
from support import yaml

CARRIERS = {
    "settings.py",
    "yaml_files.py",
    "files.py",
    "errors.py",
    "progress.py",
    "stages/command.py",
    "stages/log.py",
    "stages/training_monitor.py",
    "paths.py",
    "tracking",
    "web",
}
"""What dvc.yaml leaves out by its own words: they carry a stage's output and do not change it."""
VARIANT = "${item.variant}"
TRAINING = ["train_frozen", "fine_tune"]
SELECTION = ["select", "evaluate", "convert", "benchmark"]
DATA_STAGES = ["fingerprint", "download", "validate", "augment"]
STAGES = [*DATA_STAGES, "initial_weights", *TRAINING, *SELECTION, "compare", "report"]
TRIGGERS = {
    ("download", "data/fingerprints/source.json"),
    ("convert", "data/fingerprints/background_images.json"),
    ("initial_weights", "data/fingerprints/weights.json"),
    ("initial_weights", "data/crops"),
}
"""Deps that a stage does not read: it runs again whenever they change."""
COMPARATORS = "comparators"
"""The only stage of comparators/dvc.yaml."""


@pytest.fixture(scope="module")
def stages(repository):
    files = (repository / "dvc.yaml", repository / COMPARATORS / "dvc.yaml")
    main, comparators = (yaml.safe_load(path.read_text())["stages"] for path in files)
    return main | comparators


def module_file(source: Path, name: str) -> Path | None:
    """The file of a module of splitpose, None for other packages and for names inside modules."""
    path = source / Path(*name.split(".")[1:])
    if not name.startswith("splitpose"):
        return None
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def imports(source: Path, file: Path) -> set[Path]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {module_file(source, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(module_file(source, node.module))
            found |= {module_file(source, f"{node.module}.{alias.name}") for alias in node.names}
    return {path for path in found if path}


def closure(source: Path, start: Path) -> set[str]:
    """Every module that `start` imports, and they import, without the carriers and what only they use."""
    done: set[Path] = set()
    todo = {start}
    while todo:
        file = todo.pop()
        done.add(file)
        inside = [path for path in imports(source, file) if not carrier(path.relative_to(source).as_posix())]
        todo |= set(inside) - done
    return {path.relative_to(source).as_posix() for path in done if path.name != "__init__.py"}


def carrier(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}/") for name in CARRIERS)


def covered(module: str, deps: list[str]) -> bool:
    return any(module == dep or module.startswith(f"{dep}/") for dep in deps)


@pytest.mark.parametrize("stage", [*STAGES, COMPARATORS])
def test_deps_are_what_a_stage_uses(repository, stages, stage):
    source = repository / "src" / "splitpose"
    deps = [d.removeprefix("src/splitpose/") for d in stages[stage]["deps"] if d.startswith("src/splitpose/")]
    used = closure(source, source / "stages" / f"{stage}.py")
    if "models/registry.py" in used:  # it imports the variant's module by its name
        folder = source / "models" / "variants"
        variants = {f"models/variants/{path.name}" for path in folder.glob("*.py") if path.name != "__init__.py"}
        used |= set().union(*(closure(source, source / variant) for variant in variants))
        used = used - variants | {f"models/variants/{VARIANT}.py"}
    assert sorted(module for module in used if not covered(module, deps)) == []
    assert [dep for dep in deps if dep.endswith(".py") and not any(covered(module, [dep]) for module in used)] == []


def test_every_stage_is_known(stages):
    assert list(stages) == [*STAGES, COMPARATORS]


@pytest.mark.parametrize("stage", [*STAGES, COMPARATORS])
def test_the_command_names_every_data_dep(stages, stage):
    """What a stage reads or writes is named in its command, itself or by a folder above it."""
    words = stages[stage]["cmd"].split()
    made = [*stages[stage].get("outs", []), *stages[stage].get("metrics", [])]
    made = [next(iter(out)) if isinstance(out, dict) else out for out in made]  # {path: {persist: true}}
    for path in [*stages[stage]["deps"], *made]:
        if not path.startswith("src/") and (stage, path) not in TRIGGERS:
            assert any(
                word == path or word.startswith(f"{path}/") or path.startswith(f"{word}/") for word in words
            ), path


def test_what_differs_every_time_is_not_in_the_lock(stages):
    """Benchmarks are outputs, but in git: a clone that builds the same TFLite files keeps their latencies."""
    (benchmark,) = stages["benchmark"]["outs"]
    assert benchmark == {"reports/benchmark/${item.variant}.json": {"cache": False}}
    assert "outs" not in stages["report"]
    assert stages["report"]["always_changed"]
    outs = [str(out) for stage in stages.values() for out in stage.get("outs", [])]
    assert not [out for out in outs if "training_time" in out]
