"""The section on training: losses, validation PCK and training times."""

from splitpose.report import tables
from splitpose.report.document import Section
from splitpose.report.figures import training
from splitpose.report.inputs import ReportInputs
from splitpose.report.sections.blocks import figure


def training_section(inputs: ReportInputs) -> Section:
    """Build the section on training."""
    data = tables.describe_data(inputs.comparison)
    best_iterations = {name: int(metrics["best_iteration"]) for name, metrics in inputs.metrics.items()}
    return Section(
        "training",
        "Training",
        (),
        (
            tables.training_table(inputs.comparison, inputs.metrics, inputs.timings),
            figure(
                "losses",
                "Loss",
                "Training and validation loss over both phases, log scale (paper, Figure 4). Losses on coordinates "
                "and losses on heatmaps are not comparable.",
                training.plot_losses(inputs.histories, data),
            ),
            figure(
                "validation_pck",
                "Validation PCK",
                "PCK@0.2 of the validation people during training. The dot marks the weights that were kept.",
                training.plot_validation_pck(inputs.histories, best_iterations, data),
            ),
        ),
    )
