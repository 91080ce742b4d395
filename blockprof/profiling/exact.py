"""Exact statistics of an additive metric: closed forms and convolutions, no sampling.

Units are independent, and so are the layers of a unit given its depth. So the mean and the variance of each placement
are sums, the least and the greatest network is found unit by unit, and the distribution is a convolution: a product of
Fourier transforms. The distribution is held on a grid of 2**14 points between the least and the greatest value; a cost
between two points is split over both so that means stay exact. Quantiles are exact to one grid step, everything else
to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blockprof.metrics.metric import AdditiveMetric
from blockprof.profiling.statistics import QUANTILES, Statistics
from blockprof.sampling import Sampler, likely_depths
from blockprof.spaces import ABSENT, Architectures, Fixing, FloatArray, IntArray, Space

GRID_POINTS = 2**14

ComplexArray = NDArray[np.complex128]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False)
class _Layers:
    """What each layer of one unit contributes when it is there: (layers,) arrays, and (layers, F) transforms."""

    mean: FloatArray
    variance: FloatArray
    least: FloatArray
    greatest: FloatArray
    least_block: IntArray
    greatest_block: IntArray
    transform: ComplexArray


@dataclass(frozen=True, eq=False)
class _UnitSummary:
    """One unit's contribution: its moments, its extremes with their blocks, the transform of its distribution."""

    mean: float
    variance: float
    least: float
    greatest: float
    least_blocks: IntArray
    greatest_blocks: IntArray
    transform: ComplexArray


class _Grid:
    """The grid of values and the transforms of the costs on it."""

    def __init__(self, metric: AdditiveMetric) -> None:
        space, costs = metric.space, metric.slot_costs
        least = _least_sum(space, costs.min(axis=1))
        span = -_least_sum(space, -costs.max(axis=1)) - least
        # Splitting a cost over two points moves each layer's share by up to one step to either side.
        margin = space.num_slots + 1
        self.step = span / (GRID_POINTS - 2 * margin) if span > 0 else 1.0
        self.first = int(np.floor(least / self.step)) - margin
        position = costs / self.step
        below = np.floor(position).astype(np.int64)
        weight = position - below
        slots, blocks = costs.shape
        mass = np.zeros((slots, blocks, GRID_POINTS))
        slot, block = np.indices(costs.shape)
        np.add.at(mass, (slot, block, below % GRID_POINTS), 1 - weight)
        np.add.at(mass, (slot, block, (below + 1) % GRID_POINTS), weight)
        self.transforms: ComplexArray = np.fft.rfft(mass)

    def quantiles(self, transform: ComplexArray) -> FloatArray:
        """(4,): the quantiles of a distribution of sums of costs, without the base."""
        mass = np.fft.irfft(transform, GRID_POINTS)
        cumulative = np.cumsum(np.roll(mass, -(self.first % GRID_POINTS)))
        indices = np.searchsorted(cumulative, np.array(QUANTILES) * cumulative[-1])
        quantiles: FloatArray = (self.first + indices) * self.step
        return quantiles


