"""Regret: what it costs to choose a network for one target and run it on another.

Of each target the whole front of accuracy against latency is known exactly (``blockprof.searching.exact``). The most
accurate network within a limit on A, run on B, takes some time there. B's own front says how much more accurate a
network of that time is, and how much faster one of that accuracy.

Where B's costs were fitted, it is not certain that the two networks take the same time on B. By how much they may
differ follows from the covariance of the costs; the interval of the regret in points is what B's front gives for that
much more time, or less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import Argument, InputError
from blockprof.foundation.scores import CONFIDENCE
from blockprof.metrics import ExactMetric
from blockprof.reduction import Reduction
from blockprof.searching.exact import solve_exactly
from blockprof.searching.problem import Objective, Problem
from blockprof.spaces import Architectures
from blockprof.spaces.expectation import expected_counts, network_counts

ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Target:
    """A latency of a space, called ``name`` beside others: exact, ms."""

    name: str
    metric: ExactMetric

    @property
    def random_ms(self) -> float:
        """The mean of random networks."""
        score = self.metric.score
        counts = expected_counts(score.space, [None], "paper", score.by)[0]
        return float(counts @ np.append(score.costs, score.base))

    def half_width_ms(self, first: Architectures, second: Architectures) -> float:
        """Half the 95 % interval of how much slower one network is than another: 0 where the costs are known."""
        score = self.metric.score
        if score.covariance is None:
            return 0.0
        apart = (network_counts(first, score.by) - network_counts(second, score.by))[0]
        return float(ndtri(0.5 + CONFIDENCE / 2) * np.sqrt(max(apart @ score.covariance @ apart, 0.0)))


@dataclass(frozen=True, eq=False)
class Front:
    """All networks of a target that no other beats in both, F of them, from the most accurate to the fastest.

    ``accuracy`` is (F,), in the accuracy's unit, and ``ms`` (F,); both descend.
    """

    target: Target
    archs: Architectures
    accuracy: FloatArray
    ms: FloatArray

    def within(self, limit_ms: float) -> int:
        """The index of the most accurate network within a time; of the fastest where none is."""
        found = np.flatnonzero(self.ms <= limit_ms * (1 + ROUNDING))
        return int(found[0]) if len(found) else len(self.ms) - 1

    def as_accurate(self, accuracy: float) -> int:
        """The index of the fastest network that is at least as accurate; of the most accurate where none is."""
        found = np.flatnonzero(self.accuracy >= accuracy - ROUNDING * abs(accuracy))
        return int(found[-1]) if len(found) else 0


@dataclass(frozen=True, eq=False)
class Regret:
    """The best network for one target within a limit, run on another.

    ``network`` is the one chosen for ``chosen_for`` within ``limit_ms``; on ``run_on`` it takes ``ms``. ``own`` is the
    other's most accurate network of the same time, ``faster`` its fastest of at least the same accuracy. ``points``
    are given away (in the accuracy's unit) and, at the same accuracy, ``lost_ms``, each with its 95 % interval.
    """

    chosen_for: str
    run_on: str
    limit_ms: float
    network: Architectures
    own: Architectures
    faster: Architectures
    accuracy: float
    ms: float
    points: float
    points_interval: tuple[float, float]
    lost_ms: float
    lost_ms_interval: tuple[float, float]

    @property
    def lost_percent(self) -> float:
        """``lost_ms`` in percent of what the fastest network of the same accuracy takes."""
        return 100 * self.lost_ms / (self.ms - self.lost_ms)

    def sentence(self) -> str:
        """The regret in words."""
        is_known = self.lost_ms_interval[0] == self.lost_ms_interval[1]
        points, lost = (
            "" if is_known else f" ({low:{digits}} to {high:{digits}})"
            for (low, high), digits in ((self.points_interval, ".2f"), (self.lost_ms_interval, ".3g"))
        )
        return (
            f"the most accurate network for {self.chosen_for} within {self.limit_ms:.4g} ms takes {self.ms:.4g} ms on "
            f"{self.run_on}; in that time {self.run_on} has one that is {self.points:.2f} points{points} more "
            f"accurate, or one as accurate that is {self.lost_ms:.3g} ms{lost} faster"
        )


def find_front(target: Target, accuracy: ExactMetric) -> Front:
    """The exact front of accuracy against a target's latency, over the whole space.

    Raises:
        InputError: too many labels (``blockprof.searching.chain``).
    """
    objectives = (Objective(accuracy, maximize=True), Objective(target.metric, maximize=False))
    archs, values = solve_exactly(Problem(Reduction.whole(target.metric.space), objectives))
    return Front(target, archs, values[:, 0], values[:, 1])


def find_regrets(fronts: Sequence[Front], limits: Mapping[str, float]) -> list[Regret]:
    """The regret of each target's choice on each other one.

    Args:
        fronts: of two or more targets.
        limits: by target, what its choice may take, ms; where there is none, as much as its mean random network.

    Raises:
        InputError: a limit of no target, or one that no network meets.
    """
    names = [front.target.name for front in fronts]
    for name in limits:
        if name not in names:
            raise InputError(f"{name} is none of the targets ({', '.join(names)})", where=Argument("limits"))
    for front in fronts:
        limit = limits.get(front.target.name, np.inf)
        if limit * (1 + ROUNDING) < front.ms[-1]:
            raise InputError(
                f"no network takes less than {front.ms[-1]:.6g} ms on {front.target.name}",
                where=Argument("limits", f"{front.target.name}={limit:g}"),
                remedy="loosen the limit",
                code="limits-not-met",
            )
    return [
        _regret(one, other, limits.get(one.target.name, one.target.random_ms)) for one, other in permutations(fronts, 2)
    ]


def _regret(one: Front, other: Front, limit_ms: float) -> Regret:
    chosen = one.within(limit_ms)
    network, accuracy = one.archs[chosen], float(one.accuracy[chosen])
    ms = float(other.target.metric.evaluate(network)[0])
    own, faster = other.within(ms), other.as_accurate(accuracy)
    half_own = other.target.half_width_ms(network, other.archs[own])
    half_faster = other.target.half_width_ms(network, other.archs[faster])
    lost_ms = ms - float(other.ms[faster])
    low, high = (float(other.accuracy[other.within(ms + shift)]) for shift in (-half_own, half_own))
    return Regret(
        chosen_for=one.target.name,
        run_on=other.target.name,
        limit_ms=limit_ms,
        network=network,
        own=other.archs[own],
        faster=other.archs[faster],
        accuracy=accuracy,
        ms=ms,
        points=float(other.accuracy[own]) - accuracy,
        points_interval=(low - accuracy, high - accuracy),
        lost_ms=lost_ms,
        lost_ms_interval=(lost_ms - half_faster, lost_ms + half_faster),
    )


def regret_frame(regrets: Sequence[Regret]) -> pd.DataFrame:
    """One row an ordered pair of targets, with the three networks as net strings."""
    return pd.DataFrame(
        [
            {
                "chosen_for": one.chosen_for,
                "run_on": one.run_on,
                "limit_ms": one.limit_ms,
                "accuracy": one.accuracy,
                "ms": one.ms,
                "points": one.points,
                "points_lower": one.points_interval[0],
                "points_upper": one.points_interval[1],
                "lost_ms": one.lost_ms,
                "lost_ms_lower": one.lost_ms_interval[0],
                "lost_ms_upper": one.lost_ms_interval[1],
                "lost_percent": one.lost_percent,
                "net_str": one.network.to_strings()[0],
                "own_net_str": one.own.to_strings()[0],
                "faster_net_str": one.faster.to_strings()[0],
            }
            for one in regrets
        ]
    )
