"""The first sections: the comparison of the variants, and the changes since the previous state."""

from splitpose.report import seeds, tables
from splitpose.report.document import Section
from splitpose.report.figures import accuracy, latency
from splitpose.report.inputs import ReportInputs
from splitpose.report.previous_table import previous_table
from splitpose.report.sections.blocks import figure


def comparison_section(inputs: ReportInputs) -> Section:
    """Build the section that compares the variants: the main table and the main figures."""
    data = tables.describe_data(inputs.comparison)
    annotators = (
        " Two annotators: PCK between two annotations of one person." if _has_second_annotations(inputs) else ""
    )
    return Section(
        "comparison",
        "Comparison",
        tuple(filter(None, (seeds.describe_exported(inputs.comparison),))),
        (
            tables.accuracy_table(inputs.comparison, inputs.timings),
            figure(
                "latency_accuracy",
                "Latency and accuracy",
                "The float32 and the int8 file of each variant: p50 latency on the target device, PCK@0.2 of the "
                "file itself.",
                latency.plot_latency_accuracy(inputs.comparison, data),
            ),
            figure(
                "pck_curves",
                "PCK and threshold",
                "PCK of elbows and wrists against the threshold; the vertical line is at 0.2 (paper, Figure 5). "
                f"Each band is the 95 % interval over people of one model alone.{annotators}",
                accuracy.plot_pck_curves(inputs.pck_curves, data),
            ),
        ),
        collapsed=False,
    )


def previous_section(inputs: ReportInputs) -> Section:
    """Build the section on the changes since the comparison of an earlier commit."""
    previous = inputs.previous
    if previous is None:
        text = (
            "There is no previous state to compare with: DVC's cache has no comparison of this profile "
            "from an earlier commit."
        )
        return Section("previous", "Change since the previous state", (text,), collapsed=False)
    text = f"Previous state: the comparison of commit {previous.commit[:10]} of {previous.date}."
    table = previous_table(inputs.comparison, previous.comparison)
    return Section("previous", "Change since the previous state", (text,), (table,), collapsed=False)


def _has_second_annotations(inputs: ReportInputs) -> bool:
    """Return whether some test person is annotated twice."""
    return inputs.pck_curves["annotators"] is not None
