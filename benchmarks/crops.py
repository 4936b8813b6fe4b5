"""Measure the speed of crop extraction on this machine, relative to image decoding, and the time of its steps.

    python benchmarks/crops.py [--profile profiles/flic.yaml] [--images 24] [--instances 400]

Renders images to a temporary folder and extracts the crops of their instances with the profile's settings, with the
steps of the augment stage: reading, hashing, decoding, warping, encoding, writing shards.
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

INSTANCES_IN_MEMORY = 100
"""Instances whose images are in memory at the same time, so that each step is timed separately."""


def main() -> None:
    """Measure the speed and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", type=Path, default=Path("profiles/flic.yaml"))
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--instances", type=int, default=400)
    options = parser.parse_args()
    settings = load(Profile, options.profile).crops
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        table = render_instances(data, options.images, options.instances)
        images_per_s = decoding_speed(table, data)
        crops_per_s = extraction_speed(table, data, settings)
        seconds_by_step = time_steps(table, data, settings)
    show(settings, len(table), images_per_s, crops_per_s, seconds_by_step)


def render_instances(data: Path, image_count: int, instance_count: int) -> pd.DataFrame:
    """Return the annotation table of training instances that share about `image_count` rendered images."""
    sample.render(data / "raw", max(image_count, 5), films=5, seed=1, workers=shards.WORKERS)
    table = annotations.prefix_images(flic.read(data / "raw", "observer").table, "raw")
    table = pd.concat([table] * (instance_count // len(table) + 1), ignore_index=True).iloc[:instance_count]
    return table.assign(split="train", id=[f"instance-{n}" for n in range(instance_count)])


def decoding_speed(table: pd.DataFrame, data: Path) -> float:
    """Return the number of images per second that are read and decoded, on all cores."""
    cv2.setNumThreads(1)
    paths = [data / image for image in table["image"]]
    with ThreadPoolExecutor(shards.WORKERS) as pool:
        start = perf_counter()
        for _ in pool.map(images.read, paths):
            pass
    return len(paths) / (perf_counter() - start)


def extraction_speed(table: pd.DataFrame, data: Path, settings: Crops) -> float:
    """Return the number of crops per second from images on disk to shards on disk, on all cores."""
    start = perf_counter()
    planned = shards.plan(table, data, settings)
    shards.write(planned, data, settings, data / "crops")
    return sum(shard.crop_count(settings) for shard in planned) / (perf_counter() - start)


def time_steps(table: pd.DataFrame, data: Path, settings: Crops) -> dict[str, float]:
    """Return the seconds that each step takes per crop, on one core."""
    instances = to_instances(table.iloc[:INSTANCES_IN_MEMORY], settings)
    times = [perf_counter()]
    pyramids = [ImagePyramid(images.read(data / instance.image, instance.image_size)) for instance in instances]
    times.append(perf_counter())
    pairs = zip(instances, pyramids, strict=True)
    crops = [crop for instance, image in pairs for crop in extract_crops(instance, image, settings, "train")]
    times.append(perf_counter())
    records = [tfrecords.encode(crop) for crop in crops]
    times.append(perf_counter())
    tfrecords.write(records, data / "steps.tfrecord")
    times.append(perf_counter())
    steps = ("read and decode", "warp and colour jitter", "encode JPEG and record", "write")
    return {step: (end - start) / len(crops) for step, start, end in zip(steps, times[:-1], times[1:], strict=True)}


def show(
    settings: Crops,
    instance_count: int,
    images_per_s: float,
    crops_per_s: float,
    seconds_by_step: dict[str, float],
) -> None:
    """Print the results."""
    console = Console()
    title = f"{instance_count} instances, {settings.copies_per_instance} crops of {settings.size} px each"
    table = Table("metric", "value", title=title)
    table.add_row("cores (load average)", f"{os.cpu_count()} ({os.getloadavg()[0]:.1f})")
    table.add_row("decoding only", f"{images_per_s:.0f} images/s")
    table.add_row("crops, disk to disk", f"{crops_per_s:.0f} crops/s")
    table.add_row("crops per image decoded", f"{crops_per_s / images_per_s:.2f}")
    console.print(table)
    table = Table("step", "per crop, one core", "share", title="time by step")
    for step, seconds in seconds_by_step.items():
        table.add_row(step, f"{seconds * 1e6:.0f} us", f"{seconds / sum(seconds_by_step.values()):.0%}")
    console.print(table)


if __name__ == "__main__":
    main()
