"""Label setting along the chain of a network: stem, layers, head.

A *label* is the beginning of a network, with what it costs in each dimension: a metric turned so that lower is better,
one for each objective, and one for each limit that is no objective's already. Labels grow layer by layer. Of those that
go on alike (the same unit, layer and width) one that another dominates is part of no better network, so it is dropped;
and so is one that breaks a limit however cheap the rest is. This is label setting for shortest paths of several
criteria (Martins, On a multicriteria shortest path problem, EJOR 16, 1984). For the best k networks, labels in the
first k layers of non-dominated ones are kept: any other is dominated by k that are.

Costs are rounded to multiples of a decimal step, so that sums are integers, exact in any order. Otherwise networks of
the same blocks in another order would differ in the last bit, and be different points of a front.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

import moocore
import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.metrics import AdditiveMetric, ExactMetric
from blockprof.reduction import Reduction
from blockprof.searching.problem import Limit, Objective
from blockprof.spaces import ABSENT, Architectures
from blockprof.spaces.chain import Semiring, fold

MAX_LABELS = 5_000_000
"""Labels compared at once; a few hundred MB."""

STEP_DIGITS = 14
"""Decimal digits of sums: integers of 15 are still exact as floats."""


def first_fronts(points: FloatArray, num_fronts: int) -> IntArray:
    """Which of (N, D) points are in the first layers of non-dominated ones, lower being better; ascending indices.

    Of equal points the first dominates the others. With one dimension: the lowest ``num_fronts``.
    """
    if points.shape[1] == 1:
        return np.sort(np.argsort(points[:, 0], kind="stable")[:num_fronts])
    left, layers = np.arange(len(points)), [np.empty(0, dtype=np.intp)]
    while len(left) and len(layers) <= num_fronts:
        on_front = moocore.is_nondominated(points[left])
        layers.append(left[on_front])
        left = left[~on_front]
    return np.sort(np.concatenate(layers))


class Guide(NamedTuple):
    """A weighted sum of the dimensions, weights (D,), that a network must end within the one bound of ``chain``."""

    weights: FloatArray
    chain: "Chain"


@dataclass(frozen=True, eq=False)
class _Labels:
    """N beginnings: ``sums`` (N, D), what they cost; ``genes`` (N, L + 1), as of ``Architectures``, absent from where
    they end; ``states`` (N,), the index of the width that they end with.
    """

    sums: FloatArray
    genes: IntArray
    states: IntArray

    def __getitem__(self, index: IntArray) -> "_Labels":
        return _Labels(self.sums[index], self.genes[index], self.states[index])

    @classmethod
    def concatenate(cls, parts: Sequence["_Labels"]) -> "_Labels":
        names = ("sums", "genes", "states")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class Chain:
    """What the links of a network of ``reduction`` cost in each of D dimensions, each the additive score of a metric.

    ``layers`` is (L, P, B, D), by slot, width before its unit and block; ``stems`` (S, D); ``heads`` (W, D); ``bounds``
    (D,), infinite where there is no limit. Costs are whole numbers of a step of each dimension.

    A bound is wider than its limit by what rounding may be, so that no network within the limit is lost.
    """

    reduction: Reduction
    layers: FloatArray
    stems: FloatArray
    heads: FloatArray
    bounds: FloatArray

    @classmethod
    def of(cls, reduction: Reduction, objectives: Sequence[Objective], limits: Sequence[Limit]) -> "Chain":
        """The chain of exact metrics, by their scores: a dimension for each objective, then for each other limit."""
        aims: tuple[Objective | Limit, ...] = (*objectives, *limits)
        dimensions: dict[tuple[str, float], AdditiveMetric] = {}
        for aim in aims:
            score = cast("ExactMetric", aim.metric).score
            dimensions.setdefault((aim.metric.info.name, aim.sign), score)
        metrics = tuple(dimensions.values())
        units = np.array([sign / _step(metric) for (_, sign), metric in dimensions.items()])
        layers, stems, heads = (
            np.rint(np.stack(costs, axis=-1) * units)
            for costs in (
                [metric.slot_costs for metric in metrics],
                [metric.stem_costs for metric in metrics],
                [metric.head_costs for metric in metrics],
            )
        )
        bounds = np.full(len(metrics), np.inf)
        for limit in limits:
            place = list(dimensions).index((limit.metric.info.name, limit.sign))
            most = (limit.sign * limit.most_of_score - metrics[place].base) * units[place]
            bounds[place] = most + _rounding(reduction)
        return cls(reduction, layers, stems, heads, bounds)

    @property
    def sure_bounds(self) -> FloatArray:
        """(D,): bounds that only networks within the limits meet, whatever rounding did."""
        return self.bounds - 2 * _rounding(self.reduction)

    def sums_of(self, archs: Architectures) -> FloatArray:
        """(N, D): what networks cost."""
        space = self.reduction.space
        layers = self.layers[np.arange(space.num_slots), archs.states_before[:, space.slot_unit], archs.blocks]
        inside = np.where((archs.blocks >= 0)[..., None], layers, 0.0).sum(axis=1)
        return np.asarray(self.stems[archs.stems] + inside + self.heads[archs.widths[:, -1]])

    @cached_property
    def rests(self) -> tuple[FloatArray, ...]:
        """For each slot (W, D): the least that follows its layer in each dimension, by the width of its unit."""
        least = least_sums(self.reduction, self.stems, self.layers, self.heads)
        return least.rests(self.reduction.depths)

    def solve(self, num_fronts: int, guide: Guide | None = None) -> tuple[Architectures, FloatArray]:
        """The networks within the bounds that are in the first layers of non-dominated ones in all dimensions.

        Of those that break the bound of ``guide`` some are missing.

        Returns:
            N networks and what they cost, (N, D).

        Raises:
            InputError: more than ``MAX_LABELS`` labels.
        """
        space = self.reduction.space
        setting = _LabelSetting(self, num_fronts, guide)
        labels = _Labels.concatenate(fold(space, self.reduction.depths, setting, [self._begin()])[-1])
        sums = labels.sums + self.heads[labels.states]
        best = np.flatnonzero((sums <= self.bounds).all(axis=1))
        best = best[first_fronts(sums[best], num_fronts)]
        return Architectures(space, labels.genes[best, 1:], labels.genes[best, 0]), sums[best]

    def _begin(self) -> _Labels:
        space = self.reduction.space
        stems = np.flatnonzero(self.reduction.stems)
        genes = np.full((len(stems), space.num_slots + 1), ABSENT, dtype=np.int8)
        genes[:, 0] = stems
        return _Labels(self.stems[stems], genes, space.stem_states[stems])


@dataclass(frozen=True, eq=False)
class _LabelSetting:
    """The algebra of labels: those that go on alike together, by the width of the unit that they are in.

    Dropped are those that are behind the first ``num_fronts`` fronts of non-dominated ones, or break a bound.
    """

    chain: Chain
    num_fronts: int
    guide: Guide | None

    def append(self, ways: list[_Labels], slot: int) -> list[_Labels]:
        reduction = self.chain.reduction
        widths = reduction.widths(reduction.space.slot_unit[slot])
        if not reduction.space.slot_layer[slot]:
            ways = [_Labels.concatenate(ways)] * len(widths)
        return [self._extend(labels, slot, width) for labels, width in zip(ways, widths, strict=True)]

    def join(self, options: Sequence[list[_Labels]]) -> list[_Labels]:
        joined = [_Labels.concatenate(parts) for parts in zip(*options, strict=True)]
        return [labels[first_fronts(labels.sums, self.num_fronts)] for labels in joined]

    def _extend(self, labels: _Labels, slot: int, width: int) -> _Labels:
        """Labels with each block of a width that may follow, less those that are dropped."""
        chain, guide = self.chain, self.guide
        space, kinds = chain.reduction.space, chain.reduction.kinds
        parts, total = [], 0
        # Block by block, so that only what is within the bounds is held for all of them.
        for block in (width * space.blocks_per_width + np.flatnonzero(kinds[slot, width])).tolist():
            sums = labels.sums + chain.layers[slot, labels.states, block]
            is_within = (sums + chain.rests[slot][width] <= chain.bounds).all(axis=1)
            if guide:
                is_within &= sums @ guide.weights + guide.chain.rests[slot][width, 0] <= guide.chain.bounds[0]
            within = np.flatnonzero(is_within)
            total += len(within)
            if total > MAX_LABELS:
                raise InputError(
                    f"more than {MAX_LABELS:,} beginnings of networks to compare in unit {space.slot_unit[slot] + 1}",
                    remedy=Said(
                        "reduce the space, name fewer metrics, or search with {}", Argument("algorithm", "evolution")
                    ),
                    code="too-many-labels",
                )
            parts.append((sums[within], within, np.full(len(within), block, dtype=np.int8)))
        sums, parents, blocks = (np.concatenate(each) for each in zip(*parts, strict=True))
        kept = first_fronts(sums, self.num_fronts)
        genes = labels.genes[parents[kept]]
        genes[:, slot + 1] = blocks[kept]
        return _Labels(sums[kept], genes, np.full(len(kept), width))


def least_sums(
    reduction: Reduction, stems: FloatArray, layers: FloatArray, heads: FloatArray, times: np.ufunc = np.add
) -> Semiring:
    """The semiring of the least sums of costs, those of the links of ``Chain``, over the networks of a reduction.

    ``times`` is what else than a sum they come to, such as the greatest of them.
    """
    space = reduction.space
    by_state = np.full((len(space.stem.out_channels), *stems.shape[1:]), np.inf)
    np.minimum.at(by_state, space.stem_states[reduction.stems], stems[reduction.stems])
    by_width = layers.reshape(*layers.shape[:2], space.num_widths, space.blocks_per_width, *layers.shape[3:])
    kinds = reduction.kinds.reshape(space.num_slots, 1, *reduction.kinds.shape[1:], *[1] * (layers.ndim - 3))
    cheapest = np.where(kinds, by_width, np.inf).min(axis=3)
    return Semiring(space, np.minimum, times, by_state, cheapest, heads)


def _rounding(reduction: Reduction) -> int:
    """Steps that rounding may move a network's sum by: half of one for each link, and as much for floats."""
    return reduction.space.num_slots + 2


def _step(metric: AdditiveMetric) -> float:
    """The power of ten of which no network costs more than ``10**STEP_DIGITS``."""
    greatest = (
        abs(metric.base)
        + np.abs(metric.stem_costs).max()
        + np.abs(metric.head_costs).max()
        + np.abs(metric.slot_costs).max(axis=(1, 2)).sum()
    )
    return float(10.0 ** (math.ceil(math.log10(greatest)) - STEP_DIGITS)) if greatest > 0 else 1.0
