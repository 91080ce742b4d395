"""Exact statistics of additive metrics and increasing functions of these: closed forms and convolutions, no sampling.

A network is a chain: the stem, the units, the head. Given the width before a layer and its own, the layer is
independent of the rest. So one fold along the chain (``blockprof.spaces.chain``) finds all: means and variances add up,
the least and the greatest network is kept width by width, and the distribution is a convolution: a product of Fourier
transforms. It is held on a grid of 2**14 points between the least and the greatest value; a cost between two points is
split over both so that means stay exact. Quantiles are exact to one grid step, everything else to rounding. What lies
before the first unit that a placement fixes is folded once for all placements.

Where units have one width, as in ``pn`` and ``mbv3``, there is one way along the chain.

Of an increasing function of an additive score all this is found for the score. Quantiles and extremes are the function
of the score's; mean and standard deviation are sums over the score's distribution.
"""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.metrics.metric import AdditiveMetric, ExactMetric
from blockprof.profiling.mixing import Grid, Mixing, Ways
from blockprof.profiling.statistics import Statistics
from blockprof.spaces import FREE, Architectures, Constraint, Space
from blockprof.spaces.chain import fold
from blockprof.spaces.sampling import Sampler, likely_depths


def exact_statistics(metric: ExactMetric, constraints: Sequence[Constraint | None], sampler: Sampler) -> Statistics:
    """Statistics of the networks of each constraint; None stands for random networks.

    Args:
        metric: an additive metric, or an increasing function of one.
        constraints: S sets of networks.
        sampler: how networks of a placement are drawn (``blockprof.spaces.sampling``).
    """
    score = metric.score
    space = metric.space
    free = Mixing.of(score)
    grid, units = free.grid, range(len(space.units))
    depths = [likely_depths(space, unit, FREE, sampler) for unit in units]
    beginnings = fold(space, depths, free, free.begin(FREE))
    values, lowest, highest = [], [], []
    for constraint in constraints:
        fixed = constraint or FREE
        first = 0 if fixed.stem else min((placement.unit - 1 for placement in fixed.layers), default=len(units))
        begun = free.begin(fixed) if fixed.stem else beginnings[first]
        depths = [likely_depths(space, unit, fixed, sampler) for unit in units]
        ways = free.end(fold(space, depths, free.fixed(fixed), begun, first)[-1])
        mass = grid.mass(ways.shares @ ways.transform)
        least, greatest = int(ways.least.argmin()), int(ways.greatest.argmax())
        ends = ways.least[least], ways.greatest[greatest]
        quantiles = np.clip(grid.quantiles(mass), *ends)
        moments = _linked_moments(metric, grid, mass) if metric.link else _moments(score, ways)
        values.append([*moments, *metric.values_of(np.array([*quantiles, *ends]) + score.base)])
        lowest.append(ways.least_genes[least])
        highest.append(ways.greatest_genes[greatest])
    return Statistics(
        values=np.array(values),
        half_widths=np.zeros(len(constraints)),
        lowest=_nets(space, lowest),
        highest=_nets(space, highest),
    )


def _moments(score: AdditiveMetric, ways: Ways) -> tuple[float, float]:
    """Mean and standard deviation of a score, in closed form."""
    mean = float(ways.shares @ ways.mean)
    return mean + score.base, float(np.sqrt(ways.shares @ (ways.variance + (ways.mean - mean) ** 2)))


def _linked_moments(metric: ExactMetric, grid: Grid, mass: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of a metric over the distribution of its score."""
    values = metric.values_of(grid.points + metric.score.base)
    mean = float(mass @ values)
    return mean, float(np.sqrt(mass @ (values - mean) ** 2))


def _nets(space: Space, genes: Sequence[IntArray]) -> tuple[str, ...]:
    rows = np.array(genes)
    return tuple(Architectures(space, rows[:, 1:], rows[:, 0]).to_strings())
