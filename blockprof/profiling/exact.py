"""Exact statistics of additive metrics and increasing functions of these: closed forms and convolutions, no sampling.

A network is a chain: the stem, the units, the head. Given the width before a unit and its own, the unit is independent
of the rest, and so are its layers given its depth. So the mean and the variance of each placement follow the chain
width by width, the least and the greatest network is found by dynamic programming, and the distribution is a
convolution: a product of Fourier transforms. It is held on a grid of 2**14 points between the least and the greatest
value; a cost between two points is split over both so that means stay exact. Quantiles are exact to one grid step,
everything else to rounding.

Where units have one width, as in ``pn`` and ``mbv3``, there is one way along the chain.

Of an increasing function of an additive score all this is found for the score. Quantiles and extremes are the function
of the score's; mean and standard deviation are sums over the score's distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.metrics.metric import AdditiveMetric, ExactMetric, MonotoneMetric, additive_score, values_of_scores
from blockprof.profiling.statistics import QUANTILES, Statistics
from blockprof.spaces import ABSENT, FREE, Architectures, Fixing, Space, fixed_blocks
from blockprof.spaces.sampling import Sampler, likely_depths, likely_widths, stem_shares

GRID_POINTS = 2**14

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class _Unit:
    """What one unit adds, for each of P widths before it and of W widths that it may have itself.

    Moments and extremes are (P, W), blocks of the extreme networks (P, W, layers), the transform of the distribution
    (P, W, F). ``widths`` (W,) are the indices of its possible widths, equally likely.
    """

    widths: IntArray
    mean: FloatArray
    variance: FloatArray
    least: FloatArray
    greatest: FloatArray
    least_blocks: IntArray
    greatest_blocks: IntArray
    transform: ComplexArray


@dataclass(frozen=True, eq=False)
class _Ways:
    """The beginnings of the chain, by the width they leave: what all links up to there add.

    Arrays are (W,), the extreme networks' genes (W, genes so far), the transform (W, F). ``states`` are the indices of
    the widths, ``shares`` how likely each is.
    """

    states: IntArray
    shares: FloatArray
    mean: FloatArray
    variance: FloatArray
    least: FloatArray
    greatest: FloatArray
    least_genes: IntArray
    greatest_genes: IntArray
    transform: ComplexArray


class _Grid:
    """The grid of values and the transforms of the costs on it."""

    def __init__(self, metric: AdditiveMetric) -> None:
        least, greatest = _bounds(metric)
        costs = metric.padded_costs
        # Splitting a cost over two points moves each link's share by up to one step to either side.
        margin = metric.space.num_slots + 3
        span = greatest - least
        self.step = span / (GRID_POINTS - 2 * margin) if span > 0 else 1.0
        self.first = int(np.floor(least / self.step)) - margin
        position = costs / self.step
        below = np.floor(position).astype(np.int64)
        weight = position - below
        mass = np.zeros((len(costs), GRID_POINTS))
        rows = np.arange(len(costs))
        np.add.at(mass, (rows, below % GRID_POINTS), 1 - weight)
        np.add.at(mass, (rows, (below + 1) % GRID_POINTS), weight)
        self.transforms: ComplexArray = np.fft.rfft(mass)

    @cached_property
    def points(self) -> FloatArray:
        """(GRID_POINTS,): the sums of costs on the grid, without the base, ascending."""
        return np.asarray((self.first + np.arange(GRID_POINTS)) * self.step)

    def mass(self, transform: ComplexArray) -> FloatArray:
        """(GRID_POINTS,): how likely each of ``points`` is; what rounding leaves below 0 is 0."""
        mass = np.maximum(np.roll(np.fft.irfft(transform, GRID_POINTS), -(self.first % GRID_POINTS)), 0.0)
        return np.asarray(mass / mass.sum())

    def quantiles(self, mass: FloatArray) -> FloatArray:
        """(4,): the quantiles of a distribution of sums of costs, without the base."""
        return np.asarray(self.points[np.searchsorted(np.cumsum(mass), np.array(QUANTILES))])


def exact_statistics(metric: ExactMetric, fixings: Sequence[Fixing | None], sampler: Sampler) -> Statistics:
    """Statistics of the networks of each fixing; None stands for random networks.

    Args:
        metric: an additive metric, or an increasing function of one.
        fixings: S sets of networks.
        sampler: how networks of a placement are drawn (``blockprof.spaces.sampling``).
    """
    score = additive_score(metric)
    space, grid = metric.space, _Grid(score)
    free = [_summarise_unit(score, grid, index, FREE, sampler) for index in range(len(space.units))]
    values, lowest, highest = [], [], []
    for fixing in fixings:
        units = list(free)
        for index in {placement.unit - 1 for placement in (fixing or FREE).layers}:
            units[index] = _summarise_unit(score, grid, index, fixing or FREE, sampler)
        ways = _begin(score, grid, fixing or FREE)
        for unit in units:
            ways = _append(ways, unit)
        ways = _end(score, grid, ways)
        mass = grid.mass(ways.shares @ ways.transform)
        least, greatest = int(ways.least.argmin()), int(ways.greatest.argmax())
        ends = ways.least[least], ways.greatest[greatest]
        quantiles = np.clip(grid.quantiles(mass), *ends)
        moments = _linked_moments(metric, grid, mass) if isinstance(metric, MonotoneMetric) else _moments(score, ways)
        values.append([*moments, *values_of_scores(metric, np.array([*quantiles, *ends]) + score.base)])
        lowest.append(ways.least_genes[least])
        highest.append(ways.greatest_genes[greatest])
    return Statistics(
        values=np.array(values),
        half_widths=np.zeros(len(fixings)),
        lowest=_nets(space, lowest),
        highest=_nets(space, highest),
    )


def _moments(score: AdditiveMetric, ways: _Ways) -> tuple[float, float]:
    """Mean and standard deviation of a score, in closed form."""
    mean = float(ways.shares @ ways.mean)
    return mean + score.base, float(np.sqrt(ways.shares @ (ways.variance + (ways.mean - mean) ** 2)))


def _linked_moments(metric: MonotoneMetric, grid: _Grid, mass: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of a metric over the distribution of its score."""
    values = metric.link(grid.points + metric.score.base)
    mean = float(mass @ values)
    return mean, float(np.sqrt(mass @ (values - mean) ** 2))


