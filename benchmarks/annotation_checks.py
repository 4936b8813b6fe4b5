"""Measure false alarms and detection rates of the consistency checks of annotations.

    python benchmarks/annotation_checks.py [--shared ../shared] [--rendered data/annotations/annotations.parquet]
        [--files 1500] [--json FILE]

Correct files are random people of FLIC, of a rendered sample and of COCO, with their images cropped, truncated or
resized, with boxes of several kinds, and with some of the joints. Wrong files contain one mistake each. Thresholds
were chosen on `coco_mini`, FLIC and the rendered sample. `coco_more` is listed separately, but its results were
known while rules were changed, so they are no independent estimate.
"""

import argparse
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from splitpose.annotations import BOX_COLUMNS, cast_columns, joints_of, with_joints
from splitpose.data.format_detection import detect_format
from splitpose.files import write_json
from splitpose.skeleton import INDEX
from splitpose.validation.coordinate_faults import find_coordinate_faults
from splitpose.validation.placeholders import identical_joints, placeholders

PEOPLE = (1, 2, 3, 4, 5, 6, 8, 12, 20, 50, 200)
BUCKETS = ("1 to 4", "5 to 12", "20 and more")
HELD_OUT = "coco_more"
HEAD = ("nose", "leye", "reye")
TORSO = ("lsho", "rsho", "lhip", "rhip")
UPPER_BODY = (*HEAD, "lsho", "rsho", "lelb", "relb")


@dataclass(frozen=True)
class Annotations:
    """Joints (N, K, 2), box corners (N, 2, 2) and image sizes (N, 2) of a file, px."""

    joints: np.ndarray
    boxes: np.ndarray
    sizes: np.ndarray


Change = Callable[[Annotations, np.random.Generator], Annotations]


