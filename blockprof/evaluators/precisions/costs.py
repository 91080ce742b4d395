"""What each piece of a network gains or loses in int8, and what the seams cost: told by whole networks alone.

A *plan* says of each piece of one network, in order, whether it is in int8 (1) or fp32 (0). Plans are measured as whole
networks; a plan's latency is taken as

    base + sum of the differences of the pieces in int8 + costs of the seams,

where a seam is a boundary at which the precision changes: the tensor there is quantized, or dequantized, and turned
into the layout of the other kernels. What that costs is some time for the operator itself, and some for each number.
Between two pieces of one precision there is nothing.

Seams to int8 and back cost the same here. If they do not, no plan tells: as many lead to int8 before any piece as back,
or one more where it is in int8 itself. So what one direction costs more is in the differences of pieces, and what plans
take is as right.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.optimize import lsq_linear
from scipy.special import stdtrit

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.scores import CONFIDENCE
from blockprof.networks.onnx.pieces import pieces_of
from blockprof.spaces import Architectures

SWITCHING = 0.25
"""How likely a drawn plan changes precision behind a piece: often enough to tell seams, seldom enough to be like plans
that are fast."""

_NUM_SEAM_COSTS = 2


def piece_sizes(archs: Architectures, index: int, resolution: int) -> FloatArray:
    """(n - 1,): the numbers, in millions, of the tensors between the n pieces of a network."""
    space = archs.space
    pieces = pieces_of(archs, index)
    sizes = []
    for before, after in pairwise(pieces):
        instance = space.instances[before if isinstance(before, int) else int(after)]
        inside = isinstance(before, int)
        channels = instance.out_channels if inside else instance.in_channels
        size = instance.out_size(resolution) if inside else instance.in_size(resolution)
        sizes.append(channels * size * size / 1e6)
    return np.array(sizes)


def draw_plans(num_pieces: int, num_plans: int, rng: np.random.Generator) -> IntArray:
    """(M, n): plans to measure, all different: all fp32, all int8, then drawn ones, each followed by its opposite."""
    plans = [np.zeros(num_pieces, dtype=np.int64), np.ones(num_pieces, dtype=np.int64)]
    known = {plan.tobytes() for plan in plans}
    while len(plans) < min(num_plans, 2**num_pieces):
        switched = rng.random(num_pieces) < np.append(0.5, np.full(num_pieces - 1, SWITCHING))
        drawn = np.cumsum(switched) % 2
        for plan in (drawn, 1 - drawn):
            if plan.tobytes() not in known:
                known.add(plan.tobytes())
                plans.append(plan)
    return np.array(plans[:num_plans])


@dataclass(frozen=True, eq=False)
class PlanDesign:
    """M plans (M, n) of a network, what each was measured to take (M,), in ms, and its tensors' ``sizes`` (n - 1,)."""

    plans: IntArray
    latencies_ms: FloatArray
    sizes: FloatArray


