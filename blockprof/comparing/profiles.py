"""Profiles beside each other: whether two metrics, or two devices, agree on which blocks are expensive, and where not.

Metrics of like kind are compared: those of one unit and direction. When a rank has changed is said in
``blockprof.comparing.ranks``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blockprof.comparing.places import (
    compare_places,
    correlation_by_place,
    describe_rank,
    matters_nowhere,
    most_apart,
    most_changed,
)
from blockprof.comparing.ranks import SAME, practical_difference, side_by_side
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.choices import check_choice
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.scores import kendall, spearman

if TYPE_CHECKING:
    from blockprof.comparing.targets import Targets

SAID_OF_PLACES = 3
"""Placements named in a pair's story."""


@dataclass(frozen=True, eq=False)
class ProfileTables:
    """A profile's tables, as ``Profile`` gives them and its run logs them; ``responses`` is empty without any block.

    With ``is_target`` the label says all, such as ``npu``, and is not told apart by the metric's name.
    """

    label: str
    random: pd.DataFrame
    placements: pd.DataFrame
    responses: pd.DataFrame
    is_target: bool = False

    @property
    def metrics(self) -> list[str]:
        return [str(name) for name in self.random["metric"]]

    def title(self, metric: str) -> str:
        """What one of its metrics is called beside another profile's."""
        return self.label if self.is_target else f"{self.label} {metric}"

    def kind(self, metric: str) -> tuple[str, bool]:
        """What makes metrics alike: the unit, and which direction is better."""
        row = _of(self.random, metric).iloc[0]
        return str(row["unit_of_metric"]), str(row["higher_is_better"]) == "True"


@dataclass(frozen=True, eq=False)
class MetricPair:
    """One metric of one profile against one of another.

    ``first`` and ``second`` say which, and ``first_unit`` and ``second_unit`` in which unit. ``placements`` and
    ``blocks`` have a row a placement, and a block, that both have: ``name``, both values with their 95 % intervals
    (``first``, ``first_lower``, ``first_upper``, ``second``, ...), both ranks with theirs (``first_rank``,
    ``first_rank_least``, ``first_rank_most``, ...), and ``rank_change``, ``beyond``: by how much the second rank is
    lower down, and by how much beyond the intervals of ranks (0 where they meet). Placements also have ``unit``,
    ``layer`` and ``block``. ``places`` ranks the blocks of each place (``blockprof.comparing.places``).
    ``higher_is_better`` says so of each. ``differences`` has, where both are the same metric, second minus first with
    its interval, of ``random``, the mean of the random networks, of each ``response`` and of each ``effect``; else it
    is empty. ``origins`` say whether the values of each are predicted, measured,
    reference or counted.
    """

    first: str
    second: str
    first_unit: str
    second_unit: str
    placements: pd.DataFrame
    blocks: pd.DataFrame
    places: pd.DataFrame
    differences: pd.DataFrame
    origins: tuple[str, str]
    higher_is_better: tuple[bool, bool] = (False, False)

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

    @property
    def place_spearman(self) -> float:
        """The mean over places of the rank correlation of the blocks there; NaN where none has one."""
        return correlation_by_place(self.places)

    @property
    def is_equal(self) -> bool:
        """Whether all effects are the same numbers."""
        first, second = _values(self.placements)
        return bool(np.allclose(first, second, rtol=SAME, atol=SAME * float(np.ptp(first)) if len(first) else 0.0))

    def story(self) -> list[str]:
        """What it comes to, in words: which blocks suit one and not the other, most of all first."""
        if self.is_equal:
            return [f"{self.first} and {self.second}: the same numbers"]
        if self.places.empty:
            return [f"{self.first} and {self.second}: no two blocks of one place to compare"]
        changed, apart = most_changed(self.places), most_apart(self.places)
        sides = (("first", self.first), ("second", self.second))
        counted = f"{len(changed)} of {len(self.places)} blocks change rank at their places"
        shares = f"{len(apart)} are another share of a network, beyond their intervals"
        sentences = [f"{self.first} and {self.second}: {counted}, {shares}"]
        for side, label in sides:
            if matters_nowhere(self.places, side):
                most = self.places[side].abs().max()
                sentences.append(f"on {label} it does not matter which block is at a place: at most {most:.2g} %")
        # Of one block, the place at which it differs most.
        told = apart if changed.empty else changed
        for row in told.drop_duplicates("block").head(SAID_OF_PLACES).to_dict("records"):
            said = [
                f"{describe_rank(row, side, higher)} on {label} ({row[side]:+.2f} %)"
                for (side, label), higher in zip(sides, self.higher_is_better, strict=True)
            ]
            sentences.append(f"{row['name']} is, of the {row['num_blocks']} at its place, {said[0]}, {said[1]}")
        return sentences

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
    """Profiles of one space, by pairs of their metrics.

    ``left_out`` says what was not compared, a sentence each. ``targets`` says what the differences cost, where the
    metrics are latencies of different targets whose costs are known.
    """

    pairs: tuple[MetricPair, ...]
    left_out: tuple[str, ...] = ()
    targets: "Targets | None" = field(default=None)

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
        """The effects of a pair, the first where None; its name is both profiles'. Of targets also ``places``, the
        blocks of each place, and ``regret``.

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
                    "places_spearman": pair.place_spearman,
                    "num_blocks_of_places_changed": len(most_changed(pair.places)),
                    "num_blocks": len(pair.blocks),
                    "responses_spearman": pair.response_spearman,
                    "num_blocks_changed": int((pair.blocks["beyond"] != 0).sum()),
                }
                for pair in self.pairs
            ]
        )


def compare_profiles(
    profiles: Sequence[ProfileTables], metrics: tuple[str, str] | None = None, targets: "Targets | None" = None
) -> ProfileComparison:
    """Compare profiles of one space, each with each.

    Metrics of like kind are compared: what two profiles share with itself, the others of a kind all with all. Two
    profiles of one metric each are compared whatever these are. The rest is said.

    Args:
        profiles: two or more.
        metrics: of two profiles, which metric of the first to compare with which of the second.
        targets: what the differences cost, where that is known.

    Raises:
        InputError: two profiles have no placement or no kind of metric in common; ``metrics`` that are not there, or
            for more than two profiles.
    """
    if metrics and len(profiles) > 2:
        raise InputError(
            f"{len(profiles)} profiles, and two metrics to compare",
            remedy=Said("leave {} out, or compare two", Argument("metric")),
        )
    pairs, left_out = [], []
    for one, other in combinations(profiles, 2):
        chosen = _choose(one, other, metrics) if metrics else metrics_to_compare(one, other)
        pairs += [_pair(one, metric, other, theirs) for metric, theirs in chosen]
        if not metrics:
            left_out += _not_compared(one, other, chosen)
    return ProfileComparison(tuple(pairs), tuple(left_out), targets)


def metrics_to_compare(one: ProfileTables, other: ProfileTables) -> list[tuple[str, str]]:
    """Which metrics of two profiles are compared, as :func:`compare_profiles` says.

    Raises:
        InputError: none is like any of the other's.
    """
    if len(one.metrics) == len(other.metrics) == 1:
        return [(one.metrics[0], other.metrics[0])]
    shared = [name for name in one.metrics if name in other.metrics]
    found = [
        (name, theirs)
        for name in one.metrics
        for theirs in other.metrics
        if (name == theirs if name in shared or theirs in shared else one.kind(name) == other.kind(theirs))
    ]
    if not found:
        raise InputError(
            f"no metric of {one.label} ({', '.join(one.metrics)}) is like one of {other.label} "
            f"({', '.join(other.metrics)})",
            remedy=Said("choose two by {}", Argument("metric")),
            code="no-like-metrics",
        )
    return found


def _choose(one: ProfileTables, other: ProfileTables, metrics: tuple[str, str]) -> list[tuple[str, str]]:
    for tables, name in zip((one, other), metrics, strict=True):
        check_choice(name, f"metric of {tables.label}", tuple(tables.metrics))
    return [metrics]


def _not_compared(one: ProfileTables, other: ProfileTables, chosen: Sequence[tuple[str, str]]) -> list[str]:
    """Metrics of either that nothing of the other's is like, a sentence each."""
    sentences = []
    for tables, another, side in ((one, other, 0), (other, one, 1)):
        for name in tables.metrics:
            if name not in {pair[side] for pair in chosen}:
                unit, _ = tables.kind(name)
                sentences.append(f"{tables.title(name)} is not compared: {another.label} has no other metric in {unit}")
    return sentences