def main() -> None:
    """Run both sweeps and print their tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with flic/ and coco_*/")
    parser.add_argument("--rendered", type=Path, default=Path("data/annotations/annotations.parquet"))
    parser.add_argument("--files", type=int, default=1500, help="correct files of each data set")
    parser.add_argument("--wrong-files", type=int, default=4, help="of each data set, mistake and number of people")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    start = time.perf_counter()
    sources = read_sources(options.shared, options.rendered)
    results: dict[str, list[dict[str, object]]] = {}
    for title, names in {"chosen on": [n for n in sources if n != HELD_OUT], "held out": [HELD_OUT]}.items():
        chosen = {name: sources[name] for name in names}
        correct = list(check_correct_files(chosen, options.files))
        wrong = list(check_wrong_files(chosen, options.wrong_files))
        show_correct(correct, f"Correct files ({title}: {', '.join(names)})")
        show_wrong(wrong, f"Wrong files ({title}: {', '.join(names)})")
        results[title] = [*correct, *wrong]
    print(f"{time.perf_counter() - start:.0f} s")
    if options.json:
        write_json(results, options.json)


def read_sources(shared: Path, rendered: Path) -> dict[str, pd.DataFrame]:
    """Return correct annotation tables by name."""
    tables = {
        "flic": read_flic(shared / "flic/annotations_train.csv"),
        "flic_person_centric": read_flic(shared / "flic/annotations_train_person_centric.csv"),
        "coco_mini": detect_format(shared / "coco_mini/person_keypoints.json").table,
        HELD_OUT: detect_format(shared / HELD_OUT / "person_keypoints.json").table,
    }
    if rendered.is_file():
        tables["rendered"] = pd.read_parquet(rendered)
    return tables


def read_flic(path: Path) -> pd.DataFrame:
    """Return the public rows of FLIC, which have no boxes, without the six that are outside their images."""
    rows = pd.read_csv(path)
    columns = {"width": 720, "height": 480, "split": "train", "group": "film", **dict.fromkeys(BOX_COLUMNS, np.nan)}
    table = cast_columns(rows.assign(**columns))
    joints = joints_of(table)
    is_inside = ((joints >= -1) & (joints <= [720, 480])).all(axis=(1, 2))
    return table[is_inside].reset_index(drop=True)


# Correct files.


def check_correct_files(sources: dict[str, pd.DataFrame], files: int) -> Iterator[dict[str, object]]:
    """Yield a row per correct file with what the checks found in it."""
    for name, source in sources.items():
        rng = np.random.default_rng(0)
        for number in range(files):
            kinds = {
                "images": list(VIEWS)[number % len(VIEWS)],
                "boxes": str(rng.choice(list(BOXES))),
                "joints": str(rng.choice(list(JOINTS), p=[0.6, 0.2, 0.2])),
            }
            count = int(rng.choice(PEOPLE))
            table = sample(source, count, rng)
            annotations = of_table(table)
            # Boxes are drawn around all joints, so that those of partly annotated people are larger.
            for step in (BOXES[kinds["boxes"]], VIEWS[kinds["images"]], JOINTS[kinds["joints"]]):
                annotations = step(annotations, rng)
            if rng.random() < 0.5:
                annotations = Annotations(annotations.joints.round(), annotations.boxes.round(), annotations.sizes)
            yield {"source": name, "people": bucket(count), **kinds} | outcome(to_table(table, annotations))


def outcome(table: pd.DataFrame) -> dict[str, object]:
    """Return the numbers of rows that the checks list, and whether the whole file is reported or fails."""
    faults = find_coordinate_faults(table)
    listings = [(faults.errors, faults.warnings), identical_joints(table), placeholders(table)]
    errors = np.any([error.notna() for error, _ in listings], axis=0)
    warnings = np.any([warning.notna() for _, warning in listings], axis=0)
    return {
        "rows": len(table),
        "findings": len(faults.findings),
        "fails": int(errors.mean() > 0.1),
        "errors": int(errors.sum()),
        "warnings": int((warnings & ~errors).sum()),
        "finding": "; ".join(faults.findings),
        "causes": sorted({text for pair in listings for column in pair for text in column.dropna()})[:5],
    }


def sample(source: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return some people: neighbours in the file, or random ones."""
    count = min(count, len(source))
    start = int(rng.integers(len(source) - count + 1))
    rows = np.arange(start, start + count) if rng.random() < 0.5 else rng.choice(len(source), count, replace=False)
    return source.iloc[np.sort(rows)].reset_index(drop=True)


def of_table(table: pd.DataFrame) -> Annotations:
    """Return the numbers of an annotation table."""
    boxes = table[BOX_COLUMNS].to_numpy(np.float64).reshape(-1, 2, 2)
    return Annotations(joints_of(table), boxes, table[["width", "height"]].to_numpy(np.float64))


def to_table(table: pd.DataFrame, annotations: Annotations) -> pd.DataFrame:
    """Return the people of a table who have joints, with these numbers, as those of one file."""
    columns = dict(zip(BOX_COLUMNS, annotations.boxes.reshape(-1, 4).T, strict=True))
    width, height = annotations.sizes.round().astype(int).T
    # A cropped image contains one person.
    images = table["image"] if len(set(map(tuple, annotations.sizes))) < len(table) else table["id"]
    ids = [f"file-{number}" for number in range(len(table))]
    changed = with_joints(table, annotations.joints)[table.columns]
    changed = changed.assign(id=ids, image=images, width=width, height=height, **columns)
    return changed[np.isfinite(annotations.joints).any(axis=(1, 2))].reset_index(drop=True)


def bucket(people: int) -> str:
    """Return the title of a number of people."""
    return BUCKETS[(people >= 5) + (people > 12)]


def extents(joints: np.ndarray) -> np.ndarray:
    """Return the corners (N, 2, 2) of the rectangles around joints (N, K, 2); infinite without joints."""
    missing = np.isnan(joints)
    low, high = np.where(missing, np.inf, joints).min(axis=1), np.where(missing, -np.inf, joints).max(axis=1)
    return np.stack([low, high], axis=1)


