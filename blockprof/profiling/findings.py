"""What a profile says, the answer first: what to avoid, what it costs, and what makes no difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.profiling.places import complete_places
from blockprof.profiling.profile import MetricProfile, Profile

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = lazy_import("pandas")

PRACTICAL_SHARE = 0.05
"""What moves a mean by less than this share of the random networks' standard deviation makes no difference."""


@dataclass(frozen=True, slots=True)
class AxisFinding:
    """What one of the two things that tell blocks apart is worth: the mean contrast between two of its values.

    ``best`` and ``worst`` are labels of the axis, ``difference`` (at least 0) is in the metric's unit.
    """

    axis: str
    best: str
    worst: str
    difference: float


@dataclass(frozen=True, eq=False)
class Findings:
    """What one metric's profile says.

    ``placements`` has a row for each placement whose place was profiled with all its blocks, the worst contrast first:
    ``placement``, ``place`` (``u2.l1``), ``contrast``, ``half`` of its 95 % interval, ``depth_effect``, ``matters``.
    ``practical`` is the least difference that matters, in the metric's unit.
    """

    metric: MetricProfile
    axes: tuple[AxisFinding, ...]
    placements: "pd.DataFrame"
    practical: float

    @property
    def avoid(self) -> "pd.DataFrame":
        """The placements that are worse than the other blocks there by what matters, the worst first."""
        sign = -1 if self.metric.info.higher_is_better else 1
        return self.placements[self.placements["matters"] & (sign * self.placements["contrast"] > 0)]

    @cached_property
    def indifferent_places(self) -> tuple[str, ...]:
        """The places at which no choice of block makes a difference, in the network's order."""
        matters = self.placements.groupby("place", sort=True)["matters"].any()
        return tuple(matters.index[~matters])

    @property
    def num_places(self) -> int:
        """How many places were profiled with all their blocks."""
        return int(self.placements["place"].nunique())

    @property
    def depth(self) -> dict[str, float]:
        """By place: what it costs or gains that the layer is there, whatever its block, where that matters."""
        effects = dict(zip(self.placements["place"], self.placements["depth_effect"].astype(float), strict=True))
        return {place: effect for place, effect in sorted(effects.items()) if abs(effect) >= self.practical}


def practical(metric: MetricProfile) -> float:
    """The least difference of a mean that matters, in the metric's unit."""
    return PRACTICAL_SHARE * float(metric.statistics.column("std")[0])


def effect_parts(rows: "pd.DataFrame") -> tuple[str, ...]:
    """The columns of placements that tell what they cost, the one to sort by first: of an effect alone, or its parts.

    Args:
        rows: of ``Profile.placement_frame``, of one metric.
    """
    return ("contrast", "depth_effect", "effect") if rows["contrast"].notna().any() else ("effect",)


def find(profile: Profile, metric: MetricProfile) -> Findings:
    """What a profile says of one of its metrics.

    A contrast matters where it is beyond its interval, and at least 5 % of the random networks' standard deviation.
    """
    least = practical(metric)
    frame = profile.placement_frame()
    rows = frame[(frame["metric"] == metric.info.name) & frame["contrast"].notna() & frame["block"].notna()]
    contrast, half = rows["contrast"], (rows["contrast_upper"] - rows["contrast_lower"]) / 2
    placements = pd.DataFrame(
        {
            "placement": rows["placement"],
            "place": [f"u{unit}.l{layer}" for unit, layer in zip(rows["unit"], rows["layer"], strict=True)],
            "block": rows["block"],
            "contrast": contrast,
            "half": half,
            "depth_effect": rows["depth_effect"],
            "matters": (contrast.abs() >= least) & (contrast.abs() > half),
        }
    ).sort_values("contrast", ascending=metric.info.higher_is_better, kind="stable", ignore_index=True)
    return Findings(metric, _axes(profile, placements, metric.info.higher_is_better), placements, least)


def _axes(profile: Profile, placements: "pd.DataFrame", higher_is_better: bool) -> tuple[AxisFinding, ...]:
    axes = profile.space.axes
    names = [block.name for block in profile.space.blocks]
    means = placements.groupby("block")["contrast"].mean().reindex(names).to_numpy()
    if np.isnan(means).any():
        return ()
    grid = means.reshape(len(axes[0].labels), len(axes[1].labels))
    findings = []
    for axis, levels in zip(axes, (grid.mean(axis=1), grid.mean(axis=0)), strict=True):
        low, high = int(levels.argmin()), int(levels.argmax())
        best, worst = (high, low) if higher_is_better else (low, high)
        difference = float(levels[high] - levels[low])
        findings.append(AxisFinding(axis.name, axis.labels[best], axis.labels[worst], difference))
    return tuple(sorted(findings, key=lambda one: -one.difference))


def trades(profile: Profile, gain: MetricProfile, cost: MetricProfile) -> "pd.DataFrame":
    """What each placement costs and gains over the best cheaper block at its place, the worst bargain first.

    A row a placement that is not the cheapest of its place: ``placement``, ``instead_of``, ``extra_cost`` and
    ``extra_gain`` over that one in the metrics' units, ``gain_per_cost``, and ``loss``: the extra cost less the
    extra gain, each in standard deviations of the random networks.
    """
    per_cost, per_gain = (float(metric.statistics.column("std")[0]) for metric in (cost, gain))
    costs, gains = (metric.statistics.column("mean")[1:] for metric in (cost, gain))
    if not (per_cost > 0 and per_gain > 0):
        return _trade_frame([])
    worth = gains / per_gain - costs / per_cost
    rows = []
    for place in complete_places(profile.space, profile.constraints):
        for index in place:
            cheaper = place[costs[place] < costs[index]]
            if profile.constraints[index].single is None or not len(cheaper):
                continue
            other = cheaper[worth[cheaper].argmax()]
            extra_cost, extra_gain = float(costs[index] - costs[other]), float(gains[index] - gains[other])
            names = profile.constraints[index].name, profile.constraints[other].name
            rows.append((*names, extra_cost, extra_gain, extra_gain / extra_cost, float(worth[other] - worth[index])))
    return _trade_frame(rows).sort_values("loss", ascending=False, kind="stable", ignore_index=True)


def _trade_frame(rows: Sequence[tuple[object, ...]]) -> "pd.DataFrame":
    columns = ["placement", "instead_of", "extra_cost", "extra_gain", "gain_per_cost", "loss"]
    return pd.DataFrame(rows, columns=columns)
