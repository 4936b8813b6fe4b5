"""Figures of training: losses and validation PCK over the iterations."""

from collections.abc import Mapping

import pandas as pd

from splitpose.report.figures import style


def plot_losses(histories: Mapping[str, pd.DataFrame], data: str) -> bytes:
    """Plot training and validation loss of each variant over both phases (the paper's Figure 4).

    Args:
        histories: training history of each variant.
        data: description of the data (see `tables.describe_data`), written below the figure.
    """
    rows = -(-len(histories) // 2)
    with style.rc_context():
        figure = style.new_figure(2.3 * rows + 0.9)
        panels = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flatten()
        for axes, (name, history) in zip(panels, histories.items(), strict=False):
            axes.plot(history["iteration"], history["train_loss"], color=style.COLOURS[0], label="training")
            axes.plot(history["iteration"], history["val_loss"], "--", color=style.COLOURS[1], label="validation")
            frozen = history.loc[history["phase"] == "frozen", "iteration"]
            if len(frozen):
                axes.axvline(frozen.max(), color=style.GREY, linewidth=0.8)
            axes.set(title=name, yscale="log")
        for axes in panels[len(histories) :]:
            axes.set_axis_off()
        figure.supylabel("loss", fontsize=style.FONT_SIZE)
        figure.supxlabel(f"iteration; grey line: end of the frozen phase\n{data}", fontsize=style.FONT_SIZE)
        style.add_legend(figure, figure.axes[0])
        return style.to_png(figure)


def plot_validation_pck(
    histories: Mapping[str, pd.DataFrame], best_iterations: Mapping[str, int], data: str
) -> bytes:
    """Plot validation PCK@0.2 over the iterations; a dot marks the weights that were kept.

    Args:
        histories: training history of each variant.
        best_iterations: the iteration of each variant's kept weights.
        data: description of the data (see `tables.describe_data`), written below the figure.
    """
    with style.rc_context():
        figure, axes = style.new_axes(3.7)
        for k, (name, history) in enumerate(histories.items()):
            axes.plot(history["iteration"], history["val_pck_0.2"], **style.line(k), label=name)
            kept = history[history["iteration"] == best_iterations[name]]
            axes.plot(kept["iteration"], kept["val_pck_0.2"], "o", color=style.colour(k), markersize=7)
        axes.set(
            xlabel=f"iteration; dot: the weights that were kept\n{data}",
            ylabel="validation PCK@0.2 (%)",
            ylim=(0, 100),
        )
        style.add_legend(figure, axes)
        return style.to_png(figure)
