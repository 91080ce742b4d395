"""How well values are predicted: the errors, shares and rank correlations that all of blockprof reports.

Of two samples that may tie scipy has no rank correlation, and warns.
"""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from scipy import stats
else:
    stats = lazy_import("scipy.stats")

CONFIDENCE = 0.95
"""Of every interval of a mean, a median, an effect or a difference."""

WITHIN = (0.05, 0.10)
"""Relative errors, of which the shares of the rows that have no more are reported."""


def relative_errors(measured: FloatArray, predicted: FloatArray) -> FloatArray:
    """(N,): the sizes of the errors of (N,) predictions, over what was measured."""
    return np.asarray(np.abs(predicted - measured) / measured)


def mape_percent(measured: FloatArray, predicted: FloatArray) -> float:
    """The mean of :func:`relative_errors`, in percent; NaN where there are none."""
    return 100 * float(relative_errors(measured, predicted).mean()) if len(measured) else float("nan")


def rmse(measured: FloatArray, predicted: FloatArray) -> float:
    """The root of the mean squared error of (N,) predictions, in their unit."""
    return float(np.sqrt(((predicted - measured) ** 2).mean()))


def within_percent(measured: FloatArray, predicted: FloatArray, most: float) -> float:
    """The share of (N,) predictions whose relative error is at most ``most``, in percent."""
    return 100 * float((relative_errors(measured, predicted) <= most).mean())


def coverage_percent(measured: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """The share of (N,) values that lie in their intervals, in percent."""
    return 100 * float(((lower <= measured) & (measured <= upper)).mean())


def spearman(first: FloatArray, second: FloatArray, *, tied: float = np.nan) -> float:
    """Spearman's rank correlation of two (N,) samples; ``tied`` where all of either tie, or N is below 2."""
    return tied if _tie(first, second) else float(stats.spearmanr(first, second).statistic)


def kendall(first: FloatArray, second: FloatArray, *, tied: float = np.nan) -> float:
    """Kendall's tau-b of two (N,) samples; ``tied`` where all of either tie, or N is below 2."""
    return tied if _tie(first, second) else float(stats.kendalltau(first, second).statistic)


def top_overlap(measured: FloatArray, predicted: FloatArray, size: int) -> float:
    """The share of the ``size`` lowest of (N,) values that are among the ``size`` predicted to be lowest."""
    return float(_in_lowest(measured, size) @ _in_lowest(predicted, size)) / size


def _in_lowest(values: FloatArray, size: int) -> FloatArray:
    """(N,): 1 for the ``size`` lowest, 0 for others; those that tie for the last places share them."""
    last = np.partition(values, size - 1)[size - 1]
    below, tied = values < last, values == last
    return np.asarray(below + tied * (size - below.sum()) / tied.sum())


def _tie(first: FloatArray, second: FloatArray) -> bool:
    return len(first) < 2 or bool(np.ptp(first) == 0 or np.ptp(second) == 0)
