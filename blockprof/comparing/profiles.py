"""Profiles beside each other: whether two metrics, or two devices, agree on which blocks are expensive, and where not.

Ranks are by effect or response, 1 the greatest. An interval of values gives an interval of ranks: from one more than
the number of places that lie wholly above, to the last place that none wholly below could take. A rank has changed
beyond the intervals where the two intervals of ranks do not meet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import InputError
from blockprof.foundation.scores import kendall, spearman

SAME = 1e-9
"""Values nearer than this, over their range, tie: sums in another order differ by as much."""
_RANK_COLUMNS = ("rank", "rank_least", "rank_most")
_ENDS = ("", "_lower", "_upper")
_EFFECT = ("effect", "effect_lower", "effect_upper")


@dataclass(frozen=True, eq=False)
class ProfileTables:
    """A profile's tables, as ``Profile`` gives them and its run logs them; ``responses`` is empty without any block."""

    label: str
    random: pd.DataFrame
    placements: pd.DataFrame
    responses: pd.DataFrame

    @property
    def metrics(self) -> list[str]:
        return [str(name) for name in self.random["metric"]]


@dataclass(frozen=True, eq=False)
class MetricPair:
    """One metric of one profile against one of another.

    ``first`` and ``second`` say which, and ``first_unit`` and ``second_unit`` in which unit. ``placements`` and
    ``blocks`` have a row a placement, and a block, that both have: ``name``, both values with their 95 % intervals
    (``first``, ``first_lower``, ``first_upper``, ``second``, ...), both ranks with theirs (``first_rank``,
    ``first_rank_least``, ``first_rank_most``, ...), and ``rank_change``, ``beyond``: by how much the second rank is
    lower down, and by how much beyond the intervals of ranks (0 where they meet). Placements also have ``unit``,
    ``layer`` and ``block``. ``differences`` has, where both are the same metric, second minus first with its interval,
    of ``random``, the mean of the random networks, of each ``response`` and of each ``effect``; else it is empty.
    ``origins`` say whether the values of each are predicted, measured, reference or counted.
    """

    first: str
    second: str
    first_unit: str
    second_unit: str
    placements: pd.DataFrame
    blocks: pd.DataFrame
    differences: pd.DataFrame
    origins: tuple[str, str]

    @property
    def spearman(self) -> float:
        """The rank correlation of the effects; NaN where one of the two has no ranks."""
        return spearman(*_values(self.placements))

    @property
    def kendall(self) -> float:
        """Kendall's tau-b of the effects; NaN where one of the two has no ranks."""
        return kendall(*_values(self.placements))

    @property
    def response_spearman(self) -> float:
        """The rank correlation of the responses; NaN where one of the two has no ranks."""
        return spearman(*_values(self.blocks))

    def verdict(self) -> str:
        """How far the two agree, in a sentence."""
        moved = int((self.placements["beyond"] != 0).sum())
        total = len(self.placements)
        if np.isnan(self.spearman):
            return f"{self.first} and {self.second}: {total} placements in common do not tell their ranks"
        text = (
            f"{self.first} and {self.second}: rank correlation of {total} effects {self.spearman:.3f} (Spearman), "
            f"{self.kendall:.3f} (Kendall); "
        )
        if not moved:
            return text + "no placement changes rank beyond its intervals"
        by = self.placements["rank_change"].abs().median()
        far = self.placements.iloc[int(self.placements["beyond"].abs().to_numpy().argmax())]
        return text + (
            f"{moved} placements change rank beyond their intervals (half of all by {by:.0f} places or more), most of "
            f"all {far['name']}, from {far['first_rank']} to {far['second_rank']}"
        )


@dataclass(frozen=True, eq=False)
class ProfileComparison:
    """Profiles of one space, by pairs of their metrics."""

    pairs: tuple[MetricPair, ...]

    def __repr__(self) -> str:
        pairs = (f"{pair.first} ({pair.origins[0]}), {pair.second} ({pair.origins[1]})" for pair in self.pairs)
        return f"<ProfileComparison of {'; '.join(pairs)}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.summary_frame())

    def to_pandas(self) -> pd.DataFrame:
        """A row a pair and placement that both profiles have: effects, ranks, and by how much these changed."""
        named = [pair.placements.assign(first_metric=pair.first, second_metric=pair.second) for pair in self.pairs]
        return pd.concat(named, ignore_index=True)

    def plot(self, what: str | None = None) -> Picture:
        """The effects of a pair, the first where None; its name is both profiles'.

        Raises:
            InputError: there is no such picture.
        """
        return plot(self, what)

    def summary_frame(self) -> pd.DataFrame:
        """One row a pair: its correlations, and how many placements and blocks change rank beyond their intervals."""
        return pd.DataFrame(
            [
                {
                    "first": pair.first,
                    "second": pair.second,
                    "num_placements": len(pair.placements),
                    "effects_spearman": pair.spearman,
                    "effects_kendall": pair.kendall,
                    "num_placements_changed": int((pair.placements["beyond"] != 0).sum()),
                    "num_blocks": len(pair.blocks),
                    "responses_spearman": pair.response_spearman,
                    "num_blocks_changed": int((pair.blocks["beyond"] != 0).sum()),
                }
                for pair in self.pairs
            ]
        )


