"""What slows a target down: blocks whose cost stands out among their siblings, the other blocks of their place.

What a block should cost is read off its siblings in three ways: as much as they do, as much for each multiply-add, and
as much for each number that it moves. The greatest of the three is what is expected, each from the cheaper ones of the
siblings (their lower quartile), so that neither a target that is bound by launches (all blocks cost the same) nor one
that is bound by memory is taken for one that is slow. A block stands out that costs more than ``STANDS_OUT`` times as
much, beyond what is not known of the costs.

Blocks that have a kernel size, an expansion ratio or a place in common are tested together first: a predictor of few
networks knows the cost of all 7 x 7 kernels well, but of no single block.

Where expected costs are fixed weighted sums of the siblings' costs, how far a group is above ``STANDS_OUT`` times its
expected cost is linear in the costs, so what is not known of it follows from their covariance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.foundation.scores import CONFIDENCE
from blockprof.metrics.metric import AdditiveMetric
from blockprof.networks.facts import load_quantities
from blockprof.predictors.features import convolution_macs
from blockprof.spaces import BlockInstance, BottleneckInstance, Space
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.facts import shipped_facts

STANDS_OUT = 1.5
"""Times what is expected. In ONNX Runtime (fp32) no block of ``pn`` or ``mbv3`` costs more than 1.3 times as much."""
LEAST_PERCENT = 0.5
"""Of a random network: what stands out by less does not slow it down."""
LOWER_QUARTILE = 0.25
MOST_MEMBERS = 2 / 3
"""The share of a group's members that must cost more than ``STANDS_OUT`` times what is expected."""
FEWEST_SIBLINGS = 3


@dataclass(frozen=True, slots=True)
class Slowdown:
    """Blocks that cost more than their siblings make expect.

    ``what`` names them, such as ``7 x 7 kernels`` or ``u2.l1.e6k7``; ``num_blocks`` is how many blocks of the
    catalogue they are. They take ``ms`` of a random network, where ``expected_ms`` would be expected: ``times`` as
    much, within ``interval`` (95 %; both ends are the same where costs are known). ``worst`` is the one that stands out
    most, by ``worst_times``.
    """

    what: str
    num_blocks: int
    ms: float
    expected_ms: float
    times: float
    interval: tuple[float, float]
    worst: str
    worst_times: float

    def sentence(self, random_ms: float) -> str:
        """It in words, of random networks that take ``random_ms``."""
        low, high = self.interval
        known = "" if low == high else f" ({_times(low)} to {_times(high)})"
        costs = "cost" if self.num_blocks > 1 else "costs"
        worst = f"; most of all {self.worst}, {_times(self.worst_times)} times" if self.num_blocks > 1 else ""
        return (
            f"{self.what} {costs} {_times(self.times)} times{known} what the cheaper blocks of the same layers cost "
            f"for as much work: {self.ms:.2g} of a random network's {random_ms:.3g} ms, where {self.expected_ms:.2g} "
            f"would be expected{worst}"
        )


def _times(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


@dataclass(frozen=True, eq=False)
class _Expected:
    """``costs`` (I,), what is expected of each instance, and the weights (I, I) by which that is a sum of all costs."""

    costs: FloatArray
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class _Group:
    """Instances with something in common, and how it is said."""

    what: str
    members: BoolArray


def find_slowdowns(metric: AdditiveMetric) -> tuple[Slowdown, ...]:
    """What slows a latency down, that which takes most of a random network first; empty where nothing stands out.

    Args:
        metric: costs of block instances, ms, at a resolution, with their covariance where they were fitted.
    """
    space, resolution = metric.space, metric.resolution
    if metric.by != "instance" or resolution is None:
        return ()
    if shipped_facts(space, resolution) is None and metric.covariance is None:
        return ()  # only a predictor of such a space has had its blocks built and counted
    places = _places(space)
    expected = _expect(metric.costs, places, _sizes(space, resolution))
    counts = expected_counts(space, [None], "paper")[0]
    random_ms = float(counts @ np.append(metric.costs, metric.base))
    found: list[Slowdown] = []
    test = _Test(metric, expected, counts[:-1], LEAST_PERCENT / 100 * random_ms, _num_tests(space, places))
    left = places >= 0
    while group := test.next_group(_groups(space, places), left):
        found.append(test.slowdown(group))
        left = left & ~group.members
    for index in np.flatnonzero(left).tolist():
        alone = _Group(_name(space, index), np.arange(len(places)) == index)
        if test.stands_out(alone.members):
            found.append(test.slowdown(alone))
    return tuple(sorted(found, key=lambda one: one.expected_ms - one.ms))


def _places(space: Space) -> IntArray:
    """(I,): the number of each instance's place, all of whose blocks are siblings; -1 for stems and heads."""
    keys = [
        (one.unit, one.position) if isinstance(one, BlockInstance | BottleneckInstance) else None
        for one in space.instances
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(key for key in keys if key))}
    found = np.array([numbers.get(key, -1) if key else -1 for key in keys])
    few = [number for number in numbers.values() if (found == number).sum() <= FEWEST_SIBLINGS]
    found[np.isin(found, few)] = -1
    return found


def _sizes(space: Space, resolution: int) -> FloatArray:
    """(3, I): what an instance's cost may be in proportion to: nothing, its multiply-adds, the numbers it moves."""
    moved = load_quantities(space, resolution).values["activations"]
    return np.stack([np.ones(len(moved)), convolution_macs(space, resolution), moved])


