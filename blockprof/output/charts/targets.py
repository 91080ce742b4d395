"""Charts of targets beside each other: what blocks cost at each place, and what choosing for one costs on another."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from blockprof.comparing import ProfileComparison
from blockprof.comparing.ranks import PRACTICAL_PERCENT
from blockprof.comparing.targets import Targets
from blockprof.foundation.arrays import FloatArray
from blockprof.output.charts.specs import Axis, Chart, Layer, Line, Panel, Points, Rule

FULL_COLOUR_SHARE = 0.95
"""Of all values: those beyond them have the colours of the ends."""
WIDE = 4.0
"""Times that the slowest network of a front takes what the fastest does, from where on the axis is logarithmic."""
LEAST_LIMIT = 4 * PRACTICAL_PERCENT
"""Percent: however alike blocks are, the colours reach as far, so that small differences stay pale."""


@dataclass(frozen=True, eq=False, slots=True)
class PlaceMaps:
    """A map for each target, of blocks (down) by places (across), all on one scale of colours.

    ``values`` are (R, C) each, not a number where nothing is known, ``label`` says of what; ``names`` are the maps'.
    ``units`` are the places' units, with the first and the last of their columns. Colours go from ``-limit``, blue, the
    best, to ``limit``, red, the worst; where ``higher_is_better`` the other way round.
    """

    title: str
    label: str
    names: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    units: tuple[tuple[str, int, int], ...]
    values: tuple[FloatArray, ...]
    limit: float
    higher_is_better: tuple[bool, ...]
    caption: str

    def badness(self, index: int) -> FloatArray:
        """(R, C): the place of each value of a map on the scale, from the best, 0, to the worst, 1."""
        shares = np.clip(self.values[index] / self.limit, -1, 1) / 2 + 0.5
        return 1 - shares if self.higher_is_better[index] else shares


def place_maps(comparison: ProfileComparison) -> PlaceMaps | None:
    """What each block is against the others at its place, a map a profile; None where no places are complete."""
    found: dict[str, tuple[pd.DataFrame, bool]] = {}
    for pair in comparison.pairs:
        for side, label, higher in zip(
            ("first", "second"), (pair.first, pair.second), pair.higher_is_better, strict=True
        ):
            if len(pair.places):
                rows = pair.places[["unit", "layer", "block"]].assign(value=pair.places[side])
                found.setdefault(label, (rows, higher))
    if not found:
        return None
    every = pd.concat([rows for rows, _ in found.values()])
    blocks = list(dict.fromkeys(every["block"]))
    places = sorted({(int(unit), int(layer)) for unit, layer in zip(every["unit"], every["layer"], strict=True)})
    values = []
    for rows, _ in found.values():
        grid = np.full((len(blocks), len(places)), np.nan)
        for unit, layer, block, value in rows.itertuples(index=False):
            grid[blocks.index(block), places.index((int(unit), int(layer)))] = value
        values.append(grid)
    limit = max(float(np.nanquantile(np.abs(np.stack(values)), FULL_COLOUR_SHARE)), LEAST_LIMIT)
    units = []
    for unit, members in groupby(enumerate(places), key=lambda each: each[1][0]):
        indices = [index for index, _ in members]
        units.append((f"u{unit}", indices[0], indices[-1]))
    return PlaceMaps(
        title="Blocks against the others at their place",
        label="percent of a random network",
        names=tuple(found),
        rows=tuple(blocks),
        columns=tuple(str(layer) for _, layer in places),
        units=tuple(units),
        values=tuple(values),
        limit=limit,
        higher_is_better=tuple(higher for _, higher in found.values()),
        caption=(
            "A block's effect less the mean effect of all blocks at its layer, in percent of the mean random network "
            f"(accuracies in points). One scale for all maps, from {-limit:.3g} to {limit:.3g}: "
            f"{100 * FULL_COLOUR_SHARE:.0f} % of all values lie within, the others have the colours of the ends."
        ),
    )


def regret_chart(targets: Targets) -> Chart:
    """For each target its own front, and what the networks of the other targets' fronts are on it."""
    return Chart(
        f"Networks chosen for one target, run on another: {targets.accuracy.label}",
        tuple(regret_panel(targets, index) for index in range(len(targets.fronts))),
        size=(5.2 * min(len(targets.fronts), 3), 4.4 * -(-len(targets.fronts) // 3)),
        caption=(
            "Line: the most accurate networks of each time on the target itself. Points: those of the other targets, "
            "run on it; ringed: the one within its limit. How far a point is below the line is what it gives away, how "
            f"far right of it, the time. {targets.accuracy.label}: {targets.accuracy.provenance}."
        ),
    )


def regret_panel(targets: Targets, index: int) -> Panel:
    """One target's panel."""
    own = targets.fronts[index]
    name = f"for {own.target.name}"
    layers: list[Layer] = [Line(own.ms[::-1], own.accuracy[::-1], index, name, step="last")]
    limits = [one.limit_ms for one in targets.regrets if one.chosen_for == own.target.name]
    layers.append(Rule(limits[0], "x", is_limit=True))
    for number, other in enumerate(targets.fronts):
        if number == index:
            continue
        ms = own.target.metric.evaluate(other.archs)
        layers.append(Points(ms, other.accuracy, number, f"for {other.target.name}", size="small", pale=True))
        chosen = next(
            one for one in targets.regrets if (one.chosen_for, one.run_on) == (other.target.name, own.target.name)
        )
        layers.append(Points(np.array([chosen.ms]), np.array([chosen.accuracy]), "alarm", hollow=True, size="large"))
    return Panel(
        Axis(f"{own.target.name} (ms)", is_log=bool(own.ms[0] > WIDE * own.ms[-1])),
        Axis(targets.accuracy.label),
        tuple(layers),
        title=f"run on {own.target.name}",
        legend="inside",
    )
