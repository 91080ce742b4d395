"""Profiles of exact metrics, with credible intervals where costs were fitted.

The mean of every placement, every effect and every response is a fixed linear combination of the costs, so its interval
is a closed form of their posterior covariance.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.scores import CONFIDENCE
from blockprof.metrics.metric import AdditiveMetric, ExactMetric
from blockprof.profiling.exact import exact_statistics
from blockprof.profiling.places import complete_places, known_parts, place_means
from blockprof.profiling.statistics import EstimatedStatistics
from blockprof.spaces import Constraint
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.sampling import Sampler


def additive_statistics(
    metric: ExactMetric, constraints: Sequence[Constraint], groups: Sequence[IntArray], sampler: Sampler
) -> EstimatedStatistics:
    """Exact statistics, and 95 % intervals of all means and their differences: 0 where the costs are known.

    Of a fitted metric (one with a ``covariance``) the intervals are credible ones, and standard deviations, quantiles
    and extremes are those of the posterior mean.

    Args:
        metric: of one space.
        constraints: S sets of placements.
        groups: for each of G groups, the indices of its constraints (a block's placements).
        sampler: how networks of a placement are drawn.
    """
    rows: list[Constraint | None] = [None, *constraints]
    parts = known_parts(metric.space, constraints)
    known = EstimatedStatistics(
        statistics=exact_statistics(metric, rows, sampler),
        effect_half_widths=np.zeros(len(rows)),
        depth_half_widths=parts,
        contrast_half_widths=parts,
        group_half_widths=np.zeros(len(groups)),
        group_effect_half_widths=np.zeros(len(groups)),
    )
    return widened_by_costs(known, metric.score, constraints, groups, sampler)


def widened_by_costs(
    found: EstimatedStatistics,
    metric: AdditiveMetric,
    constraints: Sequence[Constraint],
    groups: Sequence[IntArray],
    sampler: Sampler,
) -> EstimatedStatistics:
    """Statistics whose intervals also hold what is not known of the costs of ``metric``: as is where all is known."""
    covariance = metric.covariance
    if covariance is None:
        return found
    rows: list[Constraint | None] = [None, *constraints]
    counts = expected_counts(metric.space, rows, sampler, metric.by)
    group_counts = np.array([counts[1:][group].mean(axis=0) for group in groups]).reshape(-1, counts.shape[1])
    random = counts[:1]
    places = np.vstack(
        [np.full_like(random, np.nan), place_means(counts[1:], complete_places(metric.space, constraints))]
    )

    def widened(half_widths: FloatArray, combinations: FloatArray) -> FloatArray:
        variances = ((combinations @ covariance) * combinations).sum(axis=1)
        widths: FloatArray = np.hypot(half_widths, ndtri(0.5 + CONFIDENCE / 2) * np.sqrt(np.maximum(variances, 0.0)))
        return widths

    return EstimatedStatistics(
        statistics=replace(found.statistics, half_widths=widened(found.statistics.half_widths, counts)),
        effect_half_widths=widened(found.effect_half_widths, counts - random),
        depth_half_widths=widened(found.depth_half_widths, places - random),
        contrast_half_widths=widened(found.contrast_half_widths, counts - places),
        group_half_widths=widened(found.group_half_widths, group_counts),
        group_effect_half_widths=widened(found.group_effect_half_widths, group_counts - random),
    )
