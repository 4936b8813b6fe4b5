"""The last sections: data, provenance, parameters and definitions."""

from splitpose.report import score_tables, seeds, tables
from splitpose.report.document import Facts, Listing, Section
from splitpose.report.inputs import ReportInputs
from splitpose.report.sections.blocks import flatten, sheet
from splitpose.skeleton import FULL_NAMES

VIEWPOINTS = {
    "observer": "left and right are the observer's, as in the published results",
    "person": "left and right are the person's own; PCK is about 5 points lower than the observer's on FLIC",
}

CLUSTERS = {
    "id": "each person resampled independently",
    "image": "people of one image resampled together",
    "group": "people of one film or session resampled together",
}


def data_section(inputs: ReportInputs) -> Section:
    """Build the section on the data: validation summary, annotator agreement and example crops."""
    data = tables.describe_data(inputs.comparison)
    agreement = score_tables.agreement_table(inputs.annotator_agreement, data)
    crop_sheets = [
        sheet(
            f"crops_{split}",
            f"Crops of the {split} split, {data}",
            "Several augmented copies of each person, as used for training." if split == "train" else "",
            content,
        )
        for split, content in inputs.crop_sheets.items()
    ]
    text = (
        "Validation of the annotations. Rows that failed a rule are in data/annotations/quarantine.csv with the "
        "reason; suspicious rows are kept and listed in data/annotations/warnings.csv. All checks: "
        "reports/data_docs/index.html."
    )
    facts = Facts("Validation", tuple(flatten(inputs.validation_summary)))
    return Section("data", "Data", (text,), (facts, *([agreement] if agreement else []), *crop_sheets))


def provenance_section(inputs: ReportInputs) -> Section:
    """Build the section on provenance: commit, data hashes and MLflow runs."""
    return Section(
        "provenance",
        "Provenance",
        ("Hashes are DVC's, as in dvc.lock. An MLflow run can also be found by its tag splitpose.state.",),
        tuple(Facts(name, tuple(facts.items())) for name, facts in inputs.lineage.items()),
    )


def parameters_section(inputs: ReportInputs) -> Section:
    """Build the section with the profile."""
    listing = Listing(f"profiles/{inputs.comparison['profile']}.yaml, as used", inputs.profile_text)
    return Section("parameters", "Parameters", (), (listing,))


def definitions_section(inputs: ReportInputs) -> Section:
    """Build the section that defines the metrics."""
    protocol = inputs.protocol
    start, end = protocol["torso"].split("-")
    text = (
        "PCK@0.2 is the percentage of annotated joints whose prediction is within 0.2 torso diameters of the "
        "annotation. The means are over joints: all that are annotated, both elbows, both wrists.",
        f"Torso diameter: from the {FULL_NAMES[start]} to the {FULL_NAMES[end]} of the annotation. "
        f"Viewpoint {protocol['viewpoint']}: {VIEWPOINTS[protocol['viewpoint']]}.",
        f"Intervals over people are 95 % bootstrap intervals over the {protocol['n']} test people, "
        f"{CLUSTERS[protocol['bootstrap_cluster']]}. They describe how much a score would vary with other people "
        f"of the same kind, not with another training run. {_describe_seeds(inputs)}",
        "Nothing is chosen on the test split: the headline is one decoding of the final weights, set by the "
        "profile. The weights that are kept and the learning-rate reductions are chosen on the validation split, "
        "which shares no image, film or session with the training split.",
        "Latency is measured; it varies between runs and devices.",
    )
    return Section("definitions", "Definitions", text)


def _describe_seeds(inputs: ReportInputs) -> str:
    """Define the intervals that cover seeds, or state that there are none."""
    if not seeds.has_several(inputs.comparison):
        return seeds.describe_missing(inputs.comparison)
    return (
        "Intervals over people and seeds are those of the mean over the seeds: its variances over people and over "
        "seeds are added, and Student's distribution has Satterthwaite's degrees of freedom (Welch 1947)."
    )
