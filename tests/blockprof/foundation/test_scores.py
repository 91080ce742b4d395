"""Rank correlations are scipy's."""

import numpy as np
import pytest
from scipy import stats

from blockprof.foundation.scores import kendall, spearman


@pytest.mark.parametrize("number", [2, 3, 5, 8, 63, 64, 65, 1000])
@pytest.mark.parametrize("values", [2, 7, 10_000], ids=["most tie", "some tie", "few tie"])
def test_rank_correlations_are_scipys(number: int, values: int) -> None:
    rng = np.random.default_rng([number, values])
    for _ in range(5):
        first = rng.integers(0, values, number).astype(float)
        second = np.where(rng.random(number) < 0.6, first, rng.integers(0, values, number))
        if np.ptp(first) == 0 or np.ptp(second) == 0:
            continue
        assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)
        assert kendall(first, second) == pytest.approx(stats.kendalltau(first, second).statistic, abs=1e-12)
        assert kendall(first, -first) == pytest.approx(-1.0)
        assert spearman(first, first) == pytest.approx(1.0)


@pytest.mark.parametrize("correlation", [spearman, kendall])
def test_samples_of_which_all_tie_have_what_is_said(correlation) -> None:
    assert np.isnan(correlation(np.ones(4), np.arange(4.0)))
    assert correlation(np.arange(4.0), np.ones(4), tied=0.0) == 0.0
    assert correlation(np.ones(1), np.ones(1), tied=0.0) == 0.0
