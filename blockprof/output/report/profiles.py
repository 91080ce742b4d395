"""The report of a profile."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.output.answers import gains_and_costs, profile_answers
from blockprof.output.captions import describe_check, profile_caption
from blockprof.output.charts.colours import heat_colour
from blockprof.output.charts.profiles import effect_chart, pool_panel, response_heatmap, worth_panel
from blockprof.output.charts.specs import HeatMap
from blockprof.output.draw_svg import draw_panel, draw_panels
from blockprof.output.numbers import number, signed
from blockprof.output.report.page import ORIGINS, render
from blockprof.profiling import MetricProfile, Profile
from blockprof.profiling.findings import effect_parts
from blockprof.reduction import Reduction
from blockprof.reduction.deriving import derive_reduction

EXTREMES_SHOWN = 8
_TITLES = {"contrast": "block", "depth_effect": "layer", "effect": "effect"}
RANDOM_COLUMNS = ("mean", "std", "q05", "q95", "min", "max")


@dataclass(frozen=True, slots=True)
class Cell:
    """A number in a table, with its interval where it has one, and what shows when it is pointed at.

    ``is_outside`` marks a value outside the range that its metric was fitted on.
    """

    text: str
    interval: str = ""
    title: str = ""
    style: str = ""
    is_outside: bool = False


def profile_report(profile: Profile) -> str:
    """Write a profile as an HTML page that needs nothing but itself.

    Response heat maps, effects by place, the most expensive and the cheapest placements, the reduction it suggests, how
    additive pooled metrics are, and every placement's effects.
    """
    placements = profile.placement_frame()
    charts = []
    for metric in profile.metrics:
        rows = placements[placements["metric"] == metric.info.name]
        high, low = ("Best", "Worst") if metric.info.higher_is_better else ("Most expensive", "Cheapest")
        parts = effect_parts(rows)
        by = parts[0]
        ordered = rows[rows[by].notna()].sort_values(by, ascending=False, kind="stable")
        shown = min(EXTREMES_SHOWN, len(ordered) // 2)
        charts.append(
            {
                "metric": metric,
                "caption": profile_caption(profile, metric),
                "heatmap": _heatmap(response_heatmap(profile, metric)) if profile.blocks else None,
                "effects": draw_panels(
                    effect_chart(profile, metric, spread=True).panels, f"Effect on {metric.info.label} by place"
                )
                if profile.blocks
                else [],
                "parts": [_TITLES[part] for part in parts],
                "extremes": [
                    (high, _part_rows(metric, ordered.head(shown), rows, parts)),
                    (low, _part_rows(metric, ordered.tail(shown)[::-1], rows, parts)),
                ],
                "check": metric.check and describe_check(metric.check),
                "pool": metric.check and draw_panel(pool_panel(metric, metric.check, metric.info.label)),
            }
        )
    gains, costs = gains_and_costs(profile)
    worths = [
        (f"{gain.info.label} against {cost.info.label}", draw_panel(worth_panel(profile, gain, cost)))
        for gain in gains
        for cost in costs
        if placements["contrast"].notna().any()
    ]
    return render(
        "profile.html.j2",
        profile=profile,
        answers=profile_answers(profile),
        worths=worths,
        origins=ORIGINS,
        random=[_random_row(metric) for metric in profile.metrics],
        charts=charts,
        others=_table(profile, placements[placements["block"].isna()]),
        table=_table(profile, placements),
        **_reduction(profile),
    )


def _random_row(metric: MetricProfile) -> tuple[MetricProfile, list[Cell]]:
    values = metric.statistics
    among = np.array([values.column(column)[0] for column in RANDOM_COLUMNS])
    half = float(values.half_widths[0])
    outside = metric.info.is_outside(among)
    cells = [
        Cell(number(value, among, metric.known_to), is_outside=name in ("min", "max") and beyond)
        for name, value, beyond in zip(RANDOM_COLUMNS, among.tolist(), outside.tolist(), strict=True)
    ]
    cells[0] = replace(cells[0], interval=_plus_minus(half, among))
    return metric, cells


def _heatmap(heatmap: HeatMap) -> list[tuple[str, list[Cell]]]:
    """The rows of a table of responses, each value on its ground."""
    return [
        (label, [_heat_cell(heatmap, row, column) for column in range(len(heatmap.columns))])
        for row, label in enumerate(heatmap.rows)
    ]


def _heat_cell(heatmap: HeatMap, row: int, column: int) -> Cell:
    value, note = float(heatmap.values[row, column]), heatmap.notes[row][column]
    if np.isnan(value):
        return Cell("–", title=note)
    ground, ink = heat_colour(float(heatmap.badness[row, column]))
    return Cell(
        number(value, heatmap.values, heatmap.known_to),
        _plus_minus(float(heatmap.halves[row, column]), heatmap.values),
        note,
        f"background:rgb{ground};color:{ink}",
    )


def _part_rows(
    metric: MetricProfile, rows: pd.DataFrame, among: pd.DataFrame, parts: Sequence[str]
) -> list[tuple[str, list[Cell]]]:
    """A row a placement: the parts of its effect, and the whole."""
    columns = [_part_cells(metric, rows, among, part) for part in parts]
    return list(zip(rows["placement"], map(list, zip(*columns, strict=True)), strict=True))


def _part_cells(metric: MetricProfile, rows: pd.DataFrame, among: pd.DataFrame, part: str) -> list[Cell]:
    if part == "effect":
        return _effect_cells(metric, rows, among)
    every = among["effect"].to_numpy()
    return [
        Cell(signed(value, every, metric.known_to) if value else "0", _plus_minus(upper - value, every))
        for value, upper in zip(rows[part], rows[f"{part}_upper"], strict=True)
    ]


def _effect_cells(metric: MetricProfile, rows: pd.DataFrame, among: pd.DataFrame) -> list[Cell]:
    every, known_to = among["effect"].to_numpy(), metric.known_to
    return [
        Cell(
            signed(effect, every, known_to),
            _plus_minus(upper - effect, every),
            f"5 % {signed(low, every, known_to)}, 95 % {signed(high, every, known_to)}",
        )
        for effect, upper, low, high in zip(
            rows["effect"], rows["effect_upper"], rows["effect_q05"], rows["effect_q95"], strict=True
        )
    ]


def _plus_minus(half: float, among: FloatArray) -> str:
    return f"± {number(half, among)}" if half > 0 else ""


def _table(profile: Profile, placements: pd.DataFrame) -> list[tuple[str, list[Cell]]]:
    """One row a placement, one cell a metric."""
    columns = []
    names: list[str] = []
    for metric in profile.metrics:
        rows = placements[placements["metric"] == metric.info.name]
        names = rows["placement"].tolist()
        columns.append(_effect_cells(metric, rows, rows))
    return list(zip(names, map(list, zip(*columns, strict=True)), strict=True))


def _reduction(profile: Profile) -> dict[str, object]:
    """The reduction that the profile suggests, or why it suggests none."""
    gains = [metric.info.name for metric in profile.metrics if metric.info.higher_is_better]
    costs = [metric.info.name for metric in profile.metrics if not metric.info.higher_is_better]
    try:
        reduction = derive_reduction(profile.space, profile, gain=gains[0] if gains else None, costs=costs)
    except InputError as error:
        return {"reduction": None, "no_reduction": str(error)}
    whole = Reduction.whole(profile.space).num_networks
    space = profile.space
    kinds = reduction.kinds.reshape(reduction.blocks.shape)
    deepest = np.array([max(depths) for depths in reduction.depths])
    reached = space.slot_layer < deepest[space.slot_unit]
    states = np.where(reached, np.where(kinds.T, "kept", "out"), "gone")
    return {
        "reduction": reduction,
        "no_reduction": "",
        "reduction_rows": [(block.name, row) for block, row in zip(space.blocks, states.tolist(), strict=True)],
        "gain": gains[0],
        "costs": ", ".join(costs),
        "left": f"{reduction.num_networks:.2g}",
        "whole": f"{whole:.2g}",
        "is_whole": reduction.num_networks == whole,
    }
