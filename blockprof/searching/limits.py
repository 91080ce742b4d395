"""Limits that no network meets."""

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.metrics import ExactMetric, additive_score, values_of_scores
from blockprof.reduction import Reduction
from blockprof.searching.problem import Problem

ROUNDING = 1e-9
"""By what share of it a limit may be missed here: sums differ in their last digits by the order of their terms."""


def check_limits(problem: Problem) -> None:
    """Refuse a limit of an exact metric that no network meets; each limit by itself.

    Raises:
        InputError: there is one; the message says the nearest value there is.
    """
    reduction = problem.reduction
    for limit in problem.limits:
        if not isinstance(limit.metric, ExactMetric):
            continue
        nearest = limit.sign * least_value(limit.metric, reduction, limit.sign)
        if limit.sign * (nearest - limit.bound) > ROUNDING * abs(limit.bound):
            beyond = "above" if limit.metric.info.higher_is_better else "below"
            raise InputError(
                f"{limit.text}: no network of {reduction.space.name} ({reduction.name}) goes {beyond} "
                f"{nearest:.6g} {limit.metric.info.unit}: loosen the limit"
            )


def least_value(metric: ExactMetric, reduction: Reduction, sign: float = 1.0) -> float:
    """The least value of ``sign`` times an exact metric over a reduced space.

    By dynamic programming along the chain of units: the least cost up to each unit, by the unit's width.
    """
    space, score = reduction.space, additive_score(metric)
    kept = reduction.kinds.reshape(space.num_slots, 1, len(space.blocks))
    costs = np.where(kept, sign * score.slot_costs, np.inf)
    by_width = costs.reshape(space.num_slots, -1, space.num_widths, space.blocks_per_width).min(axis=3)
    stems = np.where(reduction.stems, sign * score.stem_costs, np.inf)
    least = np.full(len(space.stem.out_channels), np.inf)
    np.minimum.at(least, space.stem_states, stems)
    for slots, depths in zip(space.unit_slots, reduction.depths, strict=True):
        unit = np.cumsum(by_width[slots], axis=0)[np.array(depths) - 1].min(axis=0)
        least = (least[:, None] + unit).min(axis=0)
    least_score = (least + sign * score.head_costs).min() + sign * score.base
    return sign * float(values_of_scores(metric, np.array([sign * least_score]))[0])


def nearest_found(problem: Problem, values: FloatArray) -> str:
    """The network of (N, M) metrics that comes nearest to the limits, in words: its values of what is limited."""
    nearest = values[problem.violations(values).argmin()]
    return ", ".join(
        f"{info.name} {nearest[problem.names.index(info.name)]:.6g} {info.unit}"
        for info in (limit.metric.info for limit in problem.limits)
    )
