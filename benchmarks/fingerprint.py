"""Measure the stage fingerprint on a folder of images: its first run, and a run on unchanged images.

    python benchmarks/fingerprint.py [--images 10000] [--kilobytes 50]

Writes files of random bytes and a COCO JSON that annotates all of them to a temporary folder.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from dvc.utils.serialize import dump_yaml, load_yaml
from rich.console import Console
from rich.table import Table

from splitpose.data.fingerprint import FileHashes, fingerprint_source
from splitpose.settings import CocoSource

PROFILE = Path(__file__).parents[1] / "profiles" / "coco.yaml"


def main() -> None:
    """Measure the times and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=50, help="size of an image")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder, options.images, options.kilobytes)
        seconds = {
            "first run: all images are read": time_scan(folder),
            "unchanged images": min(time_scan(folder) for _ in range(5)),
            "unchanged images, with the start of the stage's process": time_stage(folder),
        }
    show(options.images, options.kilobytes, seconds)


def write_source(folder: Path, images: int, kilobytes: int) -> None:
    """Write images/, annotations.json, and a profile with them as its source."""
    names = [f"{number:012d}.jpg" for number in range(images)]
    keypoints = ["left_shoulder", "right_hip"]
    content = {
        "images": [{"id": k, "file_name": name, "width": 640, "height": 480} for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "person", "keypoints": keypoints}],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1, "keypoints": [9, 9, 2, 99, 99, 2]} for k in range(images)
        ],
    }
    (folder / "images").mkdir()
    for name in names:
        (folder / "images" / name).write_bytes(os.urandom(1024 * kilobytes))
    (folder / "annotations.json").write_text(json.dumps(content))
    profile = load_yaml(PROFILE)
    profile["source"] |= {"annotations": str(folder / "annotations.json"), "images": str(folder / "images")}
    dump_yaml(folder / "profile.yaml", profile)


def time_scan(folder: Path) -> float:
    """Return the seconds of a scan, including reading and writing the hashes of the last one."""
    source = CocoSource(
        kind="coco",
        annotations=str(folder / "annotations.json"),
        images=str(folder / "images"),
        min_joints=1,
        min_side=0.0,
        group="image",
        test_fraction=0.2,
    )
    start = perf_counter()
    hashes = FileHashes(folder / "hashes.json")
    fingerprint_source(source, hashes)
    hashes.save()
    return perf_counter() - start


def time_stage(folder: Path) -> float:
    """Return the seconds of the stage's process on unchanged images, the second of two runs."""
    command = [sys.executable, "-m", "splitpose.stages.fingerprint", "--profile", "profile.yaml"]
    command += ["--source", "source.json", "--weights", "weights.json", "--background", "background.json"]
    for _ in range(2):
        start = perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return perf_counter() - start


def show(images: int, kilobytes: int, seconds: dict[str, float]) -> None:
    """Print the times, and their ratio to the first run."""
    first = next(iter(seconds.values()))
    table = Table("", "seconds", "of the first run", title=f"{images:,} images of {kilobytes} kB")
    for name, value in seconds.items():
        table.add_row(name, f"{value:.2f}", f"{100 * value / first:.1f} %")
    Console().print(table)


if __name__ == "__main__":
    main()
