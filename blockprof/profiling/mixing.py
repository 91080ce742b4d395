"""The algebra of random networks for the fold along the chain: what mixing blocks, depths and widths comes to.

``blockprof.profiling.exact`` says what is found with it, and how well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.metrics.metric import AdditiveMetric
from blockprof.profiling.statistics import QUANTILES
from blockprof.spaces import ABSENT, Constraint, fixed_blocks
from blockprof.spaces.chain import Semiring
from blockprof.spaces.sampling import likely_widths, stem_shares

GRID_POINTS = 2**14

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Layer:
    """What a layer adds, by the width before its unit (P) and the unit's own (W): its blocks are equally likely.

    Moments and extremes are (P, W), the extreme blocks (P, W), the transform of the distribution (P, W, F).
    """

    mean: FloatArray
    variance: FloatArray
    least: FloatArray
    greatest: FloatArray
    least_block: IntArray
    greatest_block: IntArray
    transform: ComplexArray

    def of_widths(self, widths: IntArray) -> "Layer":
        return self if len(widths) == self.mean.shape[1] else Layer(*(one[:, widths] for one in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Ways:
    """The beginnings of networks, by the width they leave: what all links up to there add.

    Arrays are (W,), the extreme networks' genes (W, L + 1), the transform (W, F). ``states`` are the indices of the
    widths, ``shares`` how likely each is.
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


class Grid:
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


@dataclass(frozen=True, eq=False)
class Mixing:
    """The algebra of random networks: blocks, depths and widths are mixed, each equally likely.

    ``layers`` are those of each slot, ``widths`` the indices of those that each unit may have.
    """

    score: AdditiveMetric
    grid: Grid
    layers: tuple[Layer, ...]
    widths: tuple[IntArray, ...]

    @classmethod
    def of(cls, score: AdditiveMetric) -> "Mixing":
        """Of networks of which nothing is fixed."""
        space, grid = score.space, Grid(score)
        kinds = np.arange(space.blocks_per_width)
        layers = tuple(_mix_blocks(score, grid, slot, kinds) for slot in range(space.num_slots))
        return cls(score, grid, layers, (np.arange(space.num_widths),) * len(space.units))

    def fixed(self, constraint: Constraint) -> "Mixing":
        """Of networks of which blocks, and the widths with these, are fixed."""
        if not constraint.layers:
            return self
        space, layers = self.score.space, list(self.layers)
        slots, blocks = fixed_blocks(space, constraint.layers)
        for slot, block in zip(slots.tolist(), blocks.tolist(), strict=True):
            layers[slot] = _mix_blocks(self.score, self.grid, slot, np.array([block % space.blocks_per_width]))
        widths = tuple(np.array(likely_widths(space, unit, constraint)) for unit in range(len(space.units)))
        return replace(self, layers=tuple(layers), widths=widths)

    def begin(self, constraint: Constraint) -> Ways:
        """The stems that a constraint allows."""
        score, space = self.score, self.score.space
        shares = stem_shares(space, constraint)
        stems = np.flatnonzero(shares)
        costs = score.stem_costs[stems]
        genes = np.full((len(stems), space.num_slots + 1), ABSENT, dtype=np.int8)
        genes[:, 0] = stems
        return Ways(
            states=space.stem_states[stems],
            shares=shares[stems],
            mean=costs,
            variance=np.zeros(len(stems)),
            least=costs,
            greatest=costs,
            least_genes=genes,
            greatest_genes=genes,
            transform=self.grid.transforms[score.catalogue.stems[stems]],
        )

    def append(self, ways: Ways, slot: int) -> Ways:
        space = self.score.space
        widths = self.widths[space.slot_unit[slot]]
        layer = self.layers[slot].of_widths(widths)
        return _continue(ways, layer, slot) if space.slot_layer[slot] else _enter(ways, layer, slot, widths)

    def join(self, options: Sequence[Ways]) -> Ways:
        if len(options) == 1:
            return options[0]
        means = np.stack([one.mean for one in options])
        mean = means.mean(axis=0)
        widths = np.arange(means.shape[1])
        least, greatest = (np.stack([getattr(one, name) for one in options]) for name in ("least", "greatest"))
        from_least, from_greatest = least.argmin(axis=0), greatest.argmax(axis=0)
        return replace(
            options[0],
            mean=mean,
            variance=np.mean([one.variance for one in options] + (means - mean) ** 2, axis=0),
            least=least.min(axis=0),
            greatest=greatest.max(axis=0),
            least_genes=np.stack([one.least_genes for one in options])[from_least, widths],
            greatest_genes=np.stack([one.greatest_genes for one in options])[from_greatest, widths],
            transform=reduce(np.add, [one.transform for one in options]) / len(options),
        )

    def end(self, ways: Ways) -> Ways:
        """Every way with its head."""
        costs = self.score.head_costs[ways.states]
        return replace(
            ways,
            mean=ways.mean + costs,
            least=ways.least + costs,
            greatest=ways.greatest + costs,
            transform=ways.transform * self.grid.transforms[self.score.catalogue.heads[ways.states]],
        )


