"""Which networks are best: fronts, the best few, hypervolumes.

Dominance and hypervolumes are moocore's. Limits are met before objectives count (Deb's constraint domination): a
network within the limits is better than any that breaks one, and of those that do the one that breaks them less.
"""

import moocore
import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.searching.problem import Problem


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
