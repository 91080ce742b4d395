"""The drawings of a training's report: errors and coverage by latency, and the learning curve."""

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.output.report import svg
from blockprof.output.report.page import tick_text

if TYPE_CHECKING:
    from blockprof.predictors import LearningCurve

LEVEL = 90
MOST_PARTS = 10
LEAST_IN_PART = 10


def error_chart(values: FloatArray, error_percent: FloatArray, device: str) -> Markup:
    """Each network's relative error by its latency, with the median of each tenth and where 90 % of it lie."""
    plot = svg.Plot.over(_widened(values), (min(float(error_percent.min()), 0), max(float(error_percent.max()), 0)))
    parts = [plot.axes(f"latency, {device} (ms)", "error (%)"), plot.level(0, "zero")]
    for value, error in zip(values, error_percent, strict=True):
        parts.append(plot.mark(value, error, f"{value:.4g} ms: error {error:+.2f} %", "s0 faint", size=1.8))
    groups = _parts(values)
    centres = [float(np.median(values[group])) for group in groups]
    low, median, high = (
        np.array([np.quantile(error_percent[group], share) for group in groups]) for share in (0.05, 0.5, 0.95)
    )
    parts += [plot.band(centres, low, high, "s1"), plot.curve(centres, median, "s1")]
    for centre, middle in zip(centres, median, strict=True):
        parts.append(plot.mark(centre, middle, f"around {centre:.4g} ms: median error {middle:+.2f} %", "s1", 1))
    return svg.drawing(parts, "Relative error by latency")


def coverage_chart(values: FloatArray, is_inside: FloatArray, device: str) -> Markup:
    """How many networks of each tenth, by latency, lie in their 90 % interval, in percent."""
    plot = svg.Plot.over(_widened(values), (0.0, 100.0), room=0.0)
    parts = [plot.axes(f"latency, {device} (ms)", "networks inside (%)")]
    for group in _parts(values):
        first, last = float(values[group].min()), float(values[group].max())
        share = 100 * float(is_inside[group].mean())
        left, right, top = plot.x(first), plot.x(last), plot.y(share)
        note = f"{first:.4g} to {last:.4g} ms: {share:.0f} % of {len(group)} rows"
        parts.append(svg.rectangle(left, top, max(right - left - 1, 2), plot.y.start - top, "bar s0", note))
    parts.append(plot.level(LEVEL, "target"))
    parts.append(svg.text(plot.x.end, plot.y(LEVEL) - 4, f"{LEVEL} %", "end", "over"))
    return svg.drawing(parts, f"Share of networks inside their {LEVEL} % interval, by latency")


def learning_chart(curve: "LearningCurve", flops_only: float) -> Markup:
    """The error by number of training networks: median and range of the draws, beside FLOPs only."""
    errors, median = curve.mape_percent, curve.median_mape
    sizes = curve.sizes.tolist()
    reach = (min(float(errors.min()), flops_only), max(float(errors.max()), flops_only))
    plot = svg.Plot.over((sizes[0] / 1.3, sizes[-1] * 1.3), reach, is_log=True, room=0.08)
    parts = [
        plot.axes("training networks", "MAPE on the test networks (%)", _apart(plot, sizes)),
        plot.level(flops_only, "target"),
        svg.text(plot.x.end, plot.y(flops_only) - 4, "FLOPs only, all networks", "end", "over"),
        plot.band(sizes, errors.min(axis=1), errors.max(axis=1), "s0"),
        plot.curve(sizes, median, "s0"),
    ]
    for size, error, draws in zip(sizes, median.tolist(), errors, strict=True):
        note = f"{size:,} networks: MAPE {error:.2f} %, {draws.min():.2f} to {draws.max():.2f} % over the draws"
        parts.append(plot.mark(size, error, note, "s0", size=3.2))
    return svg.drawing(parts, "Error by number of training networks")


def _apart(plot: svg.Plot, sizes: list[int]) -> list[tuple[float, str]]:
    """The labels of the sizes that have room: the last one, and those before it that are far enough left."""
    ticks: list[tuple[float, str]] = []
    limit = svg.WIDTH
    for size in reversed(sizes):
        label = tick_text(size)
        half = svg.CHARACTER * len(label) / 2
        if plot.x(size) + half < limit:
            ticks.append((size, label))
            limit = plot.x(size) - half - 4
    return ticks


def _parts(values: FloatArray) -> list[IntArray]:
    """Networks in up to ten equal parts, by latency, each of ten or more."""
    count = min(MOST_PARTS, max(1, len(values) // LEAST_IN_PART))
    return list(np.array_split(np.argsort(values, kind="stable"), count))


def _widened(values: FloatArray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    spare = 0.02 * (high - low) or 1.0
    return low - spare, high + spare