@dataclass(frozen=True, eq=False)
class Costs:
    """What plans of one network take, in ms.

    ``base`` is all fp32; ``differences`` (n,) are int8's time less fp32's, of each piece; ``seams`` (n - 1,) what a
    seam costs at each boundary. ``coefficients`` and their ``covariance`` are what these follow from; ``sizes``
    (n - 1,), in millions of numbers, are the tensors'. ``errors_percent`` (M,) are those of each measured plan,
    predicted from the others; ``deviation`` is the standard deviation of a measured plan about its prediction, a share.
    """

    coefficients: FloatArray
    covariance: FloatArray
    sizes: FloatArray
    errors_percent: FloatArray
    deviation: float

    @property
    def base(self) -> float:
        return float(self.coefficients[0])

    @property
    def differences(self) -> FloatArray:
        return np.asarray(self.coefficients[1:-_NUM_SEAM_COSTS])

    @cached_property
    def difference_half_widths(self) -> FloatArray:
        """(n,): half the 95 % intervals of ``differences``."""
        variances = np.diag(self.covariance)[1:-_NUM_SEAM_COSTS]
        return np.asarray(self._times * np.sqrt(variances))

    @property
    def seams(self) -> FloatArray:
        fixed, by_size = self.coefficients[-_NUM_SEAM_COSTS:]
        return np.asarray(fixed + by_size * self.sizes)

    @property
    def mape_percent(self) -> float:
        """The mean size of the errors of measured plans, each predicted from the others."""
        return float(np.abs(self.errors_percent).mean())

    def predict(self, plans: IntArray) -> FloatArray:
        """(N,): what N plans take, in ms."""
        return np.asarray(_features(plans, self.sizes) @ self.coefficients)

    def half_widths(self, plans: IntArray) -> FloatArray:
        """(N,): half the 95 % interval of what would be measured, in ms."""
        features = _features(plans, self.sizes)
        variances = ((features @ self.covariance) * features).sum(axis=1) + (self.deviation * self.predict(plans)) ** 2
        return np.asarray(self._times * np.sqrt(variances))

    def gain_half_width(self, plan: IntArray, other: IntArray) -> float:
        """Half the 95 % interval of what one plan (n,) takes less than another, on average, in ms."""
        first, second = _features(np.stack([plan, other]), self.sizes)
        return float(self._times * np.sqrt((first - second) @ self.covariance @ (first - second)))

    @property
    def _times(self) -> float:
        left = max(len(self.errors_percent) - len(self.coefficients), 1)
        return float(stdtrit(left, 0.5 + CONFIDENCE / 2))

    def fastest(self) -> IntArray:
        """(n,): the plan that takes least of all 2**n, exactly: the shortest way through a chain of two states.

        Of plans that take as long it is the one that ends in fp32, and leaves it last.
        """
        least, came_from = np.array([0.0, self.differences[0]]), []
        for seam, difference in zip(self.seams, self.differences[1:], strict=True):
            ways = least[:, None] + np.array([[0.0, seam], [seam, 0.0]])
            came_from.append(ways.argmin(axis=0))
            least = ways.min(axis=0) + np.array([0.0, difference])
        plan = [int(least.argmin())]
        for parents in reversed(came_from):
            plan.append(int(parents[plan[-1]]))
        return np.array(plan[::-1])


def fit_costs(design: PlanDesign) -> Costs:
    """Fit what pieces and seams cost to measured plans: least squares of relative errors, with no seam below 0."""
    features = _features(design.plans, design.sizes)
    weighted, ones = features / design.latencies_ms[:, None], np.ones(len(features))
    coefficients = _solve(weighted, ones)
    left = max(len(features) - features.shape[1], 1)
    deviation = float(np.sqrt(((weighted @ coefficients - 1) ** 2).sum() / left))
    rows = ~np.eye(len(features), dtype=bool)
    others = np.array([weighted[row] @ _solve(weighted[kept], ones[kept]) for row, kept in enumerate(rows)])
    return Costs(
        coefficients=coefficients,
        covariance=np.asarray(deviation**2 * np.linalg.pinv(weighted.T @ weighted)),
        sizes=design.sizes,
        errors_percent=100 * (others - 1),
        deviation=deviation,
    )


def _solve(weighted: FloatArray, ones: FloatArray) -> FloatArray:
    lowest = np.full(weighted.shape[1], -np.inf)
    lowest[-_NUM_SEAM_COSTS:] = 0.0
    return np.asarray(lsq_linear(weighted, ones, (lowest, np.inf)).x)


def _features(plans: IntArray, sizes: FloatArray) -> FloatArray:
    """(N, n + 3): 1, the plan, how many seams there are, and the numbers, in millions, that pass them."""
    seams = np.abs(np.diff(plans, axis=1))
    return np.column_stack([np.ones(len(plans)), plans, seams.sum(axis=1), seams @ sizes])
