"""The report as one HTML page that needs nothing beside it, and its tables as Markdown."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from splitpose.report import published, tables

FIGURES = {
    "joint_scores": (
        "Joints",
        "PCK@0.2 of every joint. Each 95 % interval is of one variant alone; the difference of two, on "
        "the same people, has an interval of its own.",
    ),
    "loss_curves": (
        "Loss",
        "Training and validation loss over both phases, log scale (paper, Figure 4). Losses on "
        "coordinates and losses on heatmaps are of different kinds and do not compare.",
    ),
    "threshold_curves": (
        "Accuracy against threshold",
        "Share of elbows and wrists within a threshold; the grey line stands at 0.2 (paper, Figure 5).",
    ),
    "validation_curves": (
        "Validation accuracy",
        "PCK@0.2 of the validation people while training. The dot marks the weights that were kept.",
    ),
    "latency_accuracy": (
        "Latency and accuracy",
        "The float32 and the int8 file of each variant: p50 latency on the benchmark's device, "
        "PCK@0.2 of the file itself.",
    ),
}
"""Title and caption of each figure, by the name of its file."""

VIEWPOINTS = {
    "observer": "left and right are the observer's, as in the published figures",
    "person": "left and right are the person's own; about 5 points lower than the observer's on FLIC",
    "as-is": "left and right are taken as they stand in the annotations",
}


def render(
    comparison: Mapping[str, Any],
    protocol: Mapping[str, Any],
    devices: Mapping[str, Mapping[str, Any]],
    figures: Mapping[str, bytes],
    predictions: Mapping[str, bytes],
    checks: Mapping[str, Any],
    agreement: Mapping[str, Any],
    crops: Mapping[str, bytes],
    profile: str,
) -> str:
    """The page as HTML, all pictures inside it.

    Args:
        comparison: of `comparison.compare`.
        protocol: of `comparison.protocol`.
        devices: of `comparison.devices`.
        figures: PNGs, by a name of FIGURES.
        predictions: a PNG or JPEG a variant, of `drawing.prediction_sheet`.
        checks: the data's summary, the content of checks.json.
        agreement: what `scoring.agreement` gives, a split.
        crops: a sheet of crops as PNG or JPEG, a split.
        profile: text of the profile's YAML file.
    """
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return template.from_string(Path(__file__).with_name("page.html").read_text()).render(
        profile_name=comparison["profile"],
        stand_in=tables.STAND_IN if tables.stand_in(comparison) else None,
        people=tables.people(comparison),
        protocol=protocol,
        viewpoint=VIEWPOINTS.get(protocol["viewpoint"], protocol["viewpoint"]),
        source=published.SOURCE,
        comparison_tables=[tables.accuracy(comparison), tables.files(comparison)],
        paper_tables=tables.paper_tables(comparison),
        devices=_grouped(devices),
        figures=[(*FIGURES[name], _data_uri(picture)) for name, picture in figures.items()],
        predictions=[(name, _data_uri(picture)) for name, picture in predictions.items()],
        checks=list(_flat(checks)),
        ceiling=tables.label_ceiling(agreement),
        crops=[(split, _data_uri(picture)) for split, picture in crops.items()],
        profile=profile,
    )


def markdown(comparison: Mapping[str, Any]) -> str:
    """All tables as Markdown."""
    parts = [f"# Comparison, profile {comparison['profile']}"]
    if tables.stand_in(comparison):
        parts.append(f"**{tables.STAND_IN}**")
    for table in tables.all_tables(comparison):
        lines = [_markdown_row(table.headers), _markdown_row(["---"] + ["---:"] * (len(table.headers) - 1))]
        lines += [_markdown_row(row) for row in table.rows]
        parts += [f"## {table.title}", "\n".join(lines), table.note]
    return "\n\n".join(parts) + "\n"


def _markdown_row(cells: Any) -> str:
    """Cells as one line; a second line of a cell, its interval, goes into brackets."""
    texts = []
    for cell in cells:
        first, _, second = cell.replace("|", "\\|").partition("\n")
        texts.append(f"{first} ({second})" if second else first)
    return f"| {' | '.join(texts)} |"


def _data_uri(picture: bytes) -> str:
    """A PNG or JPEG as an address that holds the picture itself."""
    kind = "jpeg" if picture.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _grouped(devices: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Variants that were timed on the same device together: ("baseline, split", facts)."""
    groups: list[tuple[list[str], Mapping[str, Any]]] = []
    for variant, facts in devices.items():
        same = next((names for names, known in groups if known == facts), None)
        if same is None:
            groups.append(([variant], facts))
        else:
            same.append(variant)
    return [(", ".join(names), list(_flat(facts))) for names, facts in groups]


def _flat(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested keys and values as pairs of text: {"a": {"b": 1}} -> ("a, b", "1")."""
    for key, value in content.items():
        name = f"{above}, {key}" if above else str(key)
        name = name.replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    """A value in words."""
    if value is None:
        return tables.MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    return str(value)
