import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from blockprof.evaluators.device.statistics import interquartile_range, median_interval, relative_width, settled


@given(st.integers(6, 400), st.integers(0, 100))
def test_interval_is_the_narrowest_pair_of_order_statistics_that_covers(n, seed):
    ordered = np.arange(n, dtype=float)
    lower, upper = median_interval(np.random.default_rng(seed).permutation(ordered))
    below, above = int(lower), n - 1 - int(upper)
    assert below == above
    # Values outside: the median is missed where at most `below` of n lie on one side of it.
    assert 1 - 2 * binom.cdf(below, n, 0.5) >= 0.95
    assert 1 - 2 * binom.cdf(below + 1, n, 0.5) < 0.95


def test_interval_holds_the_median_of_skewed_times_in_95_of_100():
    rng = np.random.default_rng(0)
    intervals = [median_interval(np.exp(rng.gumbel(size=25))) for _ in range(2000)]
    held = [lower <= 1 / np.log(2) <= upper for lower, upper in intervals]
    assert 0.94 <= np.mean(held) <= 0.98


def test_fewer_than_six_have_no_interval():
    with pytest.raises(ValueError, match="5 values"):
        median_interval(np.arange(5.0))


def test_relative_width_and_iqr():
    times = np.arange(100.0, 201.0)
    lower, upper = median_interval(times)
    assert relative_width(times) == (upper - lower) / 150
    assert interquartile_range(times) == 50


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], False),
        ([10.0], False),
        ([10.0, 10.0], True),
        ([10.0, 9.85], True),
        ([10.0, 9.75], False),
        ([50.0, 40.0, 30.0], False),
        ([50.0, 10.0], False),
        ([50.0, 10.0, 10.0], True),
        # It fell after a run that something else slowed down: no quicker than the first.
        ([10.0, 20.0, 10.0], True),
        ([10.0, 20.0, 9.0], False),
    ],
)
def test_settled(times, expected):
    assert settled(np.array(times)) is expected
