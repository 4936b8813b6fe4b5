"""report: render the results of the earlier stages as a web page, Markdown and figures."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from splitpose import annotations, paths
from splitpose.annotations import SPLITS
from splitpose.benchmark.schema import Benchmark
from splitpose.drawing import encode_jpeg
from splitpose.files import atomic_file, atomic_folder, read_json
from splitpose.report import markdown, page
from splitpose.report.builder import build_report
from splitpose.report.inputs import PreviousComparison, ReportInputs
from splitpose.report.prediction_sheet import hardest_sheet, prediction_sheet
from splitpose.settings import Params, load
from splitpose.stages.command import run
from splitpose.stages.stage_outputs import Reports, existing
from splitpose.tracking import lineage
from splitpose.tracking.previous_comparison import find_previous_comparison


def report(profile: Path, params: Path, data: Path, annotated: Path, reports: Path) -> None:
    """Render the report."""
    stage_reports = Reports(reports)
    document = build_report(read_inputs(profile, load(Params, params), data, annotated, stage_reports))

    with atomic_folder(stage_reports.path(paths.FIGURES)) as folder:
        for image in document.images():
            (folder / Path(image.name).name).write_bytes(image.content)
    with atomic_file(stage_reports.path(paths.COMPARISON_MARKDOWN)) as temporary:
        temporary.write_text(markdown.render(document))
    with atomic_file(stage_reports.path(paths.PAGE)) as temporary:
        temporary.write_text(page.render(document, datetime.now().astimezone()))


def read_inputs(profile: Path, params: Params, data: Path, annotated: Path, reports: Reports) -> ReportInputs:
    """Read all files that the report renders, and draw the contact sheets of predictions.

    Raises:
        InputError: a file is missing or invalid; the stage that writes it is named.
    """
    variants = list(params.variants)
    comparison = reports.read_json(paths.COMPARISON, "compare")
    selected = reports.read_json(paths.SELECTED_INSTANCES, "compare")
    table = annotations.read(existing(annotated / paths.ANNOTATION_TABLE.name, "validate")).set_index("id")
    predictions = {
        name: pd.read_csv(
            reports.existing(paths.predictions(name), f"evaluate@{name}"), dtype={"id": str}
        ).set_index("id")
        for name in variants
    }
    return ReportInputs(
        comparison=comparison,
        recommendation=reports.read_json(paths.RECOMMENDATION, "compare"),
        paired_differences=reports.read_json(paths.PAIRED_DIFFERENCES, "compare"),
        seed_variation=reports.read_json(paths.SEED_VARIATION, "compare"),
        slices=reports.read_json(paths.SLICES, "compare"),
        pck_curves=reports.read_json(paths.PCK_CURVES, "compare"),
        annotator_agreement=reports.read_json(paths.ANNOTATOR_AGREEMENT, "compare"),
        metrics=reports.read_variants(paths.metrics, "evaluate", variants),
        decodings=reports.read_variants(paths.decodings, "evaluate", variants),
        robustness=reports.read_variants(paths.robustness, "evaluate", variants),
        person_detection=reports.read_variants(paths.person_detection, "convert", variants),
        benchmarks={
            name: Benchmark.read(reports.existing(paths.benchmark(name), f"benchmark@{name}")) for name in variants
        },
        histories={name: pd.read_csv(reports.existing(paths.history(name), f"select@{name}")) for name in variants},
        timings={name: _read_training_times(reports, name, params.repeats) for name in variants},
        prediction_sheets={
            name: encode_jpeg(prediction_sheet(table, predictions[name], entries, data))
            for name, entries in selected["variants"].items()
        },
        hardest_sheet=encode_jpeg(hardest_sheet(table, predictions, selected["hardest"], data)),
        case_sheets={
            name: reports.existing(paths.cases(name), f"evaluate@{name}").read_bytes() for name in variants
        },
        crop_sheets={split: reports.existing(paths.crop_sheet(split), "augment").read_bytes() for split in SPLITS},
        validation_summary=read_json(annotated / paths.VALIDATION_SUMMARY.name, "`dvc repro validate`"),
        profile_text=profile.read_text(),
        lineage=lineage(Path.cwd(), variants),
        comparators=_read_comparators(reports.path(paths.COMPARATORS), profile.stem),
        previous=_find_previous(comparison),
    )


def _read_training_times(reports: Reports, variant: str, repeats: Sequence[int]) -> dict[str, float | None]:
    """Return the seconds of each training stage, summed over the repeats; None if those of a repeat are unknown."""
    seconds = {}
    for stage in ("train_frozen", "fine_tune"):
        key = f"{stage}_seconds"
        times = [
            reports.read_json(paths.training_time(stage, variant, repeat), f"{stage}@{variant}-{repeat}")[key]
            for repeat in repeats
        ]
        seconds[key] = None if None in times else round(sum(times), 1)
    return seconds


def _read_comparators(path: Path, profile: str) -> dict[str, Any] | None:
    """Read the results of the comparators stage; return None if it did not run with this profile."""
    if not path.is_file():
        return None
    content: dict[str, Any] = read_json(path, produced_by="`make comparators`")
    return content if content.get("profile") == profile else None


def _find_previous(comparison: dict[str, Any]) -> PreviousComparison | None:
    found = find_previous_comparison(Path.cwd(), comparison)
    return PreviousComparison(*found) if found else None


if __name__ == "__main__":
    run(report)
