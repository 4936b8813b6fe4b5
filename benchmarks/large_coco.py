"""Measure seconds and peak memory of reading a large COCO keypoints JSON.

    python benchmarks/large_coco.py [--people 260000] [--images 64115] [--megabytes 500] [--json FILE]

Writes a JSON like COCO's own person_keypoints_train2017.json, with segmentations and all keys of its images, to a
temporary folder; there are no image files. Each step runs in a process of its own, whose peak includes Python and
the libraries (about 150 MB). `--file FILE` measures an existing JSON instead.
"""

import argparse
import json
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from splitpose.data import coco
from splitpose.data.fingerprint import FileHashes
from splitpose.data.formats import coco_json
from splitpose.data.people import ReadOptions
from splitpose.files import write_json

KEYPOINTS = [
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle"),
]
WIDTH, HEIGHT = 640, 480
BYTES_WITHOUT_SEGMENTATION = 480
"""Length of an annotation without its polygon, on average, and the share of its image."""
BYTES_PER_NUMBER = 7
"""Length of a number of a polygon with its separator, on average."""


def main() -> None:
    """Write the file, measure the steps and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=260_000)
    parser.add_argument("--images", type=int, default=64_115)
    parser.add_argument("--megabytes", type=int, default=500, help="approximate size of the file")
    parser.add_argument("--file", type=Path, help="measure this JSON instead")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = options.file or Path(name) / "annotations.json"
        if not options.file:
            write_source(path, options.people, options.images, options.megabytes)
        steps: dict[str, Callable[[Path], int]] = {
            "loading": load,
            "images for the fingerprint": list_images,
            "reader: annotation table": read_table,
        }
        rows = [{"step": title} | measure(step, path.resolve()) for title, step in steps.items()]
        show(rows, path.stat().st_size)
    if options.json:
        write_json({"rows": rows}, options.json)


def write_source(path: Path, people: int, images: int, megabytes: int) -> None:
    """Write a COCO keypoints JSON of about this size, one entry after the other."""
    rng = np.random.default_rng(0)
    polygon_numbers = max(6, round((megabytes * 1e6 / people - BYTES_WITHOUT_SEGMENTATION) / BYTES_PER_NUMBER))
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": KEYPOINTS, "skeleton": [[1, 2]]}
    with path.open("w") as file:
        file.write('{"info": {"year": 2017}, "licenses": [], "images": [')
        for number in range(images):
            file.write(", " * (number > 0) + json.dumps(image_entry(number)))
        file.write('], "annotations": [')
        for number in range(people):
            file.write(", " * (number > 0) + json.dumps(person_entry(number, images, polygon_numbers, rng)))
        file.write(f'], "categories": [{json.dumps(category)}]}}')


def image_entry(number: int) -> dict[str, Any]:
    """Return an entry of `images` with all keys that COCO's own files have."""
    name = f"{number:012d}.jpg"
    urls = {"coco_url": f"http://images.example/train2017/{name}", "flickr_url": f"http://photos.example/{number}"}
    size = {"height": HEIGHT, "width": WIDTH}
    return {"license": 3, "file_name": name, "id": number, "date_captured": "2013-11-14 11:18:45"} | size | urls


def person_entry(number: int, images: int, polygon_numbers: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return an entry of `annotations`, with a polygon of this many numbers."""
    points = rng.integers([0, 0, 1], [WIDTH, HEIGHT, 3], (len(KEYPOINTS), 3))
    return {
        "segmentation": [rng.uniform(0, WIDTH, polygon_numbers).round(2).tolist()],
        "num_keypoints": len(KEYPOINTS),
        "area": 28292.08625,
        "iscrowd": 0,
        "keypoints": points.ravel().tolist(),
        "image_id": number % images,
        "bbox": [267.03, 104.32, 229.19, 320.0],
        "category_id": 1,
        "id": 183126 + number,
    }


def measure(step: Callable[[Path], int], path: Path) -> dict[str, float]:
    """Return people or images, seconds and peak memory in GB of a step in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, step, path).result()


def run(step: Callable[[Path], int], path: Path) -> dict[str, float]:
    """Run a step in this process."""
    start = perf_counter()
    count = step(path)
    seconds = perf_counter() - start
    return {"count": count, "seconds": seconds, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def load(path: Path) -> int:
    """Load the JSON; return the number of people."""
    return len(coco_json.load(path).annotations)


def list_images(path: Path) -> int:
    """Return the number of annotated images."""
    return len(FileHashes(path.with_suffix(".hashes")).annotated_images(path, "changed"))


def read_table(path: Path) -> int:
    """Read the annotation table; return its length."""
    options = ReadOptions(min_joints=1, min_side=0)
    return len(coco.read(path, [path.parent], path.parent, options).table)


def show(rows: list[dict[str, Any]], size: int) -> None:
    """Print a row per step."""
    table = Table("", "people or images", "seconds", "peak GB", title=f"COCO JSON of {size / 1e6:.0f} MB")
    for row in rows:
        table.add_row(row["step"], f"{row['count']:,}", f"{row['seconds']:.1f}", f"{row['peak_gb']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