def _nets(space: Space, genes: Sequence[IntArray]) -> tuple[str, ...]:
    rows = np.array(genes)
    return tuple(Architectures(space, rows[:, 1:], rows[:, 0]).to_strings())


def _bounds(metric: AdditiveMetric) -> tuple[float, float]:
    """Between which values, without the base, all networks lie."""
    layers = metric.slot_costs
    least, greatest = (
        end(metric.stem_costs)
        + end(metric.head_costs)
        + sum(
            end([end(np.cumsum(layers[slots], axis=0)[depth - 1]) for depth in unit.depths])
            for unit, slots in zip(metric.space.units, metric.space.unit_slots, strict=True)
        )
        for end, layers in ((np.min, layers.min(axis=-1)), (np.max, layers.max(axis=-1)))
    )
    return float(least), float(greatest)


def _begin(metric: AdditiveMetric, grid: _Grid, fixing: Fixing) -> _Ways:
    """The stems that a fixing allows."""
    space = metric.space
    shares = stem_shares(space, fixing)
    stems = np.flatnonzero(shares)
    costs = metric.stem_costs[stems]
    genes = stems[:, None]
    return _Ways(
        states=space.stem_states[stems],
        shares=shares[stems],
        mean=costs,
        variance=np.zeros(len(stems)),
        least=costs,
        greatest=costs,
        least_genes=genes,
        greatest_genes=genes,
        transform=grid.transforms[metric.catalogue.stems[stems]],
    )