def exact_statistics(metric: AdditiveMetric, fixings: Sequence[Fixing | None], sampler: Sampler) -> Statistics:
    """Statistics of the networks of each fixing; None stands for random networks.

    Args:
        metric: an additive metric.
        fixings: S sets of networks.
        sampler: how networks of a placement are drawn (``blockprof.sampling``).
    """
    space, grid = metric.space, _Grid(metric)
    free = [_free_layers(metric, grid, slots) for slots in space.unit_slots]
    free_units = [
        _summarise_unit(layers, likely_depths(space, unit, None, sampler)) for unit, layers in enumerate(free)
    ]
    values, lowest, highest = [], [], []
    for fixing in fixings:
        units = list(free_units)
        for unit in {placement.unit - 1 for placement in fixing.placements} if fixing else ():
            layers = _fix_layers(metric, grid, free[unit], fixing, unit)
            units[unit] = _summarise_unit(layers, likely_depths(space, unit, fixing, sampler))
        transform = np.prod([unit.transform for unit in units], axis=0)
        values.append(
            [
                metric.base + sum(unit.mean for unit in units),
                np.sqrt(sum(unit.variance for unit in units)),
                *(metric.base + grid.quantiles(transform)),
                metric.base + sum(unit.least for unit in units),
                metric.base + sum(unit.greatest for unit in units),
            ]
        )
        lowest.append(np.concatenate([unit.least_blocks for unit in units]))
        highest.append(np.concatenate([unit.greatest_blocks for unit in units]))
    table = np.array(values)
    table[:, 2:6] = np.clip(table[:, 2:6], table[:, [6]], table[:, [7]])
    return Statistics(
        values=table,
        half_widths=np.zeros(len(fixings)),
        lowest=tuple(Architectures(space, np.array(lowest)).to_strings()),
        highest=tuple(Architectures(space, np.array(highest)).to_strings()),
    )


def _least_sum(space: Space, slot_costs: FloatArray) -> float:
    """The least sum of (L,) costs over the depths of each unit."""
    return sum(
        min(float(slot_costs[slots][:depth].sum()) for depth in unit.depths)
        for unit, slots in zip(space.units, space.unit_slots, strict=True)
    )


def _free_layers(metric: AdditiveMetric, grid: _Grid, slots: slice) -> _Layers:
    costs = metric.slot_costs[slots]
    return _Layers(
        mean=costs.mean(axis=1),
        variance=costs.var(axis=1),
        least=costs.min(axis=1),
        greatest=costs.max(axis=1),
        least_block=costs.argmin(axis=1),
        greatest_block=costs.argmax(axis=1),
        transform=grid.transforms[slots].mean(axis=1),
    )


def _fix_layers(metric: AdditiveMetric, grid: _Grid, free: _Layers, fixing: Fixing | None, unit: int) -> _Layers:
    fixed = [placement for placement in fixing.placements if placement.unit == unit + 1] if fixing else []
    space = metric.space
    layers = [placement.layer - 1 for placement in fixed]
    slots = [placement.slot(space) for placement in fixed]
    blocks = [space.blocks.index(placement.block) for placement in fixed]

    def put(array: NDArray[Scalar], value: ArrayLike) -> NDArray[Scalar]:
        copy = array.copy()
        copy[layers] = value
        return copy

    costs = metric.slot_costs[slots, blocks]
    return _Layers(
        mean=put(free.mean, costs),
        variance=put(free.variance, 0.0),
        least=put(free.least, costs),
        greatest=put(free.greatest, costs),
        least_block=put(free.least_block, blocks),
        greatest_block=put(free.greatest_block, blocks),
        transform=put(free.transform, grid.transforms[slots, blocks]),
    )


def _summarise_unit(layers: _Layers, depths: Sequence[int]) -> _UnitSummary:
    """Mix the equally likely depths of one unit."""
    means = np.array([layers.mean[:depth].sum() for depth in depths])
    second_moments = np.array([layers.variance[:depth].sum() for depth in depths]) + means**2
    least_depth = min(depths, key=lambda depth: float(layers.least[:depth].sum()))
    greatest_depth = max(depths, key=lambda depth: float(layers.greatest[:depth].sum()))
    products = np.cumprod(layers.transform, axis=0)
    present = np.arange(len(layers.mean))
    return _UnitSummary(
        mean=float(means.mean()),
        variance=float(max(second_moments.mean() - means.mean() ** 2, 0.0)),
        least=float(layers.least[:least_depth].sum()),
        greatest=float(layers.greatest[:greatest_depth].sum()),
        least_blocks=np.where(present < least_depth, layers.least_block, ABSENT),
        greatest_blocks=np.where(present < greatest_depth, layers.greatest_block, ABSENT),
        transform=products[np.array(depths) - 1].mean(axis=0),
    )
