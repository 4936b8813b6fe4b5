"""report: what all variants scored, side by side, as JSON, Markdown, figures and one page."""

from pathlib import Path

import cv2

from splitpose import annotations
from splitpose.annotations import SPLITS
from splitpose.files import read_json, whole_file, whole_folder, write_json
from splitpose.report import comparison, figures, page, tables
from splitpose.report.prediction_sheet import prediction_sheet
from splitpose.scoring import predictions
from splitpose.scoring.agreement import agreement
from splitpose.scoring.pck import normalised_errors
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.training import history

PEOPLE_SHOWN = 12


def report(profile: Path, params: Path, data: Path, annotated: Path, reports: Path) -> None:
    """Compare the variants."""
    variants = list(load(Params, params).variants)
    scoring = load(Profile, profile).scoring
    torso = scoring.torso_joints
    metrics, timings = reports / "metrics", reports / "benchmark" / "local"
    compared = comparison.compare(profile.stem, variants, metrics, reports / "parity", timings)
    table = annotations.read(annotated / "annotations.parquet").set_index("id", drop=False)
    agreements = {
        split: agreement(rows, scoring.thresholds, scoring.torso, scoring.resamples, scoring.seed)
        for split, rows in (("test", table[table["split"] == "test"]), ("train", table[table["split"] != "test"]))
    }
    histories = {name: history.read(reports / "history" / f"{name}.csv") for name in variants}
    errors, sheets = {}, {}
    for name in variants:
        ids, predicted = predictions.read(reports / "predictions" / f"{name}.csv")
        errors[name] = normalised_errors(predictions.truth_of(table, ids), predicted, torso)
        sheet = prediction_sheet(table.loc[ids], predicted, data, PEOPLE_SHOWN, torso)
        sheets[name] = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    drawn = figures.all_figures(compared, errors, histories, tables.people(compared))

    with whole_folder(reports / "figures") as folder:
        for name, picture in drawn.items():
            (folder / f"{name}.png").write_bytes(picture)
        for name, picture in sheets.items():
            (folder / f"predictions_{name}.jpg").write_bytes(picture)
    with whole_file(reports / "comparison.md") as beside:
        beside.write_text(page.markdown(compared))
    with whole_file(reports / "index.html") as beside:
        html = page.render(
            compared,
            comparison.protocol(variants, metrics),
            comparison.devices(variants, timings),
            drawn,
            sheets,
            read_json(annotated / "checks.json", made_by="`dvc repro validate`"),
            agreements,
            {split: (reports / "crops" / f"{split}.jpg").read_bytes() for split in SPLITS},
            profile.read_text(),
        )
        beside.write_text(html)
    write_json(agreements, reports / "label_ceiling.json")
    write_json(compared, reports / "comparison.json")


if __name__ == "__main__":
    run(report)
