"""Bayesian linear regression with one shrinkage strength a group of features and a heavy-tailed likelihood.

The strengths maximise the evidence (type-II maximum likelihood: MacKay, Bayesian Interpolation, 1992) times a
log-normal prior on each, which decides where a few rows cannot. The likelihood is Student's t, as a scale mixture of
Gaussians, by iterative reweighting (Lange, Little and Taylor, 1989).

Rows are divided by what they should give, so a row's features times the weights should give 1: errors are relative.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, lapack
from scipy.optimize import minimize

from blockprof.spaces import FloatArray, IntArray

DEGREES_OF_FREEDOM = 4.0
ITERATIONS = (15, 5, 5, 5, 5, 5)
"""Steps towards the best strengths, between one weighting of the rows and the next."""
LOG_BOUNDS = (-18.0, 4.0)
"""Of the variances: relative errors from 0.01 %, and no farther apart than double precision can solve."""


@dataclass(frozen=True, eq=False)
class StrengthPrior:
    """Log-normal priors: of each group's weight variance, then, last, of the noise variance. Arrays are (G + 1,)."""

    log_centre: FloatArray
    log_spread: FloatArray


@dataclass(frozen=True, eq=False)
class Fit:
    """The posterior of the weights.

    ``mean`` is (F,) and ``covariance`` (F, F). ``log_variances`` (G + 1,) are what was found under ``prior``;
    ``row_weights`` (N,) tell how much each training row counted (1.25 at most, near 0 for an outlier).
    """

    mean: FloatArray
    covariance: FloatArray
    prior: StrengthPrior
    log_variances: FloatArray
    row_weights: FloatArray

    @property
    def noise_variance(self) -> float:
        return float(np.exp(self.log_variances[-1]))


@dataclass(frozen=True, eq=False)
class _Moments:
    """All that the evidence needs of the weighted rows."""

    gram: FloatArray
    moment: FloatArray
    power: float
    num_rows: int


def fit_shrunk(design: FloatArray, group_of: IntArray, priors: Sequence[StrengthPrior]) -> Fit:
    """Fit (N, F) rows, under the one of ``priors`` that predicts left-out rows best (their log density)."""
    fits = [_reweight(design, group_of, prior, prior.log_centre) for prior in priors]
    return min(fits, key=lambda fit: _left_out_loss(fit, design))


def refit_shrunk(design: FloatArray, group_of: IntArray, fit: Fit) -> Fit:
    """Fit other rows of the same kind, starting from the strengths of ``fit``."""
    return _reweight(design, group_of, fit.prior, fit.log_variances)


def standardised_errors(fit: Fit, design: FloatArray) -> FloatArray:
    """(N,): the errors of rows that ``fit`` was not trained on, over the standard deviation it gives them."""
    residuals = 1.0 - design @ fit.mean
    return residuals / _deviations(residuals, _variances(design, fit.covariance), fit.noise_variance)


def left_out_errors(fit: Fit, design: FloatArray) -> FloatArray:
    """(N,): the same for the rows that it was trained on, each as if left out, the strengths unchanged."""
    residuals, deviations = _left_out(fit, design)
    return residuals / deviations


