"""The statistics of a metric over a set of networks, held as one array for many sets."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.scores import CONFIDENCE

STATISTICS = ("mean", "std", "q01", "q05", "q95", "q99", "min", "max")
QUANTILES = (0.01, 0.05, 0.95, 0.99)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics of S sets of networks, in the metric's unit.

    ``values`` is (S, 8), its columns those of ``STATISTICS``. ``half_widths`` is (S,): half the 95 % interval of each
    mean, 0 where it is exact. ``lowest`` and ``highest`` are each set's networks with the least and greatest value, as
    net strings.
    """

    values: FloatArray
    half_widths: FloatArray
    lowest: tuple[str, ...]
    highest: tuple[str, ...]

    def column(self, name: str) -> FloatArray:
        """(S,): one of ``STATISTICS``."""
        column: FloatArray = self.values[:, STATISTICS.index(name)]
        return column


@dataclass(frozen=True, eq=False)
class EstimatedStatistics:
    """Statistics of the random networks (first row) and of each constraint, with the intervals of their differences.

    ``effect_half_widths`` is (1 + S,): half the 95 % interval of mean minus random mean, 0 for the random networks.
    ``depth_half_widths`` and ``contrast_half_widths`` are (1 + S,): the same for the two parts of an effect, that its
    layer is there, and its block against the others there; not a number where not all of these were profiled.
    ``group_half_widths`` and ``group_effect_half_widths`` are (G,): the same for the mean of each group of constraints.
    """

    statistics: Statistics
    effect_half_widths: FloatArray
    depth_half_widths: FloatArray
    contrast_half_widths: FloatArray
    group_half_widths: FloatArray
    group_effect_half_widths: FloatArray


def half_width(samples: FloatArray) -> float:
    """Half the 95 % interval of the mean of (n,) samples, by Student's t."""
    n = len(samples)
    if n < 2:
        return float("nan")
    return float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2) * samples.std(ddof=1) / np.sqrt(n))


def summarise(samples: FloatArray) -> FloatArray:
    """(8,): ``STATISTICS`` of (n,) samples."""
    spread = samples.std(ddof=1) if len(samples) > 1 else np.nan
    return np.array([samples.mean(), spread, *np.quantile(samples, QUANTILES), samples.min(), samples.max()])
