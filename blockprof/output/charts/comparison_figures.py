"""Figures of predictors and profiles beside each other: learning curves, errors, effects of one against another."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.output.charts.profile_figures import GREY, new_figure, write_caption

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from blockprof.comparing import MetricPair, PredictorComparison
    from blockprof.predictors import LearningCurve, TrainedPredictor

LEAST_ERROR = 0.01
"""Percent; smaller errors are drawn there, as a log axis has no end."""


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
        f"{curve.num_test:,} test rows of {model.device}, the same for all; {errors.shape[1]} draws of networks. "
        f"{advice[0].upper()}{advice[1:]}.",
    )
    return figure


def errors_of_predictors(comparison: "PredictorComparison") -> "Figure":
    """Draw the share of rows that each predictor gets to an error, and the differences of MAPE with their intervals."""
    figure = new_figure((11.0, 4.8))
    left, right = figure.subplots(1, 2)
    rows = comparison.rows
    measured = rows["latency_ms"].to_numpy(dtype=float)
    shares = 100 * np.arange(1, len(rows) + 1) / len(rows)
    for label, mape in zip(comparison.labels, comparison.scores["mape_percent"], strict=True):
        errors = 100 * np.abs(rows[f"{label} predicted_ms"].to_numpy(dtype=float) / measured - 1)
        left.plot(np.sort(np.maximum(errors, LEAST_ERROR)), shares, linewidth=1.4, label=f"{label}: MAPE {mape:.2f} %")
    left.set_xscale("log")
    left.set_xlabel("error of a row, at most (%)")
    left.set_ylabel("rows (%)")
    left.grid(linewidth=0.4)
    left.legend(frameon=False, fontsize=8)
    differences = comparison.differences[comparison.differences["score"] == "mape_percent"]
    places = np.arange(len(differences))[::-1]
    middle = differences["difference"].to_numpy()
    bounds = np.stack([middle - differences["lower"].to_numpy(), differences["upper"].to_numpy() - middle])
    right.errorbar(middle, places, xerr=np.maximum(bounds, 0), fmt="o", color="#1f77b4", capsize=4)
    right.axvline(0, color=GREY, linewidth=0.8)
    names = [f"{second}\nminus {first}" for first, second in differences[["first", "second"]].itertuples(index=False)]
    right.set_yticks(places, names, fontsize=8)
    right.set_ylim(-0.6, len(differences) - 0.4)
    right.set_xlabel("difference of MAPE (percentage points), 95 % interval")
    right.grid(axis="x", linewidth=0.4)
    write_caption(
        figure,
        f"{len(rows):,} rows of {comparison.num_networks:,} networks, the same for all. Intervals: paired bootstrap "
        f"over networks: {'; '.join(comparison.verdicts())}.",
    )
    return figure


def effects_against(pair: "MetricPair") -> "Figure":
    """Draw each placement's effect in one profile against that in the other, coloured by block and by unit.

    Placements whose rank changes beyond the intervals are large; the others are small and pale.
    """
    from matplotlib import colormaps

    figure = new_figure((12.0, 5.6))
    rows = pair.placements
    changed = rows["beyond"].to_numpy() != 0
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, key in zip(panels, ("block", "unit"), strict=True):
        groups = list(dict.fromkeys(rows[key].dropna().sort_values()))
        colours = colormaps["tab20" if len(groups) > 10 else "tab10"]
        for index, group in enumerate(groups):
            members = (rows[key] == group).fillna(False).to_numpy(dtype=bool)
            style = {"color": colours(index % colours.N), "linewidth": 0}
            for part, size, alpha in ((members & changed, 26, 0.95), (members & ~changed, 8, 0.5)):
                axes.scatter(rows["first"][part], rows["second"][part], s=size, alpha=alpha, **style)
            axes.scatter([], [], s=26, label=str(group), **style)
        rest = rows[key].isna().to_numpy()
        axes.scatter(rows["first"][rest], rows["second"][rest], s=10, color=GREY)
        axes.axhline(0, color=GREY, linewidth=0.6)
        axes.axvline(0, color=GREY, linewidth=0.6)
        axes.set_xlabel(f"effect on {pair.first} ({pair.first_unit})")
        axes.set_title(f"by {key}")
        if groups:
            axes.legend(title=key, fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    panels[0].set_ylabel(f"effect on {pair.second} ({pair.second_unit})")
    figure.suptitle("Effects of placements against random networks (0)")
    write_caption(figure, f"{pair.verdict()}. Large: the rank changes beyond its intervals.")
    return figure


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten that cover low to high."""
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [tick for tick in ticks if low / 2 <= tick <= 2 * high]
