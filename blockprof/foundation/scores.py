"""How well values are predicted: the errors, shares and rank correlations that all of blockprof reports.

Rank correlations are here rather than scipy's: to import ``scipy.stats`` takes longer than most commands calculate, and
of samples that all tie it has none, and warns.
"""

from math import comb, sqrt

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray

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
    return tied if _tie(first, second) else float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def kendall(first: FloatArray, second: FloatArray, *, tied: float = np.nan) -> float:
    """Kendall's tau-b of two (N,) samples; ``tied`` where all of either tie, or N is below 2."""
    if _tie(first, second):
        return tied
    places, others = (np.unique(values, return_inverse=True)[1] for values in (first, second))
    both = places * (others.max() + 1) + others
    pairs = comb(len(first), 2)
    in_first, in_second, in_both = (_tied_pairs(each) for each in (places, others, both))
    # Of two that tie in the first sample, the one of the lower place in the other comes first: no inversion.
    against = _inversions(others[np.argsort(both)])
    for_less_against = pairs - in_first - in_second + in_both - 2 * against
    return for_less_against / sqrt(pairs - in_first) / sqrt(pairs - in_second)


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


def _ranks(values: FloatArray) -> FloatArray:
    """(N,): the ranks of (N,) values, from 1; those that tie share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


def _tied_pairs(places: IntArray) -> int:
    counts = np.bincount(np.unique(places, return_inverse=True)[1])
    return int((counts * (counts - 1) // 2).sum())


def _inversions(places: IntArray) -> int:
    """In how many pairs of (N,) places, from 0, the later is lower: counted while ever longer runs are merged."""
    found, width, size, most = 0, 1, 1 << (len(places) - 1).bit_length(), int(places.max()) + 1
    runs = np.full(size, most)
    runs[: len(places)] = places
    while width < size:
        merged = runs.reshape(-1, 2, width) + (most + 1) * np.arange(size // (2 * width))[:, None, None]
        not_higher = np.searchsorted(merged[:, 0].ravel(), merged[:, 1].ravel(), side="right")
        before = np.arange(size // 2) // width * width
        found += int((width - (not_higher - before)).sum())
        runs = np.sort(runs.reshape(-1, 2 * width), axis=1)
        width *= 2
    return found
