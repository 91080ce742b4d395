"""Charts of a predictor: predicted against known latencies, errors and coverage by latency, the learning curve."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.output.charts.predictions import errors_panel, predicted_panel
from blockprof.output.charts.specs import Axis, Band, Bars, Chart, Line, Panel, Points, Rule
from blockprof.output.numbers import tick_text

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import LearningCurve, TrainedPredictor

LEVEL = 90
"""Percent of the values that their intervals are to hold."""
MOST_PARTS = 10
LEAST_IN_PART = 10


def predictions_chart(trained: "TrainedPredictor", test: "LatencyData") -> Chart:
    """The test networks: predicted latency with its 90 % interval against the file's, and the relative error."""
    model, scores = trained.model, trained.test.scores
    said = model.predict(test.archs, test.resolutions)
    label = f"latency in the file, {test.device} (ms)"
    return Chart(
        f"{model.space.title} ({model.space.name}), predictor of {model.metric}: {len(test)} test networks, "
        f"MAPE {scores.mape_percent:.2f} %, Spearman {scores.spearman:.4f}",
        (
            predicted_panel(
                test.latencies_ms, said.latency_ms, said.lower_ms, said.upper_ms, label,
                "predicted (ms), with 90 % interval", "ms", test.archs.to_strings(),
            ),
            errors_panel(test.latencies_ms, 100 * (said.latency_ms / test.latencies_ms - 1), label, "%"),
        ),
        size=(10.5, 4.8),
    )  # fmt: skip


def error_panel(values: FloatArray, error_percent: FloatArray, device: str) -> Panel:
    """Each network's relative error by its latency, with the median of each tenth and where 90 % of it lie."""
    groups = _parts(values)
    centres = np.array([np.median(values[group]) for group in groups])
    low, median, high = (
        np.array([np.quantile(error_percent[group], share) for group in groups]) for share in (0.05, 0.5, 0.95)
    )
    notes = tuple(f"{value:.4g} ms: error {error:+.2f} %" for value, error in zip(values, error_percent, strict=True))
    said = tuple(
        f"around {centre:.4g} ms: median error {middle:+.2f} %" for centre, middle in zip(centres, median, strict=True)
    )
    return Panel(
        Axis(f"latency, {device} (ms)"),
        Axis("error (%)"),
        (
            Rule(0.0),
            Points(values, error_percent, "row1", pale=True, size="small", notes=notes),
            Band(centres, low, high, "row2"),
            Line(centres, median, "row2", marks=True, notes=said),
        ),
        title="Relative error by latency",
    )


def coverage_panel(values: FloatArray, is_inside: FloatArray, device: str) -> Panel:
    """How many networks of each tenth, by latency, lie in their 90 % interval, in percent."""
    groups = _parts(values)
    left, right = (np.array([end(values[group]) for group in groups]) for end in (np.min, np.max))
    shares = np.array([100 * is_inside[group].mean() for group in groups])
    notes = tuple(
        f"{first:.4g} to {last:.4g} ms: {share:.0f} % of {len(group)} rows"
        for first, last, share, group in zip(left, right, shares, groups, strict=True)
    )
    return Panel(
        Axis(f"latency, {device} (ms)"),
        Axis("networks inside (%)", limits=(0.0, 100.0)),
        (Bars(left, right, shares, "row1", notes), Rule(LEVEL, name=f"{LEVEL} %", is_limit=True)),
        title=f"Share of networks inside their {LEVEL} % interval, by latency",
    )


def learning_chart(curve: "LearningCurve", trained: "TrainedPredictor") -> Chart:
    """The error against the number of training networks, with what was tested on and what it advises."""
    model, advice = trained.model, curve.advice()
    return Chart(
        "",
        (learning_panel(curve, trained.test.baselines["flops_only"].mape_percent,
                        f"{model.space.title} ({model.space.name}), predictor of {model.metric}"),),
        size=(6.4, 4.8),
        caption=(
            f"{curve.num_test:,} test rows of {model.device}, the same for all; {curve.mape_percent.shape[1]} draws of "
            f"networks. {advice[0].upper()}{advice[1:]}."
        ),
    )  # fmt: skip


def learning_panel(
    curve: "LearningCurve", flops_only: float, title: str = "Error by number of training networks"
) -> Panel:
    """The error by number of training networks: median and range of the draws, beside FLOPs only, all in percent."""
    errors, median, sizes = curve.mape_percent, curve.median_mape, curve.sizes.astype(float)
    low, high = errors.min(axis=1), errors.max(axis=1)
    notes = tuple(
        f"{size:,.0f} networks: MAPE {error:.2f} %, {least:.2f} to {most:.2f} % over the draws"
        for size, error, least, most in zip(sizes, median, low, high, strict=True)
    )
    ticks = _log_ticks(min(median.min(), flops_only), max(median.max(), flops_only))
    return Panel(
        Axis("training networks", tuple((size, tick_text(size)) for size in sizes), is_log=True),
        Axis("MAPE on the test networks (%)", tuple((tick, tick_text(tick)) for tick in ticks), is_log=True),
        (
            Rule(flops_only, name="FLOPs only, all networks", is_limit=True),
            Band(sizes, low, high, name="range of the draws"),
            Line(
                sizes, median, name=f"{curve.kind}, median", marks=True, size="large",
                labels=tuple(f"{error:.2f}" for error in median), notes=notes,
            ),
        ),
        title=title,
        legend="inside",
    )  # fmt: skip


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten that cover low to high."""
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [tick for tick in ticks if low / 2 <= tick <= 2 * high]


def _parts(values: FloatArray) -> list[IntArray]:
    """Networks in up to ten equal parts, by latency, each of ten or more."""
    count = min(MOST_PARTS, max(1, len(values) // LEAST_IN_PART))
    return list(np.array_split(np.argsort(values, kind="stable"), count))
