"""report: what all variants scored, side by side, as one page, Markdown, figures and JSON."""

from pathlib import Path

from splitpose.files import atomic_file, atomic_folder, write_json
from splitpose.report import markdown, page, plots, results, sections
from splitpose.settings import Params, Profile, load
from splitpose.stages.command import run
from splitpose.tracking import lineage


def report(profile: Path, params: Path, data: Path, annotated: Path, reports: Path) -> None:
    """Compare the variants."""
    variants = list(load(Params, params).variants)
    found = results.read(profile, load(Profile, profile).scoring, variants, data, annotated, reports)
    whole = sections.report(found, lineage(Path.cwd(), variants))

    with atomic_folder(reports / "figures") as folder:
        for picture in whole.pictures():
            (folder / Path(picture.name).name).write_bytes(picture.content)
    with atomic_folder(reports / "plots") as folder:
        plots.write(found, folder)
    with atomic_file(reports / "comparison.md") as beside:
        beside.write_text(markdown.render(whole))
    with atomic_file(reports / "index.html") as beside:
        beside.write_text(page.render(whole))
    write_json(found.agreements, reports / "label_ceiling.json")
    write_json(found.differences, reports / "differences.json")
    write_json(found.slices, reports / "slices.json")
    write_json(found.comparison, reports / "comparison.json")


if __name__ == "__main__":
    run(report)
