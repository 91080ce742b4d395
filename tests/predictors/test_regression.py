"""The regression against what it should be by definition: left-out rows, outliers, known weights."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.linalg import solve

from blockprof.predictors.evidence import Rows
from blockprof.predictors.regression import ARDPrior, fit_shrunk, predict_left_out, predict_unknown

NUM_ROWS = 60
GROUP_OF = np.repeat([0, 1, 2], [2, 5, 9])
WEIGHTS = np.concatenate([[0.5, 0.5], np.full(5, 0.05), np.zeros(9)])
PRIOR = ARDPrior(log_centre=np.array([-2.0, -4.0, -6.0, -7.0]), log_spread=np.array([1.0, 1.5, 2.0, 2.0]))


@dataclass(frozen=True)
class Made:
    """Rows whose true errors are ``noise``, relative."""

    rows: Rows
    noise: np.ndarray


@pytest.fixture
def made() -> Made:
    rng = np.random.default_rng(7)
    rows = rng.gamma(2.0, 1.0, (NUM_ROWS, len(GROUP_OF)))
    noise = rng.normal(0.0, 0.02, NUM_ROWS)
    expected = rows @ WEIGHTS
    return Made(Rows(rows / expected[:, None], 1 + noise, GROUP_OF), noise)


@pytest.mark.parametrize("size", [1, 3])
def test_left_out_rows_are_as_if_left_out(made: Made, size: int) -> None:
    """Alone, and three at a time that are not neighbours."""
    rows = made.rows
    fit = fit_shrunk(rows, [PRIOR])
    group_of_row = np.arange(NUM_ROWS) % (NUM_ROWS // size)
    found = predict_left_out(fit, rows, group_of_row)
    prior_precision = np.diag(np.exp(-fit.log_variances[:-1])[GROUP_OF])
    for row in range(0, NUM_ROWS, 7):
        others = group_of_row != group_of_row[row]
        weighted = rows.design[others] * fit.row_weights[others, None] / fit.noise_variance
        precision = weighted.T @ rows.design[others] + prior_precision
        predicted = rows.design[row] @ solve(precision, weighted.T @ rows.targets[others])
        variance = rows.design[row] @ solve(precision, rows.design[row])
        deviation = np.sqrt(fit.noise_variance * predicted**2 + variance)
        assert found.predicted[row] == pytest.approx(predicted, rel=1e-6)
        assert found.errors[row] == pytest.approx((rows.targets[row] - predicted) / deviation, rel=1e-6)


def test_noise_and_weights_are_found(made: Made) -> None:
    fit = fit_shrunk(made.rows, [PRIOR])
    assert np.sqrt(fit.noise_variance) == pytest.approx(0.02, rel=0.35)
    deviations = np.sqrt(np.diag(fit.covariance))
    assert np.abs((fit.mean - WEIGHTS) / deviations).max() < 4
    assert (np.diff(fit.log_variances[:3]) < 0).all()


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.5, 3.0])
def test_outliers_count_for_little(made: Made, factor: float) -> None:
    targets = made.rows.targets.copy()
    targets[:4] *= factor
    fit = fit_shrunk(replace(made.rows, targets=targets), [PRIOR])
    assert fit.row_weights[:4].max() < 0.05 < 0.5 < np.median(fit.row_weights)
    assert np.abs(predict_unknown(fit, made.rows).errors).max() < 5


def test_of_several_priors_the_one_that_predicts_best_is_used(made: Made) -> None:
    misled = ARDPrior(log_centre=np.array([-12.0, -12.0, 0.0, -7.0]), log_spread=np.full(4, 0.1))
    assert fit_shrunk(made.rows, [misled, PRIOR]).prior is PRIOR
    assert fit_shrunk(made.rows, [PRIOR, misled]).prior is PRIOR
