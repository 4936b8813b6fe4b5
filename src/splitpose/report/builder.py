"""Construction of the report from its inputs."""

from splitpose.report import paper_results, tables
from splitpose.report.conclusion import describe_file, describe_test_people, write_conclusion
from splitpose.report.document import Report
from splitpose.report.inputs import ReportInputs
from splitpose.report.sections import accuracy, background, device, overview, training

ALL_VARIANTS = "all variants"
"""Key of the lineage that all variants share."""


def build_report(inputs: ReportInputs) -> Report:
    """Build the report: first the conclusion and the comparison, then details in collapsed sections."""
    return Report(
        title=f"Small upper-body pose models, profile {inputs.comparison['profile']}",
        conclusion=write_conclusion(inputs),
        summary=tuple(filter(None, (_summarise(inputs), describe_file(inputs)))),
        warning=tables.SYNTHETIC_WARNING if tables.is_synthetic(inputs.comparison) else None,
        sections=(
            overview.comparison_section(inputs),
            overview.previous_section(inputs),
            accuracy.differences_section(inputs),
            accuracy.joints_section(inputs),
            device.device_section(inputs),
            training.training_section(inputs),
            device.paper_section(inputs),
            accuracy.predictions_section(inputs),
            accuracy.decoding_section(inputs),
            accuracy.robustness_section(inputs),
            background.data_section(inputs),
            background.provenance_section(inputs),
            background.parameters_section(inputs),
            background.definitions_section(inputs),
        ),
    )


def _summarise(inputs: ReportInputs) -> str:
    """Describe the origin of the results: test people, variants, source of the models."""
    protocol = inputs.protocol
    unscored = protocol["without_torso"]
    note = f", {unscored} of them not scored because their torso is not annotated" if unscored else ""
    people = describe_test_people(protocol["n"], inputs.comparison)
    count = len(inputs.metrics)
    variants = f"{count} variant{'s' if count > 1 else ''}"
    commit = inputs.lineage.get(ALL_VARIANTS, {}).get("git commit", "unknown")
    return (
        f"{variants}, evaluated on {people}{note}. The models are those of {paper_results.SOURCE}. "
        f"Commit: {commit}."
    )
