"""How a machine's speed drifted while it measured, told by networks that were measured again and again."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray

MIN_VISITS = 4
"""With fewer visits, drift cannot be told from noise."""

MAX_REFINEMENTS = 20
_AGREED = 5e-4

_OUTLIER = 2.5
"""So many standard deviations off the drift, a visit counts as no further off: something else hit it."""

_RATIOS = np.geomspace(1e-4, 1e4, 25)
"""Tried variances of the drift between two visits, relative to the noise of one visit."""

_SIGNIFICANT = 1.353
"""Half the 90 % quantile of chi-squared (1): the 5 % level for a variance that may be 0 (Self and Liang, 1987)."""

_LEAST_VARIANCE = 1e-24
"""Keeps the likelihood of an anchor that never changes finite."""

_LEAST_GAP_S = 1e-6


@dataclass(frozen=True, eq=False)
class Drift:
    """How many times slower than usual the machine was.

    ``times_s`` is (K,), when visits were made; ``medians_ms`` is (K,), of each visit; ``factors`` is (K,), the drift
    after smoothing, with a median of 1 (of those kept, where there are any).
    """

    times_s: FloatArray
    medians_ms: FloatArray
    factors: FloatArray

    def select(self, which: BoolArray) -> "Drift":
        """That of some visits; ``which`` is (K,)."""
        return Drift(self.times_s[which], self.medians_ms[which], self.factors[which])

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


def fit_drift(times_s: FloatArray, medians_ms: FloatArray, networks: IntArray | None = None) -> Drift:
    """Smooth the (K,) medians of visits, at increasing times, into the drift that they tell.

    The log of the speed is a random walk in time, seen with noise (the local level model: Durbin and Koopman, Time
    Series Analysis by State Space Methods, 2nd ed., chapter 2). How much is walk and how much noise is chosen by
    restricted maximum likelihood; that there is a walk at all must be significant at 5 %. So visits that only jitter
    correct nothing (all factors are 1), and a shift is followed. With fewer than four visits there is no correction
    either.

    Args:
        times_s: (K,), when each visit was made.
        medians_ms: (K,), what its network took.
        networks: (K,), which network it was, 0 the one visited most often (the anchor); all of one where None. The
            walk that the anchor tells is the first guess. Then the networks' own levels and the walk that all visits
            tell take turns (backfitting: Hastie and Tibshirani, Generalized Additive Models, chapter 4).
    """
    if networks is None:
        networks = np.zeros(len(times_s), dtype=np.int64)
    logs, is_anchor = np.log(medians_ms), networks == 0
    walk = np.interp(times_s, times_s[is_anchor], _follow(times_s[is_anchor], logs[is_anchor], 1))
    if not is_anchor.all():
        walk = _refine(times_s, logs, networks, walk)
    return Drift(times_s, medians_ms, np.exp(walk - np.median(walk)))


def _refine(times_s: FloatArray, logs: FloatArray, networks: IntArray, walk: FloatArray) -> FloatArray:
    """The walk that all visits tell, from a first guess."""
    for _ in range(MAX_REFINEMENTS):
        seen = logs - _levels(logs - walk, networks)
        noise = seen - walk
        limit = _OUTLIER * 1.4826 * float(np.median(np.abs(noise)))
        before = walk
        walk = _follow(times_s, walk + np.clip(noise, -limit, limit), len(np.unique(networks)))
        if np.abs(walk - before).max() < _AGREED:
            break
    return walk


def _levels(logs: FloatArray, networks: IntArray) -> FloatArray:
    """(K,): the median of all visits of the same network."""
    order = np.argsort(networks, kind="stable")
    starts = np.flatnonzero(np.diff(networks[order], prepend=-1))
    levels = np.empty(len(logs))
    for own in np.split(order, starts[1:]):
        levels[own] = np.median(logs[own])
    return levels


def _follow(times_s: FloatArray, logs: FloatArray, num_levels: int) -> FloatArray:
    """(K,): the walk that values tell from which so many levels were taken, with a median of 0; 0 where none is."""
    nothing = np.zeros(len(logs))
    degrees = len(logs) - num_levels
    if degrees < MIN_VISITS - 1:
        return nothing
    gaps = np.maximum(np.diff(times_s), _LEAST_GAP_S)
    fits = [_smooth(logs, gaps / np.median(gaps) * ratio, degrees) for ratio in _RATIOS]
    smoothed, log_likelihood = max(fits, key=lambda fit: fit[1])
    if log_likelihood - _steady_log_likelihood(logs, degrees) < _SIGNIFICANT:
        return nothing
    return smoothed - np.median(smoothed)


def _steady_log_likelihood(values: FloatArray, degrees: int) -> float:
    """Of noise alone, but for the same constant as :func:`_smooth`."""
    return _log_likelihood(values - values.mean(), values, float(np.log(len(values))), degrees)


def _smooth(values: FloatArray, variances: FloatArray, degrees: int) -> tuple[FloatArray, float]:
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
    return level, _log_likelihood(values - level, values, float(log_determinant), degrees)


def _log_likelihood(noise: FloatArray, values: FloatArray, log_determinant: float, degrees: int) -> float:
    """Restricted likelihood, the noise's variance put at its best; ``degrees`` of freedom are left of the values."""
    variance = max(float(values @ noise), _LEAST_VARIANCE) / degrees
    return -0.5 * (degrees * float(np.log(variance)) + log_determinant)
