"""Increasing functions of an additive score: how a metric that saturates depends on the sum of its blocks' costs."""

from dataclasses import dataclass

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import MetricError

_BISECTIONS = 60
"""Halvings of an interval: more than the 52 binary digits of a float."""


@dataclass(frozen=True, slots=True)
class Link:
    """A strictly increasing cubic of an additive score, continued as a straight line outside ``low`` to ``high``.

    With u = (score - ``centre``) / ``scale``, the value is score + ``scale`` (``quadratic`` u^2 + ``cubic`` u^3).
    Score, ``centre``, ``scale``, ``low`` and ``high`` are in the metric's unit; the two coefficients have none. An
    increasing function keeps the order of networks, so whatever is best in the score is best in the metric.

    Raises:
        MetricError: the cubic does not increase everywhere from ``low`` to ``high``.
    """

    centre: float
    scale: float
    quadratic: float
    cubic: float
    low: float
    high: float

    def __post_init__(self) -> None:
        inside = [self.low, self.high]
        if self.cubic:
            steepest_change = self.centre - self.scale * self.quadratic / (3 * self.cubic)
            inside += [steepest_change] if self.low < steepest_change < self.high else []
        if not self.low < self.high or min(self._slope(score) for score in inside) <= 0:
            raise MetricError(f"a link must increase from {self.low:g} to {self.high:g}", code="decreasing-link")

    def __call__(self, scores: FloatArray) -> FloatArray:
        """(N,) values of (N,) scores."""
        inside = np.clip(scores, self.low, self.high)
        beyond = scores - inside
        ends = np.where(beyond < 0, self._slope(self.low), self._slope(self.high))
        return np.asarray(self._cubic(inside) + beyond * ends)

    def inverse(self, values: FloatArray) -> FloatArray:
        """(N,) scores of (N,) values, to the last digits of a float."""
        values = np.asarray(values, dtype=float)
        low, high = np.full(values.shape, self.low), np.full(values.shape, self.high)
        least, greatest = self._cubic(low), self._cubic(high)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            too_low = self._cubic(middle) < values
            low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
        below, above = np.minimum(values - least, 0.0), np.maximum(values - greatest, 0.0)
        return np.asarray(0.5 * (low + high) + below / self._slope(self.low) + above / self._slope(self.high))

    def _cubic(self, scores: FloatArray) -> FloatArray:
        offset = (scores - self.centre) / self.scale
        return np.asarray(scores + self.scale * offset**2 * (self.quadratic + self.cubic * offset))

    def _slope(self, score: float) -> float:
        offset = (score - self.centre) / self.scale
        return 1 + offset * (2 * self.quadratic + 3 * self.cubic * offset)
