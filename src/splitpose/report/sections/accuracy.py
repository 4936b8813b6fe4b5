"""Sections on accuracy: joints and slices, paired differences, predictions, decodings, robustness."""

from splitpose.report import score_tables, seeds, tables
from splitpose.report.document import Block, Section
from splitpose.report.figures import accuracy
from splitpose.report.inputs import ReportInputs
from splitpose.report.sections.blocks import figure, sheet
from splitpose.report.variation_table import variation_table

COLOURS = "Thin white: annotation. In colours: prediction, blue left, orange right, yellow middle."


def differences_section(inputs: ReportInputs) -> Section:
    """Build the section on paired differences between variants, and on the variation between seeds and people."""
    data = tables.describe_data(inputs.comparison)
    blocks: list[Block] = []
    if inputs.paired_differences:
        blocks.append(score_tables.differences_table(inputs.paired_differences, data))
    if inputs.seed_variation:
        blocks.append(variation_table(inputs.seed_variation, inputs.paired_differences, data))
    text = () if inputs.paired_differences else ("There is one variant only.",)
    return Section("differences", "Paired differences", text, tuple(blocks))


def joints_section(inputs: ReportInputs) -> Section:
    """Build the section on PCK by joint and by slice."""
    data = tables.describe_data(inputs.comparison)
    return Section(
        "joints",
        "Joints and slices",
        (),
        (
            figure(
                "joint_pck",
                "PCK by joint",
                f"PCK@0.2 of every joint, with 95 % intervals {seeds.describe_coverage(inputs.comparison)}. Each "
                "is of one variant alone; the paired difference of two variants has its own interval.",
                accuracy.plot_joint_pck(inputs.comparison, data),
            ),
            score_tables.slices_table(inputs.slices, data),
        ),
    )


def predictions_section(inputs: ReportInputs) -> Section:
    """Build the section of contact sheets of predictions and of crops."""
    data = tables.describe_data(inputs.comparison)
    prediction_sheets = [
        sheet(
            f"predictions_{name}",
            f"{name}, {data}",
            "Test people with the smallest, the median and the largest errors (paper, Figure 3).",
            content,
        )
        for name, content in inputs.prediction_sheets.items()
    ]
    case_sheets = [
        sheet(
            f"cases_{name}",
            f"{name}: best and worst crops, {data}",
            "The crops with the smallest and the largest errors. Heatmaps, if the variant predicts them, range "
            "from 0 (dark) to 1 (bright); the number is the height of the peak, the ring is at the annotated "
            "joint.",
            content,
        )
        for name, content in inputs.case_sheets.items()
    ]
    hardest = sheet(
        "hardest",
        f"Hardest for all variants, {data}",
        "Test people with the largest errors on average over the variants, one person per row.",
        inputs.hardest_sheet,
    )
    text = f"{COLOURS} Numbers are a person's mean error over the joints, in torso diameters."
    return Section("predictions", "Predictions", (text,), (*prediction_sheets, hardest, *case_sheets))


def decoding_section(inputs: ReportInputs) -> Section:
    """Build the section on the decodings, with and without the flip test."""
    latencies = {
        name: variant["tflite"]["float32"]["p50_ms"] for name, variant in inputs.comparison["variants"].items()
    }
    text = (
        f"{_describe_headline(inputs)} Heatmaps can be decoded at the centre of their highest pixel (argmax) or at "
        "the refined maximum around it (dark); any output can be averaged with that of the horizontally flipped "
        "crop (flip test, test-time augmentation). Choose between them on validation people, not by this table."
    )
    table = score_tables.decodings_table(inputs.decodings, latencies, tables.describe_data(inputs.comparison))
    return Section("decoding", "Decoding and flip test", (text,), (table,))


def _describe_headline(inputs: ReportInputs) -> str:
    """Describe the headline decoding of each variant, as the profile sets it."""
    variants_by_decoding: dict[str, list[str]] = {}
    for name, entries in inputs.decodings.items():
        for entry in entries:
            if entry["headline"]:
                variants_by_decoding.setdefault(entry["name"], []).append(name)
    used = "; ".join(f"{decoding} ({', '.join(names)})" for decoding, names in variants_by_decoding.items())
    return f"All other sections use the decoding that the profile sets: {used}."


def robustness_section(inputs: ReportInputs) -> Section:
    """Build the section on equivariance and on robustness to darkening and blur."""
    data = tables.describe_data(inputs.comparison)
    return Section(
        "robustness",
        "Robustness",
        (_describe_mean_pose(inputs),),
        (
            score_tables.robustness_table(inputs.robustness, data),
            figure(
                "robustness",
                "Darkened and blurred crops",
                "PCK@0.2 of the same test people on increasingly dark (to the right) and blurred crops.",
                accuracy.plot_robustness(inputs.robustness, data),
            ),
        ),
    )


def _describe_mean_pose(inputs: ReportInputs) -> str:
    return (
        "The mean pose of the test people, predicted for everyone regardless of the image, has a PCK@0.2 of "
        f"{inputs.mean_pose_pck:.1f}: only a higher score shows that a model has learned from images."
    )
