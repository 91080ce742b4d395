"""Charts of a profile: the response heat map (paper Figs. 2-4), effects by place (Figs. 5-7), and a pool's check."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray
from blockprof.output.captions import profile_caption
from blockprof.output.charts.predictions import errors_panel, predicted_panel
from blockprof.output.charts.specs import (
    Axis,
    Band,
    Chart,
    HeatMap,
    Layer,
    Line,
    Panel,
    Points,
    Ranges,
    Regions,
    Rule,
    Tone,
)
from blockprof.output.numbers import number, signed
from blockprof.profiling import HeldOut, MetricProfile, Profile
from blockprof.profiling.findings import practical
from blockprof.spaces import Space

_ROW_TONES: tuple[Tone, ...] = ("row1", "row2", "row3")
_LEAST_RANGE = 4
"""A heat map's colours go over at least so many times the least difference that matters."""
_COLUMNS = ("effect", "effect_q05", "effect_q95", "effect_lower", "effect_upper")


def response_heatmap(profile: Profile, metric: MetricProfile) -> HeatMap:
    """One metric's block responses, by the two things that tell blocks apart, the greatest of the first on top."""
    responses = profile.response_frame()
    rows = responses[responses["metric"] == metric.info.name].set_index("block")
    down, across = profile.space.axes
    names = np.array([block.name for block in profile.space.blocks])
    grid = names.reshape(len(down.labels), len(across.labels))[::-1]
    among = rows["response"].to_numpy()
    notes = {
        name: f"{name}: {number(response, among, metric.known_to)} {metric.info.unit}, "
        f"{signed(effect, among, metric.known_to)} against random networks; mean over {places} places"
        for name, response, effect, places in zip(
            rows.index, among.tolist(), rows["effect"], rows["num_placements"], strict=True
        )
    }
    values = rows["response"].reindex(grid.ravel()).to_numpy().reshape(grid.shape)
    upper = rows["response_upper"].reindex(grid.ravel()).to_numpy().reshape(grid.shape)
    return HeatMap(
        title=f"Block response: {metric.info.label}",
        label=metric.info.label,
        row_axis=down.name,
        column_axis=across.name,
        rows=down.labels[::-1],
        columns=across.labels,
        values=values,
        halves=upper - values,
        higher_is_better=metric.info.higher_is_better,
        known_to=metric.known_to,
        least_range=max(_LEAST_RANGE * practical(metric), 2 * _noise(metric)),
        notes=tuple(tuple(notes.get(name, f"{name}: not profiled") for name in row) for row in grid.tolist()),
        caption=profile_caption(profile, metric),
    )


def _noise(metric: MetricProfile) -> float:
    """Half the 95 % interval of the difference between blocks at a place, as it is for most."""
    halves = metric.contrast_half_widths
    return float(np.median(halves[~np.isnan(halves)])) if not np.isnan(halves).all() else 0.0


def effect_chart(profile: Profile, metric: MetricProfile, *, spread: bool = False) -> Chart:
    """One metric's effects against the place in the network: a panel a column of the space's blocks, a line a row.

    Where sampled, with a band for the 95 % interval; with ``spread``, with bars for any interval, and a band from the
    effect on the 5 % quantile to that on the 95 % quantile. Columns of which nothing was profiled are left out.
    """
    effects = effects_by_place(profile, metric)
    across = profile.space.axes[1].labels
    columns = [column for column in range(len(across)) if not np.isnan(effects["effect"][column :: len(across)]).all()]
    better = "higher" if metric.info.higher_is_better else "lower"
    return Chart(
        f"Effect of a block by place, against random networks (0): {metric.info.label}, {better} is better",
        tuple(
            _effect_panel(profile.space, metric, effects, column, column == columns[-1], spread) for column in columns
        ),
        size=(13.5, 4.8),
        caption=profile_caption(profile, metric),
        shares_axes=True,
    )


def worth_chart(profile: Profile, gain: MetricProfile, cost: MetricProfile) -> Chart:
    """What each block gains against what it costs, each against the mean block at its place: a point a placement."""
    return Chart(
        f"What blocks gain and cost against the mean block at their place: {gain.info.label}, {cost.info.label}",
        (worth_panel(profile, gain, cost),),
        size=(7.5, 5.2),
        caption=f"{profile_caption(profile, gain)}\n{profile_caption(profile, cost)}",
    )


def worth_panel(profile: Profile, gain: MetricProfile, cost: MetricProfile) -> Panel:
    """Its panel: a colour a row of the space's blocks; empty where no place was profiled with all its blocks."""
    frame = profile.placement_frame().dropna(subset=["contrast", "block"]).set_index("placement")
    gains, costs = (frame[frame["metric"] == metric.info.name]["contrast"] for metric in (gain, cost))
    names = [block.name for block in profile.space.blocks]
    down, across = profile.space.axes
    rows = np.array([names.index(block) for block in frame.loc[frame["metric"] == gain.info.name, "block"]])
    rows //= len(across.labels)
    layers: list[Layer] = [Rule(0.0), Rule(0.0, axis="x")]
    for row, label in enumerate(down.labels):
        chosen = gains.index[rows == row]
        cost_of, gain_of = (
            partial(signed, among=values.to_numpy(), known_to=metric.known_to)
            for metric, values in ((cost, costs), (gain, gains))
        )
        notes = tuple(
            f"{name} against the mean block there: {cost_of(costs[name])} {cost.info.unit}, "
            f"{gain_of(gains[name])} {gain.info.unit}"
            for name in chosen
        )
        x, y = costs[chosen].to_numpy(float), gains[chosen].to_numpy(float)
        layers.append(Points(x, y, _row_tone(row), label, size="small", notes=notes))
    return Panel(
        Axis(f"{cost.info.label}, against the mean block there"),
        Axis(f"{gain.info.label}, against the mean block there"),
        tuple(layers),
        legend="beside",
        legend_title=down.name,
    )


