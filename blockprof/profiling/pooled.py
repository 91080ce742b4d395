"""Surrogates of expensive metrics: an additive metric fitted to a pool of networks, and how far it stands for them."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.scores import CONFIDENCE, coverage_percent, spearman
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.profiling.statistics import Statistics
from blockprof.spaces import Space

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = lazy_import("pandas")

ADDITIVE_SHARE_PERCENT = 80.0
"""Below this share of the variance between networks, a surrogate does not stand for its metric."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Networks of the pool, each predicted by a surrogate that was fitted without it.

    ``networks`` are N net strings. All arrays are (N,), in the metric's unit: ``values`` as evaluated; ``predicted``,
    with ``lower`` and ``upper`` around 90 % of evaluations; ``deviations`` are the standard deviations of the
    predictions, as far as the surrogate's costs are uncertain. ``repeatability_percent`` is the relative standard
    deviation of evaluating a network again, nan where it is not known: the remainder then holds it too.

    Errors are shares of the values, in percent. Where not ``relative`` they are in the metric's unit, as of accuracies,
    which are percentages themselves: all errors "in percent" are then percentage points.
    """

    networks: tuple[str, ...]
    values: FloatArray
    predicted: FloatArray
    lower: FloatArray
    upper: FloatArray
    deviations: FloatArray
    repeatability_percent: float
    relative: bool = True

    def __repr__(self) -> str:
        return f"<HeldOut: {len(self.values)} networks>"

    @property
    def errors_percent(self) -> FloatArray:
        """(N,): predicted over evaluated, less 1, in percent; or predicted less evaluated."""
        return 100 * (self.predicted / self.values - 1) if self.relative else self.predicted - self.values

    @property
    def mape_percent(self) -> float:
        """The mean size of the errors."""
        return float(np.abs(self.errors_percent).mean())

    @property
    def spearman(self) -> float:
        """Rank correlation, 0 where all predictions or all values tie."""
        return spearman(self.values, self.predicted, tied=0.0)

    @property
    def coverage_percent(self) -> float:
        """The share of the values inside their 90 % interval."""
        return coverage_percent(self.values, self.lower, self.upper)

    @cached_property
    def remainder_percent(self) -> float:
        """The standard deviation of what no sum of costs per block explains.

        What is left of the squared errors without the uncertainty of the costs and the noise of evaluating.
        """
        uncertain = 100 * self.deviations / self.values if self.relative else self.deviations
        squares = (self.errors_percent**2 - uncertain**2).mean() - np.nan_to_num(self.repeatability_percent) ** 2
        return float(np.sqrt(max(squares, 0.0)))

    @property
    def unexplained(self) -> float:
        """The standard deviation of remainder and noise together, in the metric's unit."""
        percent = np.hypot(self.remainder_percent, np.nan_to_num(self.repeatability_percent))
        return float(percent * (self.values.mean() / 100 if self.relative else 1.0))

    @property
    def additive_percent(self) -> float:
        """The share of the variance between networks that is additive: 100 less that of the remainder."""
        spread = self.values.std() * (100 / self.values.mean() if self.relative else 1.0)
        return 100 * max(1 - (self.remainder_percent / spread) ** 2, 0.0) if spread > 0 else 0.0

    @property
    def is_additive(self) -> bool:
        """Whether the surrogate stands for its metric: all but a fifth of the variance is additive."""
        return self.additive_percent >= ADDITIVE_SHARE_PERCENT

    def to_frame(self) -> "pd.DataFrame":
        """One row a network: ``net``, ``value``, ``predicted``, ``lower``, ``upper``, in the metric's unit."""
        return pd.DataFrame(
            {
                "net": self.networks,
                "value": self.values,
                "predicted": self.predicted,
                "lower": self.lower,
                "upper": self.upper,
            }
        )

    def scores(self) -> dict[str, float]:
        """Everything by name."""
        return {
            "mape_percent": self.mape_percent,
            "spearman": self.spearman,
            "coverage_percent": self.coverage_percent,
            "repeatability_percent": self.repeatability_percent,
            "remainder_percent": self.remainder_percent,
            "additive_percent": self.additive_percent,
        }


@dataclass(frozen=True, eq=False)
class Surrogate:
    """An additive metric fitted to a pool of networks, and how well it predicts those left out.

    ``metric`` is the posterior mean, with its covariance. ``num_networks`` is the size of the pool.
    """

    metric: AdditiveMetric
    num_networks: int
    check: HeldOut

    @property
    def info(self) -> MetricInfo:
        return self.metric.info

    @property
    def space(self) -> Space:
        return self.metric.space

    @property
    def resolution(self) -> int | None:
        return self.metric.resolution


def independent_evaluations(statistics: Statistics, effect_half_widths: FloatArray, unexplained: float) -> int:
    """How many networks BlockProfile's design evaluates for effects as sure as a pool's.

    It draws n networks for each placement and n random ones, all independent: an effect, the difference of two means,
    has the variance (placement's + random networks') / n. n is what makes the median interval as narrow.

    Args:
        statistics: of the random networks (first row) and S placements, by the surrogate.
        effect_half_widths: (1 + S,) half the 95 % intervals of the effects, 0 in the first row.
        unexplained: the standard deviation of what the surrogate does not tell of a network, in the metric's unit.
    """
    variances = statistics.column("std") ** 2 + unexplained**2
    needed = (variances[1:] + variances[0]) * (ndtri(0.5 + CONFIDENCE / 2) / effect_half_widths[1:]) ** 2
    return int(np.ceil(np.median(needed))) * len(variances)
