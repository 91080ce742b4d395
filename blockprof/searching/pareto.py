"""Which networks are best: fronts, the best few, hypervolumes, and what a reduction gains in these.

Dominance and hypervolumes are moocore's. Limits are met before objectives count (Deb's constraint domination): a
network within the limits is better than any that breaks one, and of those that do the one that breaks them less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import moocore
import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.profiling.statistics import half_width
from blockprof.searching.problem import Problem

if TYPE_CHECKING:
    from blockprof.searching.result import SearchResult


def best_networks(problem: Problem, values: FloatArray, top_k: int) -> IntArray:
    """The best of the networks within the limits, as indices of ``values`` (N, M).

    With several objectives (F,), the front, sorted by the first objective, then the next; of networks with equal values
    the first. With one the best ``top_k``, the best first, of equal ones the first.
    """
    feasible = np.flatnonzero(problem.violations(values) == 0)
    losses = problem.losses(values[feasible])
    if len(problem.objectives) == 1:
        return np.asarray(feasible[np.argsort(losses[:, 0], kind="stable")[:top_k]])
    front = np.flatnonzero(moocore.is_nondominated(losses))
    return np.asarray(feasible[front[np.lexsort(losses[front].T[::-1])]])


def choose_parents(problem: Problem, values: FloatArray, top_k: int) -> IntArray:
    """The networks that have children, as indices of ``values`` (N, M).

    The best ones; where there is no front, or there are less than ``top_k`` of one objective, also those that come
    nearest to the limits, up to ``top_k``.
    """
    best = best_networks(problem, values, top_k)
    if len(best) >= top_k or (len(best) and len(problem.objectives) > 1):
        return best
    violations = problem.violations(values)
    broken = np.flatnonzero(violations)
    nearest = broken[np.argsort(violations[broken], kind="stable")]
    return np.asarray(np.append(best, nearest[: top_k - len(best)]))


def hypervolume(losses: FloatArray, reference: FloatArray) -> float:
    """The volume that networks of (N, O) losses dominate, up to a reference point (O,)."""
    return float(moocore.hypervolume(losses, reference)) if len(losses) else 0.0


def reference_point(results: Sequence["SearchResult"]) -> FloatArray:
    """(O,): the worst loss of each objective among the initial networks of all results, or, where it is limited, the
    limit: what lies beyond does not count.

    An exact search has no others than its answer, so the first are the ends of its front.
    """
    worst = np.max(
        [result.problem.losses(result.values[result.generations == 0]).max(axis=0) for result in results], axis=0
    )
    problem = results[0].problem
    for index, objective in enumerate(problem.objectives):
        for limit in problem.limits:
            if limit.metric.info.name == objective.metric.info.name and limit.sign == objective.sign:
                worst[index] = limit.most
    return np.asarray(worst)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a reduction gains: ``ratios`` (S,) of hypervolumes, a reduced search's to the whole space's from its seed.

    ``mean`` has a 95 % interval by Student's t; it is not a number where there is one seed.
    """

    ratios: FloatArray
    mean: float
    lower: float
    upper: float


def compare(whole: Sequence["SearchResult"], reduced: Sequence["SearchResult"]) -> Comparison:
    """Compare searches of the whole space with searches of a reduced one, pair by pair, against one reference point.

    Raises:
        InputError: not as many of both, none, other objectives, or a search of the whole space whose front is no better
            than the reference point.
    """
    if len(whole) != len(reduced) or not whole:
        raise InputError(f"{len(whole)} searches of the whole space, but {len(reduced)} of a reduced one: give pairs")
    every = [*whole, *reduced]
    if len({tuple((one.metric.info.name, one.maximize) for one in each.problem.objectives) for each in every}) > 1:
        raise InputError("searches of different objectives cannot be compared")
    reference = reference_point(every)
    volumes = np.array(
        [
            [hypervolume(one.problem.losses(one.values[one.best]), reference) for one in pair]
            for pair in (whole, reduced)
        ]
    )
    if not volumes[0].all():
        raise InputError("a search of the whole space found nothing better than its initial networks: search longer")
    ratios = volumes[1] / volumes[0]
    mean, half = float(ratios.mean()), half_width(ratios)
    return Comparison(ratios, mean, mean - half, mean + half)
