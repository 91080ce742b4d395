"""The best networks there are, where every metric increases with a sum of costs: no search, but dynamic programming."""

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.metrics import PeakMetric, as_exact
from blockprof.searching.chain import Chain, first_fronts
from blockprof.searching.guide import find_guide
from blockprof.searching.limits import as_additive, check_limits
from blockprof.searching.pareto import best_networks
from blockprof.searching.problem import Objective, Problem
from blockprof.spaces import Architectures


def solve_exactly(problem: Problem, top_k: int = 10) -> tuple[Architectures, FloatArray]:
    """The whole Pareto front of several objectives, or the best ``top_k`` networks of one, within the limits.

    Of networks that are equal in every objective a front has one. The best ``top_k`` may be equal, and are fewer where
    no more meet the limits. Values closer than 1e-12 of the greatest that a metric may have are taken as equal.

    Args:
        problem: what is searched for; every metric additive, or an increasing function of an additive one. A limit may
            be one of a peak too: instances above it are in no network.
        top_k: how many networks, with one objective.

    Returns:
        F networks, from the best to the worst in the first objective, and their (F, M) metrics, as
        ``problem.evaluate`` gives them.

    Raises:
        InputError: a metric that is not additive, a ``top_k`` below 1, limits that no network meets, or more labels
            than are held at once (``blockprof.searching.chain``).
    """
    if top_k < 1:
        raise InputError(f"top_k is {top_k}", remedy="give at least 1", code="below-1")
    aims = [one.metric for one in problem.objectives]
    aims += [one.metric for one in problem.limits if not isinstance(one.metric, PeakMetric)]
    for metric in aims:
        if as_exact(metric) is None:
            raise InputError(
                f"{metric.info.name} is no sum of costs of blocks, so its best networks are not known exactly",
                remedy=Said(
                    "give it a limit instead, or search with {}"
                    if isinstance(metric, PeakMetric)
                    else "search with {}",
                    Argument("algorithm", "evolution"),
                ),
                code="not-additive",
            )
    check_limits(problem)
    num_objectives = len(problem.objectives)
    num_fronts = top_k if num_objectives == 1 else 1
    chain = Chain.of(problem.reduction, problem.objectives, [as_additive(limit) for limit in problem.limits])
    archs, sums = chain.solve(num_fronts, find_guide(chain, top_k) if num_objectives == 1 else None)
    values = problem.evaluate(archs)
    # The chain's bounds are a little wider than the limits.
    within = np.flatnonzero(problem.violations(values) == 0)
    if not len(within):
        raise InputError(_unmet_together(problem), code="limits-not-met")
    within = within[first_fronts(sums[within, :num_objectives], num_fronts)]
    best = within[best_networks(problem, values[within], top_k)]
    return archs[best], values[best]


def _unmet_together(problem: Problem) -> str:
    """What to say where some networks meet each limit, but none meets all."""
    # One of a peak comes last: what is solved for must be a sum of costs.
    first, *others = sorted(problem.limits, key=lambda limit: isinstance(limit.metric, PeakMetric))
    info = first.metric.info
    # The others may not be met together either: that is refused in there.
    objective = Objective(first.metric, maximize=info.higher_is_better)
    _, values = solve_exactly(Problem(problem.reduction, (objective,), tuple(others)), top_k=1)
    beyond = "above" if info.higher_is_better else "below"
    rest = " and ".join(limit.text for limit in others)
    reduction = problem.reduction
    return (
        f"{first.text}: no network of {reduction.space.name} ({reduction.name}){' with ' if rest else ''}{rest} goes "
        f"{beyond} {values[0, 0]:.6g} {info.unit}: loosen a limit"
    )
