"""The statistics of repeated times. Units are the caller's."""

import math
from fractions import Fraction
from functools import cache

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.scores import CONFIDENCE

MIN_RUNS_OF_INTERVAL = 6
"""The fewest values of which the lowest and the highest enclose the median with 95 % confidence."""

SETTLED_WITHIN = 0.02


def median_interval(times: FloatArray) -> tuple[float, float]:
    """The 95 % interval of the median of (n,) values, n >= 6, from order statistics: no distribution is assumed.

    The k-th lowest and k-th highest value enclose the median unless fewer than k values lie on one side of it, and the
    number on one side is binomial (n, 1/2): Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2. The
    values are taken as independent, so a disturbance longer than all of them goes unseen.
    """
    if len(times) < MIN_RUNS_OF_INTERVAL:
        raise ValueError(f"{len(times)} values have no 95 % interval of the median")
    k = _rank(len(times))
    ordered = np.sort(times)
    return float(ordered[k - 1]), float(ordered[-k])


@cache
def _rank(count: int) -> int:
    """The largest k with P(fewer than k of so many on one side) <= 2.5 %, without scipy, which boards need not have."""
    most = Fraction((1 - CONFIDENCE) / 2) * 2**count
    below, k = 0, 0
    while (below := below + math.comb(count, k)) <= most:
        k += 1
    return k


def relative_width(times: FloatArray) -> float:
    """The width of the interval of the median, relative to the median."""
    lower, upper = median_interval(times)
    return (upper - lower) / float(np.median(times))


def interquartile_range(times: FloatArray) -> float:
    """The difference of the third and the first quartile of (n,) values."""
    first, third = np.quantile(times, (0.25, 0.75))
    return float(third - first)


def settled(times: FloatArray) -> bool:
    """Whether (n,) times in order no longer fall: the last is not below the lowest before by more than 2 %.

    Warming up makes runs quicker, so one that is as quick as those before it is warm. A run that other programs slow
    down ends it too early at worst by one run, which the median of those that are timed does not see.
    """
    return len(times) > 1 and bool(times[-1] >= (1 - SETTLED_WITHIN) * times[:-1].min())