def around(joints: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Return boxes (N, 2, 2) around joints, each side with its own margin, a part of the longer side."""
    rectangles = extents(joints)
    sides = (rectangles[:, 1] - rectangles[:, 0]).max(axis=1)[:, None, None]
    padding = rng.uniform(low, high, rectangles.shape) * np.maximum(sides, 1) * [[[-1], [1]]]
    return np.where(np.isfinite(rectangles), rectangles + padding, np.nan)


def boxes_around(names: tuple[str, ...], low: float, high: float) -> Change:
    """Return the change that draws boxes around some joints, where all of them are annotated, within the image."""
    columns = [INDEX[name] for name in names]

    def draw(annotations: Annotations, rng: np.random.Generator) -> Annotations:
        joints = annotations.joints[:, columns]
        boxes = around(joints, low, high, rng)
        boxes[~np.isfinite(joints).all(axis=(1, 2)) if names != ALL else []] = np.nan
        return Annotations(annotations.joints, clip(boxes, annotations.sizes), annotations.sizes)

    return draw


ALL = tuple(INDEX)


def clip(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return boxes within their images; those that are outside are missing."""
    clipped = np.clip(boxes, -0.5, sizes[:, None] - 0.5)
    return np.where((clipped[:, 1] - clipped[:, 0] >= 2).all(axis=1)[:, None, None], clipped, np.nan)


def unchanged(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Return the annotations as recorded."""
    return annotations


def no_boxes(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Remove the boxes."""
    return Annotations(annotations.joints, np.full_like(annotations.boxes, np.nan), annotations.sizes)


def cut(annotations: Annotations, regions: np.ndarray) -> Annotations:
    """Cut the images to regions (N, 2, 2), with what is left of joints and boxes."""
    limits = annotations.sizes[:, None] - 1
    start = np.clip(np.floor(np.nan_to_num(regions[:, :1])), 0, limits - 8)
    end = np.clip(np.ceil(np.nan_to_num(regions[:, 1:], nan=1e9)), start + 8, limits)
    sizes = (end - start)[:, 0] + 1
    joints = annotations.joints - start
    joints = np.where(((joints >= -0.5) & (joints <= sizes[:, None] - 0.5)).all(axis=2)[..., None], joints, np.nan)
    return Annotations(joints, clip(annotations.boxes - start, sizes), sizes)


def tight_crop(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Cut each image to the person's joints with margins of 0 to 30 percent."""
    return cut(annotations, around(annotations.joints, 0, rng.choice([0.05, 0.3]), rng))


def box_crop(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Cut each image to the person's box, or joints, with margins of 0 to 10 percent."""
    corners = np.concatenate([annotations.joints, annotations.boxes], axis=1)
    return cut(annotations, around(corners, 0, 0.1, rng))


def truncating_crop(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Cut each image through the person, on two sides."""
    regions = around(annotations.joints, 0, 0.3, rng)
    shift = rng.uniform(-0.5, 0.5, (len(regions), 1, 2)) * (regions[:, 1:] - regions[:, :1])
    return cut(annotations, regions + np.nan_to_num(shift))


def rescaled(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Resize all images by the same factor of 0.25 to 4."""
    return scale(annotations, np.full((1, 2), 4 ** rng.uniform(-1, 1)))


def tiny(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Cut each image to the person, and resize its longer side to 48 to 128 px."""
    cropped = tight_crop(annotations, rng)
    return scale(cropped, rng.uniform(48, 128) / cropped.sizes.max(axis=1, keepdims=True))


def one_size(annotations: Annotations, rng: np.random.Generator) -> Annotations:
    """Stretch all images, or crops of the people, to one size."""
    if rng.random() < 0.5:
        annotations = tight_crop(annotations, rng)
    size = rng.choice([[96, 96], [128, 256], [256, 256], [640, 480], [192, 256], [4000, 3000]])
    return scale(annotations, size / annotations.sizes)


def scale(annotations: Annotations, factors: np.ndarray) -> Annotations:
    """Resize images by factors (N or 1, 2), with joints and boxes."""
    sizes = np.maximum(1, (annotations.sizes * factors).round())
    factors = (sizes / annotations.sizes)[:, None]
    joints, boxes = ((points + 0.5) * factors - 0.5 for points in (annotations.joints, annotations.boxes))
    return Annotations(joints, clip(boxes, sizes), sizes)


def only(names: tuple[str, ...]) -> Change:
    """Return the change that leaves only some joints."""
    others = [index for name, index in INDEX.items() if name not in names]

    def remove(annotations: Annotations, rng: np.random.Generator) -> Annotations:
        joints = annotations.joints.copy()
        joints[:, others] = np.nan
        return Annotations(joints, annotations.boxes, annotations.sizes)

    return remove


VIEWS: dict[str, Change] = {
    "as recorded": unchanged,
    "cropped to the joints, 0 to 30 %": tight_crop,
    "cropped to the box, 0 to 10 %": box_crop,
    "cut through the person": truncating_crop,
    "resized, 0.25 to 4": rescaled,
    "tiny crops, 48 to 128 px": tiny,
    "all of one size": one_size,
}
BOXES: dict[str, Change] = {
    "as recorded": unchanged,
    "none": no_boxes,
    "whole pose, 0 to 10 %": boxes_around(ALL, 0, 0.1),
    "person, -5 to 30 %": boxes_around(ALL, -0.05, 0.3),
    "torso, 0 to 20 %": boxes_around(TORSO, 0, 0.2),
    "upper body, 0 to 20 %": boxes_around(UPPER_BODY, 0, 0.2),
}
JOINTS: dict[str, Change] = {"all": unchanged, "upper body": only(UPPER_BODY), "head": only(HEAD)}


def show_correct(rows: list[dict[str, object]], title: str) -> None:
    """Print what was found in correct files, by kind of data and number of people."""
    table = Table("", "people", "files", "findings", "fail", "rows", "quarantined", "warnings", title=title)
    for key in ("source", "images", "boxes", "joints", "people"):
        for value in dict.fromkeys(row[key] for row in rows):
            for people in BUCKETS if key == "images" else ("all",):
                matching = [row for row in rows if row[key] == value and people in ("all", row["people"])]
                sums = [sum(row[name] for row in matching) for name in OUTCOMES]
                table.add_row(f"{key}: {value}", people, f"{len(matching):,}", *(f"{count:,}" for count in sums))
    Console(width=110).print(table)


OUTCOMES = ("findings", "fails", "rows", "errors", "warnings")


# Wrong files.

Mistake = tuple[str, str, Callable[[Annotations], Annotations]]
"""Subject and words of the cause that the finding must contain, and the mistake."""


def wrong_joints(cause: str, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Mistake:
    """Return the mistake of joints that are changed by `change(points, sizes)`."""
    return ("joints", cause, lambda a: Annotations(change(a.joints, a.sizes[:, None]), a.boxes, a.sizes))


def wrong_boxes(cause: str, change: Callable[[np.ndarray], np.ndarray]) -> Mistake:
    """Return the mistake of boxes, given as corner and size (N, 2, 2) of COCO, that are changed by `change`."""

    def apply(annotations: Annotations) -> Annotations:
        start, end = annotations.boxes[:, 0] + 0.5, annotations.boxes[:, 1] + 0.5
        corner, size = change(np.stack([start, end - start], axis=1)).swapaxes(0, 1)
        boxes = np.stack([corner, corner + size], axis=1) - 0.5
        return Annotations(annotations.joints, boxes, annotations.sizes)

    return ("boxes", cause, apply)


def wrong_both(cause: str, factor: float) -> Mistake:
    """Return the mistake of joints and boxes of images of another size."""
    return (
        "joints and boxes",
        cause,
        lambda a: Annotations(a.joints * factor, a.boxes * factor, a.sizes),
    )


MISTAKES: dict[str, Mistake] = {
    "joints in percent": wrong_joints("percentages (0..100) of the image size", lambda p, s: 100 * p / s),
    "joints in 0..1": wrong_joints("fractions (0..1) of the image size", lambda p, s: p / s),
    "joints in 0..1000": wrong_joints("thousandths (0..1000) of the image size", lambda p, s: 1000 * p / s),
    "joints, x and y exchanged": wrong_joints("px with x and y exchanged", lambda p, s: p[..., ::-1]),
    "joints, y upwards": wrong_joints(
        "px with the y axis upwards", lambda p, s: np.stack([p[..., 0], s[..., 1] - 1 - p[..., 1]], axis=-1)
    ),
    "joints, images twice as large": wrong_joints("px of images", lambda p, s: 2 * p),
    "joints, images half as large": wrong_joints("px of images", lambda p, s: p / 2),
    "joints, images of 256 x 256": wrong_joints("px of images", lambda p, s: 256 * p / s),
    "boxes of corners": wrong_boxes(
        "corners (x0, y0, x1, y1)", lambda b: np.stack([b[:, 0], b.sum(axis=1)], axis=1)
    ),
    "boxes of centre and size": wrong_boxes(
        "centre and size", lambda b: np.stack([b[:, 0] + b[:, 1] / 2, b[:, 1]], axis=1)
    ),
    "boxes, x and y exchanged": wrong_boxes("px with x and y exchanged", lambda b: b[..., ::-1]),
    "boxes, images twice as large": wrong_boxes("px of images", lambda b: 2 * b),
    "boxes, images half as large": wrong_boxes("px of images", lambda b: b / 2),
    "both, images twice as large": wrong_both("px of images about", 2),
}
WRONG_PEOPLE = (1, 3, 5, 10, 20, 50)


def check_wrong_files(sources: dict[str, pd.DataFrame], files: int) -> Iterator[dict[str, object]]:
    """Yield a row per wrong file with what the checks found in it."""
    for name, source in sources.items():
        rng = np.random.default_rng(1)
        for mistake, (subject, cause, change) in MISTAKES.items():
            for people in WRONG_PEOPLE:
                for kind in ("with boxes", "without boxes")[: 1 + (subject == "joints")]:
                    for _ in range(files):
                        table = sample(source, people, rng)
                        annotations = of_table(table)
                        if kind == "without boxes":
                            annotations = no_boxes(annotations, rng)
                        elif not np.isfinite(annotations.boxes).any():
                            annotations = BOXES["torso, 0 to 20 %"](annotations, rng)
                        found = outcome(to_table(table, change(annotations)))
                        words = rf"the {subject} of [\d,]+ of [\d,]+ people look like {re.escape(cause)}"
                        is_right = re.search(words, str(found["finding"])) is not None
                        names = {"source": name, "mistake": f"{mistake}, {kind}", "people": people}
                        yield names | found | {"is_right": int(is_right)}


def show_wrong(rows: list[dict[str, object]], title: str) -> None:
    """Print how many of the wrong files were found, with which cause, by mistake and number of people."""
    table = Table("found / with the right cause / rows in quarantine, %", *map(str, WRONG_PEOPLE), title=title)
    groups = defaultdict(list)
    for row in rows:
        groups[row["mistake"], row["people"]].append(row)
    for mistake in dict.fromkeys(row["mistake"] for row in rows):
        cells = []
        for people in WRONG_PEOPLE:
            group = groups[mistake, people]
            found = np.mean([row["findings"] > 0 for row in group])
            right = np.mean([row["is_right"] for row in group])
            quarantined = np.mean([row["errors"] / row["rows"] for row in group])
            cells.append(f"{found:.0%} / {right:.0%} / {quarantined:.0%}".replace("%", ""))
        table.add_row(str(mistake), *cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