def _left_out(fit: Fit, design: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N,): the residual of each training row had it been left out, and its standard deviation."""
    variances = _variances(design, fit.covariance)
    rest = 1.0 - np.minimum(fit.row_weights * variances / fit.noise_variance, 0.99)
    residuals = (1.0 - design @ fit.mean) / rest
    return residuals, _deviations(residuals, variances / rest, fit.noise_variance)


def _left_out_loss(fit: Fit, design: FloatArray) -> float:
    """Minus the mean log density of the training rows, each as if left out, but for a constant."""
    residuals, deviations = _left_out(fit, design)
    tails = 0.5 * (DEGREES_OF_FREEDOM + 1) * np.log1p((residuals / deviations) ** 2 / DEGREES_OF_FREEDOM)
    return float((tails + np.log(deviations)).mean())


def _reweight(design: FloatArray, group_of: IntArray, prior: StrengthPrior, logs: FloatArray) -> Fit:
    """Alternate between the strengths and the weights of the rows."""
    row_weights = np.ones(len(design))
    for iterations in ITERATIONS:
        moments = _moments(design, row_weights)
        logs = _maximise_evidence(moments, group_of, prior, logs, iterations)
        scales, noise = _scales(logs, group_of)
        factor, mean = _solve(moments, scales, noise)
        covariance = scales[:, None] * cho_solve((factor, True), np.diag(scales), check_finite=False)
        fit = Fit(mean, covariance, prior, logs, row_weights)
        squares = (1.0 - design @ mean) ** 2 + _variances(design, covariance)
        row_weights = (DEGREES_OF_FREEDOM + 1) / (DEGREES_OF_FREEDOM + squares / noise)
    return fit


def _deviations(residuals: FloatArray, variances: FloatArray, noise: float) -> FloatArray:
    """(N,): standard deviations of relative errors; the noise is in proportion to what is predicted."""
    return np.sqrt(noise * (1.0 - residuals) ** 2 + variances)


def _variances(design: FloatArray, covariance: FloatArray) -> FloatArray:
    return np.asarray(((design @ covariance) * design).sum(axis=1))


def _moments(design: FloatArray, row_weights: FloatArray) -> _Moments:
    weighted = design * np.sqrt(row_weights)[:, None]
    return _Moments(weighted.T @ weighted, row_weights @ design, float(row_weights.sum()), len(design))


def _scales(logs: FloatArray, group_of: IntArray) -> tuple[FloatArray, float]:
    """(F,): the standard deviation of each weight; and the noise variance."""
    return np.exp(0.5 * logs[:-1])[group_of], float(np.exp(logs[-1]))


def _solve(moments: _Moments, scales: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
    """The Cholesky factor of the posterior precision of the weights over ``scales``, and the weights' mean."""
    precision = scales[:, None] * moments.gram * (scales / noise)
    precision[np.diag_indices_from(precision)] += 1.0
    factor = cholesky(precision, lower=True, check_finite=False)
    return factor, scales * cho_solve((factor, True), scales * moments.moment / noise, check_finite=False)


def _maximise_evidence(
    moments: _Moments, group_of: IntArray, prior: StrengthPrior, start: FloatArray, iterations: int
) -> FloatArray:
    found = minimize(
        _negative_log_evidence,
        start,
        args=(moments, group_of, prior),
        jac=True,
        method="L-BFGS-B",
        bounds=[LOG_BOUNDS] * len(start),
        options={"maxiter": iterations, "ftol": 1e-6},
    )
    return np.asarray(found.x)


def _negative_log_evidence(
    logs: FloatArray, moments: _Moments, group_of: IntArray, prior: StrengthPrior
) -> tuple[float, FloatArray]:
    """Minus the log evidence and log prior at the log variances ``logs`` (G + 1,), and the gradient."""
    scales, noise = _scales(logs, group_of)
    factor, mean = _solve(moments, scales, noise)
    inverse, _ = lapack.dpotri(factor, lower=1)
    shrunk = np.diag(inverse)
    explained = mean @ moments.moment
    misfit = moments.power - 2.0 * explained + mean @ moments.gram @ mean
    offset = (logs - prior.log_centre) / prior.log_spread
    value = 0.5 * ((moments.power - explained) / noise + moments.num_rows * logs[-1] + offset @ offset)
    value += np.log(np.diag(factor)).sum()
    gradient = offset / prior.log_spread
    gradient[:-1] += 0.5 * np.bincount(group_of, 1.0 - shrunk - (mean / scales) ** 2, minlength=len(logs) - 1)
    gradient[-1] += 0.5 * (moments.num_rows - (1.0 - shrunk).sum() - misfit / noise)
    return float(value), gradient
