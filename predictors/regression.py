"""Bayesian linear regression with one shrinkage strength a group of features and a heavy-tailed likelihood.

The strengths maximise the evidence (type-II maximum likelihood: MacKay, Bayesian Interpolation, 1992) times a
log-normal prior on each, which decides where a few rows cannot. The likelihood is Student's t, as a scale mixture of
Gaussians, by iterative reweighting (Lange, Little and Taylor, 1989).

Rows are divided by what they should give, so a row's features times the weights should give 1: errors are relative.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import stdtrit

from blockprof.predictors.evidence import ByFeatures, ByRows, quicker_form
from blockprof.predictors.prediction import INTERVAL_LEVEL
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


def left_out_errors(fit: Fit, design: FloatArray, group_of_row: IntArray) -> FloatArray:
    """(N,): the same for the rows that it was trained on, each as if left out, the strengths unchanged.

    Rows of the same number in ``group_of_row`` (N,) are left out together.
    """
    residuals, deviations = _left_out(fit, design, group_of_row)
    return residuals / deviations


def honest_widening(lower_quantile: float, upper_quantile: float) -> float:
    """How many times wider than a fit says the variances of its weights are.

    The fit takes the weights of the rows as known. They are found from the data, which leaves Student's t with
    (d + 1) / (d + 3) of the information (Lange, Little and Taylor, 1989): variances are wider by the inverse. And where
    its standardised errors on networks left out, 90 % of which lie between the two quantiles, are larger than it says,
    by their ratio.
    """
    said = 2 * stdtrit(DEGREES_OF_FREEDOM, 0.5 + INTERVAL_LEVEL / 2)
    ratio = max((upper_quantile - lower_quantile) / said, 1.0)
    return float(ratio**2 * (DEGREES_OF_FREEDOM + 3) / (DEGREES_OF_FREEDOM + 1))


def _left_out(fit: Fit, design: FloatArray, group_of_row: IntArray) -> tuple[FloatArray, FloatArray]:
    """(N,): the residual of each training row had its group been left out, and its standard deviation.

    What a group's rows tell is taken out of the posterior in closed form: with the covariance V of what it says of
    them and their precisions D, residuals are (1 - V D)^-1 of what they are, and V becomes (1 - V D)^-1 V.
    """
    residuals, variances = np.empty(len(design)), np.empty(len(design))
    raw, spread = 1.0 - design @ fit.mean, design @ fit.covariance
    roots = np.sqrt(fit.row_weights / fit.noise_variance)
    order = np.argsort(group_of_row, kind="stable")
    sizes = np.bincount(group_of_row)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[sizes > 0]):
        rows = order[starts[sizes == size][:, None] + np.arange(size)]
        root = roots[rows]
        shares, axes = np.linalg.eigh(root[:, :, None] * (spread[rows] @ design[rows].mT) * root[:, None, :])
        shares = np.clip(shares, 0.0, 0.99)
        along = (axes.mT @ (root * raw[rows])[..., None])[..., 0]
        residuals[rows] = (axes @ (along / (1.0 - shares))[..., None])[..., 0] / root
        variances[rows] = (axes**2 @ (shares / (1.0 - shares))[..., None])[..., 0] / root**2
    return residuals, _deviations(residuals, variances, fit.noise_variance)


def _left_out_loss(fit: Fit, design: FloatArray) -> float:
    """Minus the mean log density of the training rows, each as if left out, but for a constant."""
    residuals, deviations = _left_out(fit, design, np.arange(len(design)))
    tails = 0.5 * (DEGREES_OF_FREEDOM + 1) * np.log1p((residuals / deviations) ** 2 / DEGREES_OF_FREEDOM)
    return float((tails + np.log(deviations)).mean())


def _reweight(design: FloatArray, group_of: IntArray, prior: StrengthPrior, logs: FloatArray) -> Fit:
    """Alternate between the strengths and the weights of the rows."""
    form = quicker_form(design, group_of)
    logs = _maximise_evidence(form, prior, logs, ITERATIONS[0])
    for iterations in ITERATIONS[1:]:
        predicted, variances = form.fitted(logs)
        squares = (1.0 - predicted) ** 2 + variances
        form = form.reweighted((DEGREES_OF_FREEDOM + 1) / (DEGREES_OF_FREEDOM + squares / np.exp(logs[-1])))
        logs = _maximise_evidence(form, prior, logs, iterations)
    return Fit(*form.posterior(logs), prior, logs, form.row_weights)


def _deviations(residuals: FloatArray, variances: FloatArray, noise: float) -> FloatArray:
    """(N,): standard deviations of relative errors; the noise is in proportion to what is predicted."""
    return np.sqrt(noise * (1.0 - residuals) ** 2 + variances)


def _variances(design: FloatArray, covariance: FloatArray) -> FloatArray:
    return np.asarray(((design @ covariance) * design).sum(axis=1))


def _maximise_evidence(
    form: ByFeatures | ByRows, prior: StrengthPrior, start: FloatArray, iterations: int
) -> FloatArray:
    found = minimize(
        _loss,
        start,
        args=(form, prior),
        jac=True,
        method="L-BFGS-B",
        bounds=[LOG_BOUNDS] * len(start),
        options={"maxiter": iterations, "ftol": 1e-6},
    )
    return np.asarray(found.x)


def _loss(logs: FloatArray, form: ByFeatures | ByRows, prior: StrengthPrior) -> tuple[float, FloatArray]:
    """Minus the log evidence and log prior at the log variances ``logs`` (G + 1,), and the gradient."""
    value, gradient = form.loss(logs)
    offset = (logs - prior.log_centre) / prior.log_spread
    return value + 0.5 * float(offset @ offset), gradient + offset / prior.log_spread
