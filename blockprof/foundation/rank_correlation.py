"""Rank correlations of two samples that may tie, for which scipy has no value and a warning."""

import numpy as np
from scipy.stats import kendalltau, spearmanr

from blockprof.foundation.arrays import FloatArray


def spearman(first: FloatArray, second: FloatArray, *, tied: float = np.nan) -> float:
    """Spearman's rank correlation of two (N,) samples; ``tied`` where all of either tie, or N is below 2."""
    return tied if _tie(first, second) else float(spearmanr(first, second).statistic)


def kendall(first: FloatArray, second: FloatArray, *, tied: float = np.nan) -> float:
    """Kendall's tau-b of two (N,) samples; ``tied`` where all of either tie, or N is below 2."""
    return tied if _tie(first, second) else float(kendalltau(first, second).statistic)


def _tie(first: FloatArray, second: FloatArray) -> bool:
    return len(first) < 2 or bool(np.ptp(first) == 0 or np.ptp(second) == 0)