def _append(ways: _Ways, unit: _Unit) -> _Ways:
    """Every way so far, gone on through a unit; what its widths are does not depend on the way."""
    before, shares = ways.states, ways.shares
    means = ways.mean[:, None] + unit.mean[before]
    mean = shares @ means
    least = ways.least[:, None] + unit.least[before]
    greatest = ways.greatest[:, None] + unit.greatest[before]
    widths = np.arange(len(unit.widths))
    from_least, from_greatest = least.argmin(axis=0), greatest.argmax(axis=0)
    return _Ways(
        states=unit.widths,
        shares=np.full(len(widths), 1 / len(widths)),
        mean=mean,
        variance=shares @ (ways.variance[:, None] + unit.variance[before] + (means - mean) ** 2),
        least=least.min(axis=0),
        greatest=greatest.max(axis=0),
        least_genes=np.column_stack(
            [ways.least_genes[from_least], unit.least_blocks[before[from_least], widths]],
        ),
        greatest_genes=np.column_stack(
            [ways.greatest_genes[from_greatest], unit.greatest_blocks[before[from_greatest], widths]],
        ),
        transform=np.einsum("pf,pwf->wf", shares[:, None] * ways.transform, unit.transform[before]),
    )


def _end(metric: AdditiveMetric, grid: _Grid, ways: _Ways) -> _Ways:
    """Every way with its head."""
    costs = metric.head_costs[ways.states]
    return replace(
        ways,
        mean=ways.mean + costs,
        least=ways.least + costs,
        greatest=ways.greatest + costs,
        transform=ways.transform * grid.transforms[metric.catalogue.heads[ways.states]],
    )


def _summarise_unit(metric: AdditiveMetric, grid: _Grid, unit: int, fixing: Fixing, sampler: Sampler) -> _Unit:
    """Mix the equally likely depths and blocks of one unit, at each of its possible widths."""
    space = metric.space
    slots, widths = space.unit_slots[unit], np.array(likely_widths(space, unit, fixing))
    depths = likely_depths(space, unit, fixing, sampler)
    by_width = (slots.stop - slots.start, -1, space.num_widths, space.blocks_per_width)
    ids = metric.catalogue.layers[slots].reshape(by_width)[:, :, widths]
    fixed_slots, fixed = fixed_blocks(space, fixing.of_unit(unit))
    kinds = [np.arange(space.blocks_per_width)] * len(ids)
    for slot, block in zip(fixed_slots.tolist(), fixed.tolist(), strict=True):
        kinds[slot - slots.start] = np.array([block % space.blocks_per_width])
    costs = [metric.padded_costs[one[..., kind]] for one, kind in zip(ids, kinds, strict=True)]
    first_block = widths * space.blocks_per_width
    least_block, greatest_block = (
        np.stack([kind[choose(cost, axis=-1)] for cost, kind in zip(costs, kinds, strict=True)]) + first_block
        for choose in (np.argmin, np.argmax)
    )
    mean, variance, least, greatest = (
        np.cumsum([of(cost, axis=-1) for cost in costs], axis=0) for of in (np.mean, np.var, np.min, np.max)
    )
    last = np.array(depths) - 1
    means = mean[last].mean(axis=0)
    least_depth, greatest_depth = last[least[last].argmin(axis=0)], last[greatest[last].argmax(axis=0)]
    layer = np.arange(len(ids))
    transforms = [grid.transforms[one[..., kind]].mean(axis=-2) for one, kind in zip(ids, kinds, strict=True)]
    return _Unit(
        widths=widths,
        mean=means,
        variance=(variance[last] + (mean[last] - means) ** 2).mean(axis=0),
        least=least[last].min(axis=0),
        greatest=greatest[last].max(axis=0),
        least_blocks=np.where(layer <= least_depth[..., None], np.moveaxis(least_block, 0, -1), ABSENT),
        greatest_blocks=np.where(layer <= greatest_depth[..., None], np.moveaxis(greatest_block, 0, -1), ABSENT),
        transform=np.cumprod(transforms, axis=0)[last].mean(axis=0),
    )
