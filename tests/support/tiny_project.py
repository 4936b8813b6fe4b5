"""A copy of this project with a tiny profile, whose stages are run by DVC."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support import yaml


def tiny_profile(repository: Path, name: str = "sample", **source: object) -> dict:
    """Return the profile with few small crops, short training and these changes of its source."""
    profile = yaml.safe_load((repository / "profiles" / f"{name}.yaml").read_text())
    profile["source"] |= source
    profile["validation"] |= {"seed": 11}  # with few films, the sample's seed leaves the validation split empty
    profile["crops"] |= {"size": 32, "copies_per_instance": 2, "instances_per_shard": 20}
    profile["model"] |= {"width_multiplier": 0.25}
    profile["training"] |= {"repeats": 1, "batch_size": 4, "validation_interval": 4}
    for phase in ("frozen", "fine_tune", "warm_start"):
        profile["training"][phase] |= {"iterations": 8, "warmup_iterations": 0}
    profile["scoring"] |= {"resamples": 100}
    # With few people, one joint changes the PCK by a point or more.
    profile["conversion"] |= {"calibration_crops": 8, "max_pck_drop": {"float16": 5.0, "int8": 20.0}}
    profile["person_detection"] |= {"images": 2}
    profile["benchmark"] |= {"threads": [1], "runs": 10, "warmup_runs": 2}
    # An untrained model may become the first champion; latencies of a few runs are inaccurate.
    profile["gate"] |= {
        "min_above_mean_pose": -100.0,
        "max_parity_loss": 20.0,
        "max_p95_ratio": 20.0,
        "min_instances": 1,
    }
    return profile


def workspace(
    repository: Path, folder: Path, variants: list[str], profile: dict | None = None, repeats: Sequence[int] = (1,)
) -> Path:
    """Copy all files that git does not ignore, with a tiny profile (by default the sample's) and no cache."""
    profile = profile or tiny_profile(repository, people=48, films=8)
    profile["gate"] |= {"variant": variants[-1]}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    ):
        if name and (repository / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, folder / name)
    (folder / "dvc.lock").unlink(missing_ok=True)
    (folder / "data" / "incoming").mkdir()
    (folder / "profiles" / "sample_tiny.yaml").write_text(yaml.safe_dump(profile))
    params = {"profile": "sample_tiny", "repeats": [1], "variants": {name: {} for name in variants}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    set_repeats(folder, repeats)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    added = dvc(folder, "add", "--quiet", "data/incoming")
    assert added.returncode == 0, added.stderr
    return folder


def set_repeats(folder: Path, repeats: Sequence[int]) -> None:
    """Set the repeats in params.yaml, and their number in the profile."""
    for path, change in (
        ("params.yaml", lambda content: content.update(repeats=list(repeats))),
        ("profiles/sample_tiny.yaml", lambda content: content["training"].update(repeats=len(repeats))),
    ):
        content = yaml.safe_load((folder / path).read_text())
        change(content)
        (folder / path).write_text(yaml.safe_dump(content))


def dvc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def repro(folder: Path, *targets: str) -> str:
    """Run `dvc repro` for the targets, by default for all stages, and return its output."""
    done = dvc(folder, "repro", *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stages_run(output: str) -> list[str]:
    """Return the names of the stages that a `dvc repro` has run, given its output."""
    return re.findall(r"Running stage '([^']+)'", output)


def hashes(folder: Path) -> dict[str, str]:
    """Return the MD5 of every output in dvc.lock by path."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}
