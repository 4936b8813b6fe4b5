"""Compare warm nightly runs with full ones: several nights in a row, each with 5 % new people.

    python benchmarks/warm_nights.py --folder /tmp/nights [--nights 5]

Clones the project into the folder, renders the sample, and trains the gate's variant from scratch, which becomes
champion; the clone is then copied. Every night the same new people are put into data/incoming/ of both clones. One
runs `splitpose retrain`, which starts from its champion; the other one `splitpose retrain --from-scratch`. The
table shows the wall and CPU time of both commands, and PCK@0.1 of both models on the test people of the sample,
which no night changes. The row `base` is the first run, which also renders, validates and crops all people. A
night takes about five minutes on 2 cores; nights that are in the folder's results.json are not repeated, so that
an interrupted run can be continued.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dvc.utils.serialize import dump_yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from splitpose import annotations, paths
from splitpose.evaluation import predictions
from splitpose.evaluation.pck import normalised_errors, pck
from splitpose.files import atomic_folder, write_json
from splitpose.settings import Profile, load
from splitpose.skeleton import FULL_NAMES, JOINTS
from splitpose.synthetic.poses import HEIGHT, WIDTH
from splitpose.synthetic.sample import film_names, plan_images, render_image

REPOSITORY = Path(__file__).parents[1]
PROFILE = "sample"
SHARE = 0.05
"""New people each night, relative to those of the sample."""
FILMS = 4
"""Number of films, and so of camera styles, of a night's people."""
SEED = 7000
"""Seed of the first night's people."""
THRESHOLD = 0.1


@dataclass(frozen=True)
class Run:
    """One run of `splitpose retrain`."""

    seconds: float
    """Wall time."""
    cpu_seconds: float
    """Time of all cores, of the command and the processes that it started; depends less on other load."""
    pck: float
    """PCK@0.1 on the sample's test people, percent."""
    promoted: bool


def main() -> None:
    """Run the nights that are missing from the results, and print all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the two clones and the results")
    parser.add_argument("--nights", type=int, default=5)
    options = parser.parse_args()
    folder = options.folder.resolve()
    profile = load(Profile, REPOSITORY / paths.profile(PROFILE))
    clones = {"warm": folder / "warm", "full": folder / "full"}
    results = folder / "results.json"
    rows: list[dict[str, Run]] = read_rows(results)
    if not rows:
        clone(clones["warm"], profile.gate.variant)
        base = retrain(clones["warm"], profile)
        copy(clones["warm"], clones["full"])
        rows.append({"warm": base, "full": base})
        write_rows(rows, results)
    for night in range(len(rows), options.nights + 1):
        for root in clones.values():
            add_people(root / paths.INCOMING, night, round(SHARE * profile.source.people))
        warm = retrain(clones["warm"], profile)
        rows.append({"warm": warm, "full": retrain(clones["full"], profile, "--from-scratch")})
        write_rows(rows, results)
    Console(width=130).print(summarise(rows))


def clone(root: Path, variant: str) -> None:
    """Clone the project without its results, and keep only one variant."""
    if not root.exists():
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    (root / "dvc.lock").unlink(missing_ok=True)
    params = {"profile": PROFILE, "repeats": [1], "variants": {variant: {}}}
    dump_yaml(root / paths.PARAMS, params)


def copy(source: Path, target: Path) -> None:
    """Copy a clone without its MLflow runs, whose paths are those of the original."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts", ".prefect"))


def add_people(incoming: Path, night: int, count: int) -> None:
    """Render the new people of a night as COCO keypoints, unless they are there already."""
    folder, seed = incoming / f"night-{night}", SEED + night
    if folder.exists():
        return
    plans = plan_images(count, [f"night-{night}-{name}" for name in film_names(FILMS)], seed)
    images: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    with atomic_folder(folder) as part:
        (part / "images").mkdir()
        for plan in plans:
            images.append({"id": plan.index, "file_name": plan.name, "width": WIDTH, "height": HEIGHT})
            for joints in render_image(part / "images", seed, plan):
                inside = ((joints >= 0) & (joints <= [WIDTH - 1, HEIGHT - 1])).all(axis=1)
                keypoints = np.column_stack([np.clip(joints, 0, [WIDTH - 1, HEIGHT - 1]), 2 * inside])
                person = {"id": len(people), "image_id": plan.index, "category_id": 1}
                people.append(person | {"keypoints": keypoints.ravel().round(2).tolist()})
        category = {"id": 1, "name": "person", "keypoints": [FULL_NAMES[joint] for joint in JOINTS]}
        content = {"images": images, "categories": [category], "annotations": people}
        (part / "people.json").write_text(json.dumps(content))


def retrain(root: Path, profile: Profile, *options: str) -> Run:
    """Run `splitpose retrain` in a clone, and score its model."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
    }
    start, cpu_start = time.monotonic(), cpu_seconds()
    with (root.parent / f"{root.name}.log").open("a") as log:
        command = [sys.executable, "-m", "splitpose", "retrain", *options]
        subprocess.run(command, cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT, check=True)
    seconds, used = time.monotonic() - start, cpu_seconds() - cpu_start
    decision = json.loads((root / paths.DECISIONS).read_text().splitlines()[-1])
    return Run(round(seconds, 1), round(used, 1), round(score(root, profile), 2), decision["action"] == "promote")


def cpu_seconds() -> float:
    """Return the CPU time of all processes that have been started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def score(root: Path, profile: Profile) -> float:
    """Return PCK@0.1 of a clone's model on the sample's own test people, percent."""
    variant = profile.gate.variant
    table = annotations.read(root / paths.ANNOTATION_TABLE).set_index("id", drop=False)
    is_fixed = (table["split"] == "test") & ~table["image"].str.startswith(f"{annotations.INCOMING}/")
    ids, joints = predictions.read(root / paths.predictions(variant))
    counted = is_fixed.loc[ids].to_numpy()
    truth = annotations.joints_of(table.loc[ids][counted])
    errors = normalised_errors(truth, joints[counted], profile.scoring.torso_joints)
    return float(np.nanmean(pck(errors, THRESHOLD)))


def summarise(rows: list[dict[str, Run]]) -> Table:
    """Return a table of all nights; the first row is the base."""
    table = Table(box=SIMPLE_HEAD)
    columns = ("night", "warm s", "full s", "ratio", "CPU warm s", "full s", "ratio")
    for column in (*columns, "PCK@0.1 warm", "full", "difference", "promoted"):
        table.add_column(column, justify="right")
    for night, runs in enumerate(rows):
        warm, full = runs["warm"], runs["full"]
        times = format_pair(warm.seconds, full.seconds) + format_pair(warm.cpu_seconds, full.cpu_seconds)
        scores = [f"{warm.pck:.2f}", f"{full.pck:.2f}", f"{warm.pck - full.pck:+.2f}"]
        table.add_row(str(night) if night else "base", *times, *scores, "yes" if warm.promoted else "no")
    return table


def format_pair(warm: float, full: float) -> list[str]:
    """Return the seconds of both runs and their ratio as text."""
    return [f"{warm:.0f}", f"{full:.0f}", f"{warm / full:.2f}"]


def read_rows(path: Path) -> list[dict[str, Run]]:
    """Read the results, none if there is no file."""
    if not path.is_file():
        return []
    return [{name: Run(**run) for name, run in row.items()} for row in json.loads(path.read_text())]


def write_rows(rows: list[dict[str, Run]], path: Path) -> None:
    """Write the results."""
    write_json([{name: asdict(run) for name, run in row.items()} for row in rows], path)


if __name__ == "__main__":
    main()
