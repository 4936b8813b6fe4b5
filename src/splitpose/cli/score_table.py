"""Scores of predictions as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from splitpose.evaluation.person_area import AREA_PER_BOX
from splitpose.evaluation.summary import GROUPS
from splitpose.skeleton import FULL_NAMES

GROUP_NAMES = {"mean": "mean of the joints", "elbow": "elbows", "wrist": "wrists", **FULL_NAMES}
VIEWPOINTS = {
    "as-is": "left and right as annotated",
    "observer": "left and right as the observer sees them",
}
WIDTH = 110

OKS_SCORES = ("AP", "AP50", "AP75", "AR")
SCORES = {
    "score": "the score of each prediction",
    "confidence": "the mean confidence of the joints",
    "none": "1 for all predictions, because the file has none, so that AP depends on their order",
}
AREAS = {
    "annotation": "as annotated",
    "box": f"{AREA_PER_BOX} of the box's",
    "joints": "the square of the longer side of the joints' extent",
    "median": "the median of the others",
}


def print_scores(result: Mapping[str, Any]) -> None:
    """Print the result of `csv_scoring.score`: formats, scores by joint, OKS, and everything that is not scored."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    formats = "; ".join(f"{file}: {description}" for file, description in result["formats"].items())
    console.print("\n".join([formats, *result["notes"]]), soft_wrap=True, markup=False)
    console.print(_table(result))
    console.print(_oks_table(result["oks"]))
    console.print("\n".join(_notes(result)), soft_wrap=True, markup=False)


def _table(result: Mapping[str, Any]) -> Table:
    (limit, area), *_ = result["auc"].items()
    columns = {f"PCK@{at}": (groups, result["ci95"][at]) for at, groups in result["pck"].items()}
    columns[f"AUC@{limit}"] = (area, area["ci95"])
    out = Table(box=None, padding=(0, 2, 0, 0))
    out.add_column(f"{result['n']} people")
    for header in columns:
        out.add_column(header, justify="right")
    for group in GROUPS:
        if area[group] is not None:
            cells = [_format(values[group], intervals[group]) for values, intervals in columns.values()]
            out.add_row(GROUP_NAMES[group], *cells)
    return out


def _oks_table(oks: Mapping[str, Any]) -> Table:
    out = Table(box=None, padding=(0, 2, 0, 0))
    out.add_column("OKS")
    for name in OKS_SCORES:
        out.add_column(name, justify="right")
    joints = len(oks["joints"])
    people = (
        f"{oks['n']} {'person' if oks['n'] == 1 else 'people'}, {joints} {'joint' if joints == 1 else 'joints'}"
    )
    out.add_row(people, *("–" if oks[name] is None else f"{oks[name]:.1f}" for name in OKS_SCORES))
    return out


def _format(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def _notes(result: Mapping[str, Any]) -> list[str]:
    start, end = result["torso"].split("-")
    cluster = result["bootstrap_cluster"]
    unit = f"clusters of rows with the same {cluster!r}" if cluster else "people"
    notes = [
        f"Percent of annotated joints, with 95 % intervals (bootstrap over {unit}).",
        "AUC: area under the PCK curve from 0 to the stated threshold.",
        f"Torso diameter: {FULL_NAMES[start]} to {FULL_NAMES[end]} of the annotations ({result['torso']}).",
        f"Viewpoint: {VIEWPOINTS[result['viewpoint']]} ({result['viewpoint']}).",
    ]
    (area,) = result["auc"].values()
    if unscored := [name for name in FULL_NAMES if area[name] is None]:
        notes.append(f"Not scored because not in both files: {', '.join(FULL_NAMES[name] for name in unscored)}.")
    if result["without_torso"]:
        notes.append(
            f"Not scored because their torso is not annotated: {result['without_torso']} of {result['n']} people."
        )
    unmatched = result["unmatched"]
    if result["matching"] == "image":
        notes.append(
            "Matched by image, and there by OKS in order of the scores: unmatched are "
            f"{unmatched['annotations']} annotated people, all of whose joints count as missed, and "
            f"{unmatched['predictions']} predictions."
        )
    if result["images_without_predictions"]:
        notes.append(f"Images with people but without a prediction: {result['images_without_predictions']}.")
    return notes + _oks_notes(result["oks"])


def _oks_notes(oks: Mapping[str, Any]) -> list[str]:
    areas = "; ".join(f"{AREAS[source]} ({count})" for source, count in sorted(oks["area_from"].items()))
    scores = f"Scores: {SCORES[oks['scores_from']]}"
    if oks["scores_from"] != "none" and oks["without_score"]:
        scores += f", and 1 for {oks['without_score']} predictions without one"
    notes = [
        "OKS: average precision and recall in percent, as COCO computes them (OKS 0.50 to 0.95, 20 per image).",
        f"{scores}. Areas of people: {areas or 'none'}.",
    ]
    if oks["ignored"]:
        notes.append(f"Ignored in OKS because crowd, or without joints or an area: {oks['ignored']} people.")
    return notes
