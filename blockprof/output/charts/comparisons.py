"""Charts of predictors and profiles beside each other: errors, and effects of one against another."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.output.charts.specs import Axis, Chart, Layer, Line, Panel, Points, Ranges, Rule

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.comparing import MetricPair, PredictorComparison

LEAST_ERROR = 0.01
"""Percent; smaller errors are drawn there, as a log axis has no end."""


def errors_chart(comparison: "PredictorComparison") -> Chart:
    """The share of rows that each predictor gets to an error, and the differences of MAPE with their intervals."""
    return Chart(
        "",
        (_shares_panel(comparison), _differences_panel(comparison.differences)),
        size=(11.0, 4.8),
        caption=(
            f"{len(comparison.rows):,} rows of {comparison.num_networks:,} networks, the same for all. Intervals: "
            f"paired bootstrap over networks: {'; '.join(comparison.verdicts())}."
        ),
    )


def _shares_panel(comparison: "PredictorComparison") -> Panel:
    rows = comparison.rows
    measured = rows["latency_ms"].to_numpy(dtype=float)
    shares = 100 * np.arange(1, len(rows) + 1) / len(rows)
    lines = []
    for index, (label, mape) in enumerate(zip(comparison.labels, comparison.scores["mape_percent"], strict=True)):
        errors = 100 * np.abs(rows[f"{label} predicted_ms"].to_numpy(dtype=float) / measured - 1)
        lines.append(Line(np.sort(np.maximum(errors, LEAST_ERROR)), shares, index, f"{label}: MAPE {mape:.2f} %"))
    return Panel(Axis("error of a row, at most (%)", is_log=True), Axis("rows (%)"), tuple(lines), legend="inside")


def _differences_panel(differences: "pd.DataFrame") -> Panel:
    """Later predictors minus earlier ones, the first pair on top."""
    rows = differences[differences["score"] == "mape_percent"]
    places = np.arange(len(rows), dtype=float)[::-1]
    names = [f"{second}\nminus {first}" for first, second in rows[["first", "second"]].itertuples(index=False)]
    middle, lower, upper = (rows[name].to_numpy(dtype=float) for name in ("difference", "lower", "upper"))
    return Panel(
        Axis("difference of MAPE (percentage points), 95 % interval"),
        Axis("", ticks=tuple(zip(places.tolist(), names, strict=True)), limits=(-0.6, len(rows) - 0.4)),
        (Rule(0.0, "x"), Ranges(places, lower, upper, across=True), Points(middle, places, size="large")),
    )


def effects_chart(pair: "MetricPair") -> Chart:
    """Each placement's effect in one profile against that in the other, coloured by block and by unit.

    Placements whose rank changes beyond the intervals are large; the others are small and pale.
    """
    return Chart(
        "Effects of placements against random networks (0)",
        tuple(_groups_panel(pair, key) for key in ("block", "unit")),
        size=(12.0, 5.6),
        caption=f"{pair.verdict()}. Large: the rank changes beyond its intervals.",
        shares_axes=True,
    )


def _groups_panel(pair: "MetricPair", key: str) -> Panel:
    rows = pair.placements
    first, second = (rows[side].to_numpy(dtype=float) for side in ("first", "second"))
    changed = rows["beyond"].to_numpy() != 0
    layers: list[Layer] = []
    for index, group in enumerate(dict.fromkeys(rows[key].dropna().sort_values())):
        members = (rows[key] == group).fillna(False).to_numpy(dtype=bool)
        large, small = members & changed, members & ~changed
        layers.append(Points(first[large], second[large], index, str(group), size="large"))
        layers.append(Points(first[small], second[small], index, pale=True, size="small"))
    rest = rows[key].isna().to_numpy()
    layers.append(Points(first[rest], second[rest], "rule", size="small"))
    return Panel(
        Axis(f"effect on {pair.first} ({pair.first_unit})"),
        Axis(f"effect on {pair.second} ({pair.second_unit})"),
        (*layers, Rule(0.0), Rule(0.0, "x")),
        title=f"by {key}",
        legend="beside" if rows[key].notna().any() else "",
        legend_title=key,
    )
