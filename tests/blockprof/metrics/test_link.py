"""Increasing functions of additive scores."""

import numpy as np
import pytest
from codes import coded
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from blockprof.foundation.errors import MetricError
from blockprof.metrics import Link

SATURATING = Link(centre=75.85, scale=1.063, quadratic=-0.156, cubic=0.0146, low=72.4, high=79.3)


def test_is_the_cubic_inside_and_its_tangents_outside() -> None:
    link = Link(centre=2.0, scale=0.5, quadratic=-0.1, cubic=0.01, low=0.0, high=3.0)
    offset = Polynomial([-2.0, 1.0]) / 0.5
    cubic = Polynomial([0.0, 1.0]) + 0.5 * (-0.1 * offset**2 + 0.01 * offset**3)
    inside = np.linspace(0.0, 3.0, 50)
    np.testing.assert_allclose(link(inside), cubic(inside), rtol=1e-12)
    for end, step in ((0.0, -2.0), (3.0, 2.0)):
        np.testing.assert_allclose(link(np.array([end + step])), cubic(end) + step * cubic.deriv()(end), rtol=1e-12)


@given(st.floats(-1e3, 1e3))
def test_inverse_undoes_it(score: float) -> None:
    np.testing.assert_allclose(SATURATING.inverse(SATURATING(np.array([score]))), [score], rtol=1e-12, atol=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, unique=True))
def test_keeps_the_order(scores: list[float]) -> None:
    ascending = np.sort(scores)
    assert (np.diff(SATURATING(ascending)) >= 0).all()


@pytest.mark.parametrize(
    "parts",
    [
        {"quadratic": -0.5, "cubic": 0.0},
        {"quadratic": 0.0, "cubic": -0.1},
        {"quadratic": -1.0, "cubic": 0.3},
        {"low": 3.0, "high": 3.0},
    ],
)
def test_what_does_not_increase_is_refused(parts: dict[str, float]) -> None:
    """The third falls only between its ends."""
    whole = {"centre": 0.0, "scale": 1.0, "quadratic": 0.0, "cubic": 0.0, "low": -3.0, "high": 3.0} | parts
    if parts == {"quadratic": -1.0, "cubic": 0.3}:
        whole["low"] = 0.0
    with pytest.raises(MetricError, check=coded("decreasing-link")):
        Link(**whole)
