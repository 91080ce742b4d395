"""How a machine's speed drifted while it measured, told by one network that was measured again and again."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from blockprof.foundation.arrays import FloatArray

MIN_ANCHORS = 4
"""With fewer visits of the anchor, drift cannot be told from noise."""

_RATIOS = np.geomspace(1e-4, 1e4, 49)
"""Tried variances of the drift between two visits of the anchor, relative to the noise of one visit."""

_SIGNIFICANT = 1.353
"""Half the 90 % quantile of chi-squared (1): the 5 % level for a variance that may be 0 (Self and Liang, 1987)."""

_LEAST_VARIANCE = 1e-24
"""Keeps the likelihood of an anchor that never changes finite."""

_LEAST_GAP_S = 1e-6


@dataclass(frozen=True, eq=False)
class Drift:
    """How many times slower than usual the machine was.

    ``times_s`` is (K,), when the anchor was visited; ``anchor_ms`` is (K,), its medians; ``factors`` is (K,), the drift
    after smoothing, with a median of 1 (of those kept, where there are any).
    """

    times_s: FloatArray
    anchor_ms: FloatArray
    factors: FloatArray

    def at(self, times_s: FloatArray) -> FloatArray:
        """(N,): the factors at any times: between two visits the walk is expected on a line, beyond the ends flat."""
        return np.exp(np.interp(times_s, self.times_s, np.log(self.factors)))

    def keeping(self, before: "Drift") -> "Drift":
        """This drift, after one of its first visits alone that has been divided out already.

        The factors of before stay as they are. Those that follow are put relative to the same usual speed: times the
        factor that makes the two drifts agree on the first visits.
        """
        there = len(before.factors)
        scale = np.median(before.factors / self.factors[:there])
        return replace(self, factors=np.concatenate([before.factors, scale * self.factors[there:]]))

    @property
    def percent(self) -> float:
        """The slowest time's factor over the fastest's, as a difference in per cent."""
        return float((self.factors.max() / self.factors.min() - 1) * 100)


def fit_drift(times_s: FloatArray, anchor_ms: FloatArray) -> Drift:
    """Smooth the (K,) medians of the anchor, at increasing times, into the drift that they tell.

    The log of the speed is a random walk in time, seen with noise (the local level model: Durbin and Koopman, Time
    Series Analysis by State Space Methods, 2nd ed., chapter 2). How much is walk and how much noise is chosen by
    restricted maximum likelihood; that there is a walk at all must be significant at 5 %. So an anchor that only
    jitters corrects nothing (all factors are 1), and one that shifts is followed. With fewer than four visits there is
    no correction either.
    """
    nothing = Drift(times_s, anchor_ms, np.ones(len(anchor_ms)))
    if len(anchor_ms) < MIN_ANCHORS:
        return nothing
    logs = np.log(anchor_ms)
    gaps = np.maximum(np.diff(times_s), _LEAST_GAP_S)
    fits = [_smooth(logs, gaps / np.median(gaps) * ratio) for ratio in _RATIOS]
    smoothed, log_likelihood = max(fits, key=lambda fit: fit[1])
    if log_likelihood - _steady_log_likelihood(logs) < _SIGNIFICANT:
        return nothing
    return Drift(times_s, anchor_ms, np.exp(smoothed - np.median(smoothed)))


def _steady_log_likelihood(values: FloatArray) -> float:
    """Of noise alone, but for the same constant as :func:`_smooth`."""
    return _log_likelihood(values - values.mean(), values, float(np.log(len(values))))


def _smooth(values: FloatArray, variances: FloatArray) -> tuple[FloatArray, float]:
    """The expected walk, and the log-likelihood but for a constant.

    ``variances`` is (K - 1,), of the steps relative to the noise. The walk minimises the sum of squared noise and of
    squared steps over their variances: a tridiagonal system.
    """
    weights = 1 / variances
    banded = np.ones((2, len(values)))
    banded[0, 1:] = -weights
    banded[1, :-1] += weights
    banded[1, 1:] += weights
    root = cholesky_banded(banded)
    level = cho_solve_banded((root, False), values)
    log_determinant = 2 * np.log(root[1]).sum() - np.log(weights).sum()
    return level, _log_likelihood(values - level, values, float(log_determinant))


def _log_likelihood(noise: FloatArray, values: FloatArray, log_determinant: float) -> float:
    """Restricted likelihood, the noise's variance put at its best."""
    degrees = len(values) - 1
    variance = max(float(values @ noise), _LEAST_VARIANCE) / degrees
    return -0.5 * (degrees * float(np.log(variance)) + log_determinant)
