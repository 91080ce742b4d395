"""Exact statistics of metrics that are the greatest of what their blocks need: no sampling.

That a network is at most some value means that each of its links is, and the links of a chain are independent, given
the widths between them. So how likely that is, is one fold along the chain, in which the shares of each link's blocks
are multiplied: for all values that a network may have, of which there are no more than block instances, side by side.
The least and the greatest network are two more folds, of the greater of both links and the best of all ways.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.metrics.peak import PeakMetric
from blockprof.profiling.places import known_parts
from blockprof.profiling.statistics import QUANTILES, EstimatedStatistics, Statistics
from blockprof.spaces import ABSENT, FREE, Architectures, Constraint, fixed_blocks
from blockprof.spaces.chain import Depths, Semiring, fold
from blockprof.spaces.sampling import Sampler, likely_depths, likely_widths, stem_shares

_ROUNDING = 1e-12
"""By how much a share may be short of what its terms come to."""


def peak_statistics(
    metric: PeakMetric, constraints: Sequence[Constraint], groups: Sequence[IntArray], sampler: Sampler
) -> EstimatedStatistics:
    """Exact statistics, all intervals 0.

    Args:
        metric: of one space.
        constraints: S sets of placements.
        groups: for each of G groups, the indices of its constraints (a block's placements).
        sampler: how networks of a placement are drawn (``blockprof.spaces.sampling``).
    """
    rows, lowest, highest = [], [], []
    for constraint in (FREE, *constraints):
        links = _Links.of(metric, constraint, sampler)
        least, greatest = links.end(np.argmin), links.end(np.argmax)
        rows.append([*_summarise(links.values, links.shares()), float(least.values[0]), float(greatest.values[0])])
        lowest.append(least.genes[0])
        highest.append(greatest.genes[0])
    parts = known_parts(metric.space, constraints)
    return EstimatedStatistics(
        statistics=Statistics(np.array(rows), np.zeros(len(rows)), _nets(metric, lowest), _nets(metric, highest)),
        effect_half_widths=np.zeros(len(rows)),
        depth_half_widths=parts,
        contrast_half_widths=parts,
        group_half_widths=np.zeros(len(groups)),
        group_effect_half_widths=np.zeros(len(groups)),
    )


def _summarise(values: FloatArray, shares: FloatArray) -> list[float]:
    """Mean, standard deviation and quantiles of a distribution over (V,) ascending values."""
    mean = float(shares @ values)
    places = np.searchsorted(np.cumsum(shares), np.array(QUANTILES) - _ROUNDING)
    return [mean, float(np.sqrt(shares @ (values - mean) ** 2)), *values[places].tolist()]


def _nets(metric: PeakMetric, genes: Sequence[IntArray]) -> tuple[str, ...]:
    rows = np.array(genes)
    return tuple(Architectures(metric.space, rows[:, 1:], rows[:, 0]).to_strings())


@dataclass(frozen=True, eq=False)
class _Links:
    """The chain of random networks: what each link may need, and how likely.

    ``stems`` are the shares of the stems (S,), ``widths`` the likely ones of each unit, ``kinds`` the likely blocks of
    a width at each slot, each equally likely, as are ``depths``.
    """

    metric: PeakMetric
    stems: FloatArray
    widths: tuple[tuple[int, ...], ...]
    kinds: tuple[IntArray, ...]
    depths: Depths

    @classmethod
    def of(cls, metric: PeakMetric, constraint: Constraint, sampler: Sampler) -> "_Links":
        space = metric.space
        units = range(len(space.units))
        kinds = [np.arange(space.blocks_per_width)] * space.num_slots
        for slot, block in zip(*(each.tolist() for each in fixed_blocks(space, constraint.layers)), strict=True):
            kinds[slot] = np.array([block % space.blocks_per_width])
        return cls(
            metric,
            stem_shares(space, constraint),
            tuple(likely_widths(space, unit, constraint) for unit in units),
            tuple(kinds),
            [likely_depths(space, unit, constraint, sampler) for unit in units],
        )

    @cached_property
    def values(self) -> FloatArray:
        """(V,): all that a network may need, ascending."""
        return np.unique(self.metric.padded_costs)

    def shares(self) -> FloatArray:
        """(V,): how likely each of ``values`` is."""
        space, values = self.metric.space, self.values
        stems = np.zeros((len(space.stem.out_channels), len(values)))
        within = self.metric.stem_costs[:, None] <= values
        np.add.at(stems, space.stem_states, self.stems[:, None] * within)
        layers = np.stack([(costs[..., None] <= values).mean(axis=2) for costs in self.costs])
        for slots, widths, depths in zip(space.unit_slots, self.widths, self.depths, strict=True):
            unlikely = np.setdiff1d(np.arange(space.num_widths), widths)
            layers[slots.start][:, unlikely] = 0.0
            layers[slots.start] /= len(widths) * len(depths)
        heads = (self.metric.head_costs[:, None] <= values).astype(float)
        at_most = Semiring(space, np.add, np.multiply, stems, layers, heads).total(self.depths)
        return np.maximum(np.diff(at_most, prepend=0.0), 0.0)

    @cached_property
    def costs(self) -> tuple[FloatArray, ...]:
        """(P, W, E) of each slot: what its likely blocks need, by the width before its unit and the unit's own."""
        space, costs = self.metric.space, self.metric.slot_costs
        by_width = costs.reshape(*costs.shape[:2], space.num_widths, space.blocks_per_width)
        return tuple(by_width[slot][..., kinds] for slot, kinds in enumerate(self.kinds))

    def end(self, choose: "Choose") -> "_Ways":
        """The one network that needs least, or most."""
        space, stems = self.metric.space, np.flatnonzero(self.stems)
        genes = np.full((len(stems), space.num_slots + 1), ABSENT, dtype=np.int8)
        genes[:, 0] = stems
        begun = _Ways(space.stem_states[stems], self.metric.stem_costs[stems], genes)
        ways = fold(space, self.depths, _Choosing(self, choose), begun)[-1]
        values = np.maximum(ways.values, self.metric.head_costs[ways.states])
        best = choose(values, axis=0)[None]
        return _Ways(ways.states[best], values[best], ways.genes[best])


Choose = Callable[..., IntArray]
"""``np.argmin`` or ``np.argmax``."""


@dataclass(frozen=True, eq=False)
class _Ways:
    """Beginnings of networks, one for each width that they may end with: ``states`` (W,), the indices of these,
    ``values`` (W,), and the networks' genes (W, L + 1).
    """

    states: IntArray
    values: FloatArray
    genes: IntArray


@dataclass(frozen=True, eq=False)
class _Choosing:
    """The algebra of the one network that needs least, or most: of two links in a row the greater counts."""

    links: _Links
    choose: Choose

    def append(self, ways: _Ways, slot: int) -> _Ways:
        space = self.links.metric.space
        costs, kinds = self.links.costs[slot], self.links.kinds[slot]
        if space.slot_layer[slot]:
            states, costs = ways.states, costs[0, ways.states]
            parents: IntArray = np.arange(len(states))
        else:
            states = np.array(self.links.widths[space.slot_unit[slot]])
            reached = np.maximum(ways.values[:, None, None], costs[ways.states][:, states])
            parents = self.choose(self._best(reached), axis=0)
            costs = costs[ways.states[parents], states]
        needed = np.maximum(ways.values[parents, None], costs)
        # Of blocks that need as much in this network the least or greatest by itself, so that the choice is plain.
        chosen = self.choose(costs, axis=1)
        genes = ways.genes[parents]
        genes[:, slot + 1] = states * space.blocks_per_width + kinds[chosen]
        return _Ways(states, needed[np.arange(len(states)), chosen], genes)

    def join(self, options: Sequence[_Ways]) -> _Ways:
        values = np.stack([one.values for one in options])
        best, places = self.choose(values, axis=0), np.arange(values.shape[1])
        genes = np.stack([one.genes for one in options])[best, places]
        return _Ways(options[0].states, values[best, places], genes)

    def _best(self, values: FloatArray) -> FloatArray:
        """The least or greatest along the last axis."""
        return np.take_along_axis(values, np.expand_dims(self.choose(values, axis=-1), -1), axis=-1)[..., 0]