def _continue(ways: Ways, layer: Layer, slot: int) -> Ways:
    """Ways with one more layer of the unit that they are in, which does not depend on the width before it."""
    return replace(
        ways,
        mean=ways.mean + layer.mean[0],
        variance=ways.variance + layer.variance[0],
        least=ways.least + layer.least[0],
        greatest=ways.greatest + layer.greatest[0],
        least_genes=_with_block(ways.least_genes, slot, layer.least_block[0]),
        greatest_genes=_with_block(ways.greatest_genes, slot, layer.greatest_block[0]),
        transform=ways.transform * layer.transform[0],
    )


def _enter(ways: Ways, layer: Layer, slot: int, widths: IntArray) -> Ways:
    """Ways with the first layer of a unit; what its widths are does not depend on the way."""
    before, shares, width = ways.states, ways.shares, np.arange(len(widths))
    means = ways.mean[:, None] + layer.mean[before]
    mean = shares @ means
    least = ways.least[:, None] + layer.least[before]
    greatest = ways.greatest[:, None] + layer.greatest[before]
    from_least, from_greatest = least.argmin(axis=0), greatest.argmax(axis=0)
    return Ways(
        states=widths,
        shares=np.full(len(widths), 1 / len(widths)),
        mean=mean,
        variance=shares @ (ways.variance[:, None] + layer.variance[before] + (means - mean) ** 2),
        least=least.min(axis=0),
        greatest=greatest.max(axis=0),
        least_genes=_with_block(ways.least_genes[from_least], slot, layer.least_block[before[from_least], width]),
        greatest_genes=_with_block(
            ways.greatest_genes[from_greatest], slot, layer.greatest_block[before[from_greatest], width]
        ),
        transform=np.einsum("pf,pwf->wf", shares[:, None] * ways.transform, layer.transform[before]),
    )


def _with_block(genes: IntArray, slot: int, blocks: IntArray) -> IntArray:
    genes = genes.copy()
    genes[:, slot + 1] = blocks
    return genes


def _mix_blocks(score: AdditiveMetric, grid: Grid, slot: int, kinds: IntArray) -> Layer:
    """A layer whose block is one of ``kinds`` of each width."""
    space = score.space
    ids = score.catalogue.layers[slot].reshape(-1, space.num_widths, space.blocks_per_width)[..., kinds]
    costs = score.padded_costs[ids]
    first_block = np.arange(space.num_widths) * space.blocks_per_width
    return Layer(
        mean=costs.mean(axis=-1),
        variance=costs.var(axis=-1),
        least=costs.min(axis=-1),
        greatest=costs.max(axis=-1),
        least_block=first_block + kinds[costs.argmin(axis=-1)],
        greatest_block=first_block + kinds[costs.argmax(axis=-1)],
        transform=grid.transforms[ids].mean(axis=-2),
    )


def _bounds(score: AdditiveMetric) -> tuple[float, float]:
    """Between which values, without the base, all networks lie: as if any width could follow any."""
    space, depths = score.space, [unit.depths for unit in score.space.units]

    def bound(end: np.ufunc) -> float:
        layers = end.reduce(score.slot_costs, axis=(1, 2))[:, None, None]
        stem, head = end.reduce(score.stem_costs), end.reduce(score.head_costs)
        return float(Semiring(space, end, np.add, np.array([stem]), layers, np.array([head])).total(depths))

    return bound(np.minimum), bound(np.maximum)
