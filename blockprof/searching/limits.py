"""Limits: those that no network meets, and what a limit of a peak forbids."""

from dataclasses import replace

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.metrics import AdditiveMetric, ExactMetric, PeakMetric, as_exact
from blockprof.reduction import Reduction
from blockprof.searching.chain import least_sums
from blockprof.searching.problem import Limit, Problem

ROUNDING = 1e-9
"""By what share of it a limit may be missed here: sums differ in their last digits by the order of their terms."""


def check_limits(problem: Problem) -> None:
    """Refuse a limit of an exact metric that no network meets; each limit by itself.

    Raises:
        InputError: there is one; the message says the nearest value there is.
    """
    reduction = problem.reduction
    for limit in problem.limits:
        exact = limit.metric if isinstance(limit.metric, PeakMetric) else as_exact(limit.metric)
        if exact is None:
            continue
        nearest = limit.sign * least_value(exact, reduction, limit.sign)
        if limit.sign * (nearest - limit.bound) > ROUNDING * abs(limit.bound):
            beyond = "above" if limit.metric.info.higher_is_better else "below"
            raise InputError(
                f"{limit.text}: no network of {reduction.space.name} ({reduction.name}) goes {beyond} "
                f"{nearest:.6g} {limit.metric.info.unit}: loosen the limit",
                code="limits-not-met",
            )


def count_forbidden(limit: Limit) -> int:
    """How many block instances no network within a limit of a peak has; 0 of any other metric's."""
    return int((limit.metric.costs > limit.most).sum()) if isinstance(limit.metric, PeakMetric) else 0


def as_additive(limit: Limit) -> Limit:
    """The limit, or what it comes to where it is one of a peak: a network has none of the instances above it."""
    metric = limit.metric
    if not isinstance(metric, PeakMetric):
        return limit
    above = AdditiveMetric(
        info=replace(metric.info, unit="blocks above the limit"),
        space=metric.space,
        base=0.0,
        costs=(metric.costs > limit.most).astype(float),
        resolution=metric.resolution,
    )
    return Limit(above, 0.0)


def least_value(metric: ExactMetric | PeakMetric, reduction: Reduction, sign: float = 1.0) -> float:
    """The least value of ``sign`` times a metric over a reduced space; of a peak, only the least itself."""
    if isinstance(metric, PeakMetric):
        peaks = least_sums(reduction, metric.stem_costs, metric.slot_costs, metric.head_costs, np.maximum)
        return float(peaks.total(reduction.depths))
    score = metric.score
    stems, layers, heads = (sign * each for each in (score.stem_costs, score.slot_costs, score.head_costs))
    least = float(least_sums(reduction, stems, layers, heads).total(reduction.depths)) + sign * score.base
    return sign * float(metric.values_of(np.array([sign * least]))[0])


def nearest_found(problem: Problem, values: FloatArray) -> str:
    """The network of (N, M) metrics that comes nearest to the limits, in words: its values of what is limited."""
    nearest = values[problem.violations(values).argmin()]
    return ", ".join(
        f"{info.name} {nearest[problem.names.index(info.name)]:.6g} {info.unit}"
        for info in (limit.metric.info for limit in problem.limits)
    )
