"""Both forms of the evidence against the density of the rows, their gradients, and weighted least squares."""

import numpy as np
import pytest
from scipy.linalg import inv
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from blockprof.predictors.evidence import Dual, Primal, Rows, quicker_form

GROUP_OF = np.repeat([0, 1, 2], [2, 5, 9])
PLACES = [np.array([-2.0, -4.0, -6.0, -7.0]), np.array([-1.0, -6.0, -3.0, -8.0]), np.array([-4.0, -2.0, -9.0, -5.0])]

Form = Primal | Dual


@pytest.fixture(params=[8, 40])
def rows(request: pytest.FixtureRequest) -> Rows:
    """Fewer rows than features, then more."""
    rng = np.random.default_rng(7)
    return Rows(rng.gamma(2.0, 0.1, (request.param, len(GROUP_OF))), rng.normal(1.0, 0.3, request.param), GROUP_OF)


@pytest.fixture(params=[Primal, Dual])
def form(request: pytest.FixtureRequest, rows: Rows) -> Form:
    row_weights = np.random.default_rng(1).uniform(0.1, 1.25, len(rows))
    return request.param.of(rows, np.ones(len(rows))).reweighted(row_weights)


def covariance_of_rows(form: Form, logs: np.ndarray) -> np.ndarray:
    design = form.rows.design
    return (design * np.exp(logs[:-1])[GROUP_OF]) @ design.T + np.diag(np.exp(logs[-1]) / form.row_weights)


def test_the_loss_is_the_density_of_the_rows(form: Form) -> None:
    """Against the marginal Gaussian of all rows at once, up to the same constant at every strength."""
    targets = form.rows.targets
    known = [-multivariate_normal(cov=covariance_of_rows(form, logs)).logpdf(targets) for logs in PLACES]
    np.testing.assert_allclose(np.diff([form.loss(logs)[0] for logs in PLACES]), np.diff(known), rtol=1e-8)


def test_the_gradient_is_that_of_the_loss(form: Form) -> None:
    for place in PLACES:
        by_differences = approx_fprime(place, lambda logs: form.loss(logs)[0], 1e-6)
        np.testing.assert_allclose(form.loss(place)[1], by_differences, rtol=1e-3, atol=1e-3)


def test_the_posterior_is_that_of_weighted_least_squares(form: Form) -> None:
    design = form.rows.design
    for logs in PLACES:
        weighted = design * (form.row_weights / np.exp(logs[-1]))[:, None]
        known = inv(weighted.T @ design + np.diag(np.exp(-logs[:-1])[GROUP_OF]))
        mean, covariance = form.posterior(logs)
        np.testing.assert_allclose(covariance, known, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(mean, known @ weighted.T @ form.rows.targets, rtol=1e-7)
        predicted, variances = form.fitted(logs)
        np.testing.assert_allclose(predicted, design @ mean, rtol=1e-9)
        np.testing.assert_allclose(variances, np.diag(design @ known @ design.T), rtol=1e-6)


def test_few_rows_are_solved_by_rows_and_many_by_features() -> None:
    rows = Rows(np.ones((40, len(GROUP_OF))), np.ones(40), GROUP_OF)
    assert isinstance(quicker_form(rows.select(np.arange(8))), Dual)
    assert isinstance(quicker_form(rows), Primal)