def compare_profiles(profiles: Sequence[ProfileTables]) -> ProfileComparison:
    """Compare profiles of one space, each with each.

    Metrics that two profiles share are compared with themselves; where two share none, all with all.

    Raises:
        InputError: two profiles have no placement in common.
    """
    return ProfileComparison(
        tuple(
            _pair(one, metric, other, theirs)
            for one, other in combinations(profiles, 2)
            for metric, theirs in _metrics_to_compare(one, other)
        )
    )


def _metrics_to_compare(one: ProfileTables, other: ProfileTables) -> list[tuple[str, str]]:
    shared = [(name, name) for name in one.metrics if name in other.metrics]
    return shared or [(name, theirs) for name in one.metrics for theirs in other.metrics]


def _pair(one: ProfileTables, metric: str, other: ProfileTables, theirs: str) -> MetricPair:
    sides = [(one, metric), (other, theirs)]
    placements = _side_by_side([_of(tables.placements, name) for tables, name in sides], "placement", "effect")
    if placements.empty:
        raise InputError(
            f"{one.label} and {other.label} have no placement in common",
            remedy="profile the same ones",
            code="no-placement-in-common",
        )
    blocks = _side_by_side([_of(tables.responses, name) for tables, name in sides], "block", "response")
    random = _side_by_side([_of(tables.random, name).assign(name="random") for tables, name in sides], "name", "mean")
    units = [str(_of(tables.random, name)["unit_of_metric"].iloc[0]) for tables, name in sides]
    first_origin, second_origin = (str(_of(tables.random, name)["origin"].iloc[0]) for tables, name in sides)
    is_same = metric == theirs and units[0] == units[1]
    parts = {"random": random, "response": blocks, "effect": placements} if is_same else {}
    differences = [_differences(kind, frame) for kind, frame in parts.items()]
    return MetricPair(
        first=f"{one.label} {metric}",
        second=f"{other.label} {theirs}",
        first_unit=units[0],
        second_unit=units[1],
        placements=placements,
        blocks=blocks,
        differences=pd.concat(differences, ignore_index=True) if differences else pd.DataFrame(),
        origins=(first_origin, second_origin),
    )


def _of(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    return frame[frame["metric"] == metric] if len(frame) else frame


def _side_by_side(frames: Sequence[pd.DataFrame], key: str, value: str) -> pd.DataFrame:
    """The rows that both have, by ``key``, with both values, their intervals, ranks, and how these change."""
    names = [value, f"{value}_lower", f"{value}_upper", *_EFFECT]
    sides = ("first", "second")
    renamed = [
        frame[[key]].assign(**{f"{side} {index}": frame.get(name, np.nan) for index, name in enumerate(names)})
        for side, frame in zip(sides, frames, strict=True)
    ]
    rows = renamed[0].merge(renamed[1], on=key).rename(columns={key: "name"})
    if key == "placement":
        rows = rows.join(frames[0].set_index("placement")[["unit", "layer", "block"]], on="name")
    for side in sides:
        # What all values of a profile share, the mean of its random networks, is no part of their order.
        effects = (rows.pop(f"{side} {index}").to_numpy(dtype=float) for index in range(3, 6))
        for name, ranks in zip(_RANK_COLUMNS, rank_intervals(*effects), strict=True):
            rows[f"{side}_{name}"] = ranks
        rows = rows.rename(columns={f"{side} {index}": f"{side}{end}" for index, end in enumerate(_ENDS)})
    rows["rank_change"] = rows["second_rank"] - rows["first_rank"]
    down = (rows["second_rank_least"] - rows["first_rank_most"]).clip(lower=0)
    rows["beyond"] = down - (rows["first_rank_least"] - rows["second_rank_most"]).clip(lower=0)
    return rows


def rank_intervals(values: FloatArray, lower: FloatArray, upper: FloatArray) -> Iterator[FloatArray]:
    """The ranks of (N,) values, 1 the greatest, and the least and most that their intervals allow: three (N,)."""
    slack = SAME * float(np.ptp(values)) if len(values) else 0.0
    yield 1 + (values[None, :] > values[:, None] + slack).sum(axis=1)
    yield 1 + (lower[None, :] > upper[:, None] + slack).sum(axis=1)
    yield len(values) - (upper[None, :] < lower[:, None] - slack).sum(axis=1)


def _differences(kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Second minus first, its interval from those of both as if independent: too wide where networks are the same."""
    difference = rows["second"] - rows["first"]
    first_half, second_half = ((rows[f"{side}_upper"] - rows[f"{side}_lower"]) / 2 for side in ("first", "second"))
    half = np.hypot(first_half, second_half)
    slack = SAME * max(float(np.ptp(rows["first"])), float(rows["first"].abs().max())) if len(rows) else 0.0
    return pd.DataFrame(
        {
            "kind": kind,
            "name": rows["name"],
            "first": rows["first"],
            "second": rows["second"],
            "difference": difference,
            "lower": difference - half,
            "upper": difference + half,
            "is_beyond_noise": difference.abs() > half + slack,
        }
    )


def _values(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    return rows["first"].to_numpy(dtype=float), rows["second"].to_numpy(dtype=float)
