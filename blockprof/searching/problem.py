"""What is searched for: objectives and limits over the networks of a (reduced) space."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.metrics import Metric, as_exact, check_metrics
from blockprof.reduction import Reduction
from blockprof.spaces import Architectures

_DIRECTIONS = Argument("maximize"), Argument("minimize")

ROUNDING = 1e-9
"""By what share of it a limit may be missed: sums differ in their last digits by the order of their terms."""


@dataclass(frozen=True, eq=False)
class Objective:
    """A metric to be made as high, or as low, as can be."""

    metric: Metric
    maximize: bool

    @property
    def sign(self) -> float:
        """What turns a value into a loss, which is to be low."""
        return -1.0 if self.maximize else 1.0


@dataclass(frozen=True, eq=False)
class Limit:
    """A bound of a metric, in its unit: at least that where higher is better, else at most."""

    metric: Metric
    bound: float

    @property
    def sign(self) -> float:
        """What turns a value into one that must be at most ``sign * bound``."""
        return -1.0 if self.metric.info.higher_is_better else 1.0

    @property
    def most(self) -> float:
        """What ``sign`` times a value may be at most, rounding allowed for."""
        return self.sign * self.bound + ROUNDING * abs(self.bound)

    @property
    def most_of_score(self) -> float:
        """What ``sign`` times the additive score of an exact metric may be at most."""
        exact = as_exact(self.metric)
        if exact is None:
            raise TypeError(f"{self.metric.info.name} has no additive score")
        return self.sign * float(exact.scores_of(np.array([self.sign * self.most]))[0])

    @property
    def text(self) -> str:
        """As in ``npu <= 4 ms``."""
        info = self.metric.info
        return f"{info.name} {'>=' if info.higher_is_better else '<='} {self.bound:g} {info.unit}"


@dataclass(frozen=True, eq=False)
class Problem:
    """Find the networks of ``reduction`` that are best in the objectives and within the limits.

    With one objective the answer is the best few networks; with more, the Pareto front.

    Raises:
        InputError: no objective, a metric that is an objective twice, two limits of one metric, or metrics of another
            space than the reduction's or of several resolutions.
    """

    reduction: Reduction
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()

    def __repr__(self) -> str:
        asked = [
            f"{'max' if one.maximize else 'min'} {one.metric.info.name} ({one.metric.info.origin})"
            for one in self.objectives
        ]
        asked += [limit.text for limit in self.limits]
        return f"<Problem of {self.reduction.space.name}, {self.reduction.name}: {', '.join(asked)}>"

    def __post_init__(self) -> None:
        if not self.objectives:
            raise InputError("nothing to search for", remedy=Said("give {} or {}", *_DIRECTIONS))
        named = [objective.metric.info.name for objective in self.objectives]
        for name in named:
            if named.count(name) > 1:
                raise InputError(
                    f"{name} is an objective twice", remedy=Said("name it once, in {} or in {}", *_DIRECTIONS)
                )
        limited = [limit.metric.info.name for limit in self.limits]
        for name in limited:
            if limited.count(name) > 1:
                raise InputError(f"{name} has two limits", remedy="give one")
        check_metrics(self.metrics, self.reduction.space)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The M metrics, each once: the objectives', then those that are only limited."""
        of_name: dict[str, Metric] = {}
        for metric in [*(one.metric for one in self.objectives), *(one.metric for one in self.limits)]:
            of_name.setdefault(metric.info.name, metric)
        return tuple(of_name.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics' names."""
        return tuple(metric.info.name for metric in self.metrics)

    def evaluate(self, archs: Architectures) -> FloatArray:
        """(N, M): the metrics of networks, in their units."""
        return np.column_stack([metric.evaluate(archs) for metric in self.metrics])

    def losses(self, values: FloatArray) -> FloatArray:
        """(N, O): the objectives, turned so that lower is better, of metrics (N, M)."""
        signs = np.array([objective.sign for objective in self.objectives])
        return np.asarray(values[:, : len(signs)] * signs)

    def violations(self, values: FloatArray) -> FloatArray:
        """(N,): by how much networks break the limits, as shares of these, summed up; 0 where all are met.

        Of a limit of 0 it is the value itself that counts.
        """
        broken = np.zeros(len(values))
        for limit in self.limits:
            turned = limit.sign * values[:, self.names.index(limit.metric.info.name)]
            excess = np.where(turned > limit.most, turned - limit.sign * limit.bound, 0.0)
            broken += excess / (abs(limit.bound) or 1.0)
        return broken
