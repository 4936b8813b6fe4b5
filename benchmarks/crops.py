"""How fast crops are made on this machine, beside reading and decoding their pictures alone, and where time goes.

    python benchmarks/crops.py [--profile profiles/flic.yaml] [--pictures 24] [--people 400]

Renders pictures into a temporary folder, then cuts `people` people out of them with the profile's crop settings, as
the augment stage does: reading, hashing, decoding, warping, encoding, writing shards. Nothing is kept.
"""

import argparse
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import cv2
import pandas as pd
from rich.console import Console
from rich.table import Table

from splitpose import annotations, images
from splitpose.crops import shards, tfrecords
from splitpose.crops.augmentation import extract_crops
from splitpose.crops.geometry import ImagePyramid
from splitpose.crops.instances import to_instances
from splitpose.data import flic
from splitpose.settings import Crops, Profile, load
from splitpose.synthetic import sample

HELD = 100
"""People whose pictures are held in memory at once, to time one step after the other."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", type=Path, default=Path("profiles/flic.yaml"))
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--people", type=int, default=400)
    options = parser.parse_args()
    settings = load(Profile, options.profile).crops
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        people = rendered_people(data, options.pictures, options.people)
        decoded = decode_alone(people, data)
        made = whole_path(people, data, settings)
        steps = single_steps(people, data, settings)
    show(settings, len(people), decoded, made, steps)


def rendered_people(data: Path, pictures: int, people: int) -> pd.DataFrame:
    """The annotation table of `people` training people, who take turns in about `pictures` rendered pictures."""
    sample.render(data / "raw", max(pictures, 5), films=5, seed=1, workers=shards.WORKERS)
    table = annotations.below(flic.read(data / "raw", "observer").table, "raw")
    table = pd.concat([table] * (people // len(table) + 1), ignore_index=True).iloc[:people]
    return table.assign(split="train", id=[f"person-{n}" for n in range(people)])


def decode_alone(people: pd.DataFrame, data: Path) -> float:
    """Pictures a second that are read and decoded and nothing else, on all cores."""
    cv2.setNumThreads(1)
    paths = [data / image for image in people["image"]]
    with ThreadPoolExecutor(shards.WORKERS) as pool:
        start = perf_counter()
        for _ in pool.map(images.read, paths):
            pass
    return len(paths) / (perf_counter() - start)


def whole_path(people: pd.DataFrame, data: Path, settings: Crops) -> float:
    """Crops a second from pictures on disk to shards on disk, on all cores."""
    start = perf_counter()
    planned = shards.plan(people, data, settings)
    shards.write(planned, data, settings, data / "crops")
    return sum(shard.crop_count(settings) for shard in planned) / (perf_counter() - start)


def single_steps(people: pd.DataFrame, data: Path, settings: Crops) -> dict[str, float]:
    """Seconds that each step takes a crop, on one core."""
    people_to_cut = to_instances(people.iloc[:HELD], settings)
    marks = [perf_counter()]
    sources = [ImagePyramid(images.read(data / person.image, person.image_size)) for person in people_to_cut]
    marks.append(perf_counter())
    pairs = zip(people_to_cut, sources, strict=True)
    crops = [crop for person, picture in pairs for crop in extract_crops(person, picture, settings, "train")]
    marks.append(perf_counter())
    serialised = [tfrecords.encode(crop) for crop in crops]
    marks.append(perf_counter())
    tfrecords.write(serialised, data / "steps.tfrecord")
    marks.append(perf_counter())
    steps = ("read and decode", "warp and light", "encode JPEG and record", "write")
    return {step: (end - start) / len(crops) for step, start, end in zip(steps, marks[:-1], marks[1:], strict=True)}


def show(settings: Crops, people: int, decoded: float, made: float, steps: dict[str, float]) -> None:
    """Print the figures."""
    console = Console()
    figures = Table(
        "figure", "value", title=f"{people} people, {settings.copies_per_instance} crops of {settings.size} px each"
    )
    figures.add_row("cores (load now)", f"{os.cpu_count()} ({os.getloadavg()[0]:.1f})")
    figures.add_row("decode alone", f"{decoded:.0f} pictures/s")
    figures.add_row("crops, disk to disk", f"{made:.0f} crops/s")
    figures.add_row("crops for each picture decoded alone", f"{made / decoded:.2f}")
    console.print(figures)
    parts = Table("step", "a crop, one core", "share", title="where the time goes")
    for step, seconds in steps.items():
        parts.add_row(step, f"{seconds * 1e6:.0f} us", f"{seconds / sum(steps.values()):.0%}")
    console.print(parts)


if __name__ == "__main__":
    main()
