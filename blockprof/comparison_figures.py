"""Figures of predictors and profiles beside each other: learning curves, errors, effects of one against another."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.figures import GREY, new_figure, write_caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from blockprof.predictors import LearningCurve, TrainedPredictor


def error_by_networks(curve: "LearningCurve", trained: "TrainedPredictor") -> "Figure":
    """Draw the error against the number of training networks: median and range of the draws, beside FLOPs only."""
    figure = new_figure((6.4, 4.8))
    axes = figure.add_subplot()
    errors, median = curve.mape_percent, curve.median_mape
    axes.fill_between(curve.sizes, errors.min(axis=1), errors.max(axis=1), color="#b8d4ea", label="range of the draws")
    axes.plot(curve.sizes, median, color="#1f77b4", marker="o", markersize=4, label="blockwise, median")
    flops_only = trained.test.baselines["flops_only"].mape_percent
    axes.axhline(flops_only, color=GREY, linestyle="--", linewidth=0.9, label="FLOPs only, all networks")
    for size, error in zip(curve.sizes, median, strict=True):
        axes.annotate(f"{error:.2f}", (size, error), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(curve.sizes, [f"{size:,}" for size in curve.sizes])
    axes.set_yticks(ticks := _log_ticks(min(median.min(), flops_only), max(median.max(), flops_only)))
    axes.set_yticklabels([f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("training networks")
    axes.set_ylabel("MAPE on the test networks (%)")
    axes.grid(linewidth=0.4)
    axes.legend(frameon=False)
    model = trained.model
    axes.set_title(f"{model.space.title} ({model.space.name}), predictor of {model.metric}")
    advice = curve.advice()
    write_caption(
        figure,
        f"{curve.num_test:,} test networks of {model.device}, the same for all; {errors.shape[1]} draws of networks. "
        f"{advice[0].upper()}{advice[1:]}.",
    )
    return figure


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten that cover low to high."""
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [tick for tick in ticks if low / 2 <= tick <= 2 * high]