def _expect(costs: FloatArray, places: IntArray, sizes: FloatArray) -> _Expected:
    """What the siblings of each instance make expect of it."""
    weights = np.zeros((len(costs), len(costs)))
    for index in np.flatnonzero(places >= 0).tolist():
        siblings = np.flatnonzero((places == places[index]) & (np.arange(len(costs)) != index))
        best = -np.inf
        for size in sizes:
            row = np.zeros(len(costs))
            order = siblings[np.argsort(costs[siblings] / size[siblings], kind="stable")]
            place = LOWER_QUARTILE * (len(order) - 1)
            low = int(place)
            for rank, share in ((low, 1 - place + low), (low + 1, place - low)):
                row[order[rank]] += share * size[index] / size[order[rank]]
            if row @ costs > best:
                best, weights[index] = float(row @ costs), row
    return _Expected(weights @ costs, weights)


@dataclass(frozen=True, eq=False)
class _Test:
    """Whether groups of instances stand out, each counted as often as it is in a random network."""

    metric: AdditiveMetric
    expected: _Expected
    counts: FloatArray
    least_ms: float
    num_tests: int

    @property
    def times(self) -> FloatArray:
        """(I,): how many times each instance costs what is expected."""
        known = self.expected.costs > 0
        return np.divide(self.metric.costs, self.expected.costs, out=np.zeros(len(known)), where=known)

    def next_group(self, groups: Sequence[_Group], left: BoolArray) -> _Group | None:
        """The group that takes most above what is expected, of those that stand out; None where none does."""
        best: _Group | None = None
        most = 0.0
        for group in groups:
            members = group.members & left
            # What another group has explained is no longer this one's.
            if members.sum() < max(2, MOST_MEMBERS * group.members.sum()):
                continue
            if (self.times[members] > STANDS_OUT).mean() < MOST_MEMBERS or not self.stands_out(members):
                continue
            above = float(self.counts[members] @ (self.metric.costs - self.expected.costs)[members])
            if above > most:
                best, most = _Group(group.what, members), above
        return best

    def stands_out(self, members: BoolArray) -> bool:
        """Whether instances together cost more than ``STANDS_OUT`` times what is expected, beyond what is not known."""
        row = np.where(members, self.counts, 0.0)
        expected = row @ self.expected.weights
        above = float((row - STANDS_OUT * expected) @ self.metric.costs)
        matters = float((row - expected) @ self.metric.costs) > self.least_ms
        sure = ndtri(1 - (1 - CONFIDENCE) / 2 / self.num_tests) * self._deviation(row - STANDS_OUT * expected)
        return bool(matters and expected @ self.metric.costs > 0 and above > sure)

    def slowdown(self, group: _Group) -> Slowdown:
        """A group that stands out, with its figures."""
        row = np.where(group.members, self.counts, 0.0)
        weights = row @ self.expected.weights
        ms, expected_ms = float(row @ self.metric.costs), float(weights @ self.metric.costs)
        relative = float(ndtri(0.5 + CONFIDENCE / 2)) * self._deviation(row / ms - weights / expected_ms)
        worst = int(np.where(group.members, self.times, -np.inf).argmax())
        return Slowdown(
            what=group.what,
            num_blocks=int(group.members.sum()),
            ms=ms,
            expected_ms=expected_ms,
            times=ms / expected_ms,
            interval=(ms / expected_ms * math.exp(-relative), ms / expected_ms * math.exp(relative)),
            worst=_name(self.metric.space, worst),
            worst_times=float(self.times[worst]),
        )

    def _deviation(self, row: FloatArray) -> float:
        """The standard deviation of a weighted sum of the costs; 0 where they are known."""
        covariance = self.metric.covariance
        if covariance is None:
            return 0.0
        return math.sqrt(max(float(row @ covariance[:-1, :-1] @ row), 0.0))


def _num_tests(space: Space, places: IntArray) -> int:
    return len(_groups(space, places)) + int((places >= 0).sum())


def _groups(space: Space, places: IntArray) -> list[_Group]:
    """What may be slow together: blocks of one kernel size or expansion ratio, everywhere or in a unit; one block."""
    down, across = space.axes
    blocks = np.array(
        [
            space.blocks.index(one.block) if isinstance(one, BlockInstance | BottleneckInstance) else -1
            for one in space.instances
        ]
    )
    units = np.array(
        [one.unit if isinstance(one, BlockInstance | BottleneckInstance) else -1 for one in space.instances]
    )
    inside = places >= 0
    columns = [
        (f"{across.name} {label}", inside & (blocks % len(across.labels) == index))
        for index, label in enumerate(across.labels)
    ]
    rows = [
        (f"{down.name} {label}", inside & (blocks // len(across.labels) == index))
        for index, label in enumerate(down.labels)
    ]
    single = [(block.name, inside & (blocks == index)) for index, block in enumerate(space.blocks)]
    everywhere = [(f"blocks of {what}", members) for what, members in columns + rows] + [
        (f"blocks {what}", members) for what, members in single
    ]
    in_units = [
        (f"blocks of {what} in unit {unit + 1}", members & (units == unit))
        for what, members in columns + rows
        for unit in range(len(space.units))
    ]
    return [_Group(what, members) for what, members in everywhere + in_units]


def _name(space: Space, index: int) -> str:
    """An instance by the layers that it may stand at: ``u2.l1.e6k7``, ``u2.l2-4.e6k7``."""
    one = space.instances[index]
    if not isinstance(one, BlockInstance | BottleneckInstance):
        return one.name
    deepest = space.units[one.unit].max_depth
    layers = "1" if one.position == "first" else "2" if deepest == 2 else f"2-{deepest}"
    _, _, block = one.name.split(".", 2)
    return f"u{one.unit + 1}.l{layers}.{block}"
