"""The drawings of a profile's report: effects by place, and a pool's networks as predicted without each."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby

import numpy as np
import pandas as pd
from markupsafe import Markup

from blockprof.foundation.arrays import FloatArray
from blockprof.output.report import svg
from blockprof.output.report.page import number, signed
from blockprof.profiling import HeldOut, MetricProfile
from blockprof.spaces import Space

COLUMNS = ("effect", "effect_q05", "effect_q95", "effect_lower", "effect_upper")


def effect_charts(space: Space, metric: MetricProfile, rows: pd.DataFrame) -> list[tuple[str, Markup]]:
    """A title and a chart for each column of the space's blocks, all on one scale.

    A line for each row, with a band from the effect on the 5 % quantile to that on the 95 % quantile.
    ``rows`` are the metric's single blocks, of ``Profile.placement_frame``.
    """
    names = [block.name for block in space.blocks]
    values = {column: np.full((len(names), space.num_slots), np.nan) for column in COLUMNS}
    blocks = [names.index(name) for name in rows["block"]]
    slots = [space.unit_slots[unit - 1].start + layer - 1 for unit, layer in zip(rows.unit, rows.layer, strict=True)]
    for column in COLUMNS:
        values[column][blocks, slots] = rows[column]
    reach = np.concatenate([[0.0], *(each[~np.isnan(each)] for each in values.values())])
    plot = svg.Plot.over((-0.6, space.num_slots - 0.4), (float(reach.min()), float(reach.max())))
    across = space.axes[1]
    return [
        (title := f"{across.name} {label}", _effect_chart(space, metric, plot, values, column, title))
        for column, label in enumerate(across.labels)
        if not np.isnan(values["effect"][column :: len(across.labels)]).all()
    ]


def _effect_chart(
    space: Space, metric: MetricProfile, plot: svg.Plot, values: dict[str, FloatArray], column: int, title: str
) -> Markup:
    places = enumerate(space.slot_layer + 1)
    parts = [
        *_units(space, plot),
        plot.axes("layer in its unit (u1, u2, ...)", f"effect, {metric.info.label}", [(x, str(n)) for x, n in places]),
        plot.level(0, "zero"),
    ]
    down, across = space.axes
    said = partial(signed, among=values["effect"][~np.isnan(values["effect"])], known_to=metric.known_to)
    for row in range(len(down.labels)):
        block = row * len(across.labels) + column
        effect, low, high, lower, upper = (values[name][block] for name in COLUMNS)
        css = f"s{row}"
        for slots in _runs(space, effect):
            parts.append(plot.band(slots, low[slots], high[slots], css))
            parts.append(plot.curve(slots, effect[slots], css))
            for slot in slots:
                if metric.has_intervals:
                    parts.append(plot.whisker(slot, lower[slot], upper[slot], css))
                unit, layer = space.slot_unit[slot] + 1, space.slot_layer[slot] + 1
                note = (
                    f"u{unit}.l{layer}.{space.blocks[block].name}: {said(effect[slot])} {metric.info.unit}; "
                    f"5 % {said(low[slot])}, 95 % {said(high[slot])}"
                )
                if metric.has_intervals:
                    note += f"; 95 % interval {said(lower[slot])} to {said(upper[slot])}"
                parts.append(plot.mark(slot, effect[slot], note, css, row))
    return svg.drawing(parts, f"Effect on {metric.info.label} by place: {title}")


def _units(space: Space, plot: svg.Plot) -> list[Markup]:
    """Every second unit shaded, and the units' names above."""
    parts = []
    for unit, slots in enumerate(space.unit_slots, start=1):
        left, right = plot.x(slots.start - 0.5), plot.x(slots.stop - 0.5)
        if unit % 2 == 0:
            parts.append(svg.rectangle(left, svg.TOP, right - left, svg.HEIGHT - svg.BOTTOM - svg.TOP, "unit"))
        parts.append(svg.text((left + right) / 2, svg.TOP - 7, f"u{unit}"))
    return parts


def _runs(space: Space, effect: FloatArray) -> list[list[int]]:
    """Neighbouring slots of a unit that have an effect."""
    there = np.flatnonzero(~np.isnan(effect)).tolist()
    runs = groupby(enumerate(there), key=lambda pair: (space.slot_unit[pair[1]], pair[1] - pair[0]))
    return [[slot for _, slot in run] for _, run in runs]


def pool_chart(metric: MetricProfile, check: HeldOut) -> Markup:
    """Each network of a pool as predicted without it, with its 90 % interval, against its value."""
    unit = metric.info.unit
    return against_chart(
        check.values, check.predicted, check.lower, check.upper, check.networks, metric.info.label,
        f"predicted without it ({unit})", unit,
    )  # fmt: skip


def against_chart(
    values: FloatArray, predicted: FloatArray, lower: FloatArray, upper: FloatArray, networks: Sequence[str],
    x_label: str, y_label: str, unit: str,
) -> Markup:  # fmt: skip
    """Predictions with their 90 % intervals against what is known, both in ``unit``; on the line they are equal."""
    ends = float(values.min()), float(values.max())
    spare = 0.02 * (ends[1] - ends[0]) or 1.0
    ends = ends[0] - spare, ends[1] + spare
    plot = svg.Plot.over(ends, (min(float(lower.min()), ends[0]), max(float(upper.max()), ends[1])), room=0.01)
    parts = [plot.axes(x_label, y_label), plot.curve(ends, ends, "zero")]
    parts += [plot.whisker(*row, "s0") for row in zip(values, lower, upper, strict=True)]
    for value, guess, network in zip(values, predicted, networks, strict=True):
        note = f"{network}: {number(value, values)} {unit}, predicted {number(guess, values)}"
        parts.append(plot.mark(value, guess, note, "s0", size=2.0))
    return svg.drawing(parts, f"{y_label} against {x_label}")