def _pair(one: ProfileTables, metric: str, other: ProfileTables, theirs: str) -> MetricPair:
    sides = [(one, metric), (other, theirs)]
    rows = [_of(tables.placements, name) for tables, name in sides]
    randoms = [_of(tables.random, name) for tables, name in sides]
    practical = (practical_difference(randoms[0]), practical_difference(randoms[1]))
    placements = side_by_side(rows, "placement", "effect", "effect", practical)
    if placements.empty:
        raise InputError(
            f"{one.label} and {other.label} have no placement in common",
            remedy="profile the same ones",
            code="no-placement-in-common",
        )
    placements = placements.join(rows[0].set_index("placement")[["unit", "layer", "block"]], on="name")
    responses = [_of(tables.responses, name) for tables, name in sides]
    blocks = side_by_side(responses, "block", "response", "effect", practical)
    means = side_by_side([frame.assign(name="random") for frame in randoms], "name", "mean", "mean", practical)
    units = [str(frame["unit_of_metric"].iloc[0]) for frame in randoms]
    first_origin, second_origin = (str(frame["origin"].iloc[0]) for frame in randoms)
    is_same = metric == theirs and units[0] == units[1]
    parts = {"random": means, "response": blocks, "effect": placements} if is_same else {}
    differences = [_differences(kind, frame) for kind, frame in parts.items()]
    levels = [
        100.0 if unit == "%" else float(frame["mean"].iloc[0]) for unit, frame in zip(units, randoms, strict=True)
    ]
    return MetricPair(
        first=one.title(metric),
        second=other.title(theirs),
        first_unit=units[0],
        second_unit=units[1],
        placements=placements,
        blocks=blocks,
        places=compare_places(rows[0], rows[1], (levels[0], levels[1]), practical),
        differences=pd.concat(differences, ignore_index=True) if differences else pd.DataFrame(),
        origins=(first_origin, second_origin),
        higher_is_better=(one.kind(metric)[1], other.kind(theirs)[1]),
    )


def _of(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    return frame[frame["metric"] == metric] if len(frame) else frame


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