def pool_chart(profile: Profile, metric: MetricProfile, check: HeldOut) -> Chart:
    """A pool: each network as predicted without it, with its 90 % interval, against what it was measured to be."""
    label = f"{metric.info.label}, {metric.info.origin}"
    unit = "%" if check.relative else "percentage points"
    return Chart(
        f"{len(check.networks)} networks, each predicted by the surrogate fitted without it",
        (pool_panel(metric, check, label), errors_panel(check.values, check.errors_percent, label, unit)),
        size=(10.5, 4.8),
        caption=profile_caption(profile, metric),
    )


def pool_panel(metric: MetricProfile, check: HeldOut, label: str) -> Panel:
    """Its first panel, with ``label`` at its lower axis."""
    bounds = (check.predicted, check.lower, check.upper)
    unit = metric.info.unit
    return predicted_panel(check.values, *bounds, label, f"predicted without it ({unit})", unit, check.networks)


def effects_by_place(profile: Profile, metric: MetricProfile) -> dict[str, FloatArray]:
    """(blocks, slots) each: the effects of single blocks, on the mean and on quantiles, with their intervals."""
    frame: pd.DataFrame = profile.placement_frame()
    rows = frame[(frame["metric"] == metric.info.name) & frame["block"].notna()]
    space = profile.space
    names = [block.name for block in space.blocks]
    blocks = [names.index(name) for name in rows["block"]]
    slots = [space.unit_slots[unit - 1].start + layer - 1 for unit, layer in zip(rows.unit, rows.layer, strict=True)]
    values = {column: np.full((len(names), space.num_slots), np.nan) for column in _COLUMNS}
    for column in _COLUMNS:
        values[column][blocks, slots] = rows[column]
    return values


def _effect_panel(
    space: Space, metric: MetricProfile, effects: dict[str, FloatArray], column: int, is_last: bool, spread: bool
) -> Panel:
    down, across = space.axes
    starts, stops = (np.array([getattr(slots, end) for slots in space.unit_slots]) for end in ("start", "stop"))
    units = Regions(starts - 0.5, stops - 0.5, tuple(f"u{unit}" for unit in range(1, len(starts) + 1)))
    rows = [
        layer
        for row, label in enumerate(down.labels)
        for layer in _row_layers(
            space, metric, effects, row * len(across.labels) + column, _row_tone(row), label, spread
        )
    ]
    return Panel(
        Axis(
            "layer in its unit (u1, u2, ...)",
            ticks=tuple((slot, str(layer + 1)) for slot, layer in enumerate(space.slot_layer.tolist())),
            limits=(-0.6, space.num_slots - 0.4),
        ),
        Axis(f"effect on {metric.info.label}"),
        (units, Rule(0.0), *rows),
        title=f"{across.name} {across.labels[column]}",
        legend="beside" if is_last else "",
        legend_title=down.name,
    )


def _row_tone(row: int) -> Tone:
    return _ROW_TONES[row] if row < len(_ROW_TONES) else row


def _row_layers(
    space: Space,
    metric: MetricProfile,
    effects: dict[str, FloatArray],
    block: int,
    tone: Tone,
    label: str,
    spread: bool,
) -> Iterator[Layer]:
    effect, low, high, lower, upper = (effects[name][block] for name in _COLUMNS)
    every = effects["effect"]
    said = partial(signed, among=every[~np.isnan(every)], known_to=metric.known_to)
    for run, slots in enumerate(_runs(space, effect)):
        places = np.array(slots, dtype=float)
        if spread:
            yield Band(places, low[slots], high[slots], tone)
        elif metric.num_archs is not None:
            yield Band(places, lower[slots], upper[slots], tone)
        if spread and metric.has_intervals:
            yield Ranges(places, lower[slots], upper[slots], tone)
        notes = []
        for slot in slots:
            place = f"u{space.slot_unit[slot] + 1}.l{space.slot_layer[slot] + 1}.{space.blocks[block].name}"
            note = f"{place}: {said(effect[slot])} {metric.info.unit}; 5 % {said(low[slot])}, 95 % {said(high[slot])}"
            if metric.has_intervals:
                note += f"; 95 % interval {said(lower[slot])} to {said(upper[slot])}"
            notes.append(note)
        name = label if run == 0 else ""
        yield Line(places, effect[slots], tone, name, marks=True, notes=tuple(notes))


def _runs(space: Space, effect: FloatArray) -> list[list[int]]:
    """Neighbouring slots of a unit that have an effect."""
    there = np.flatnonzero(~np.isnan(effect)).tolist()
    runs = groupby(enumerate(there), key=lambda pair: (space.slot_unit[pair[1]], pair[1] - pair[0]))
    return [[slot for _, slot in run] for _, run in runs]
