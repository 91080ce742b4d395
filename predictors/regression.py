"""Bayesian linear regression with one shrinkage strength a group of features and a heavy-tailed likelihood.

The strengths maximise the evidence (type-II maximum likelihood: MacKay, Bayesian Interpolation, 1992) times a
log-normal prior on each, which decides where a few rows cannot. The likelihood is Student's t, as a scale mixture of
Gaussians, by iterative reweighting (Lange, Little and Taylor, 1989).

Errors are relative to a row's own value, as far as that is near what is predicted without the row, else to that: a
value that is far too low would have all the weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import stdtrit

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.predictors.evidence import Dual, Primal, Rows, quicker_form
from blockprof.predictors.prediction import INTERVAL_LEVEL

DEGREES_OF_FREEDOM = 4.0
ITERATIONS = (15, 5, 5, 5, 5, 5)
"""Steps towards the best strengths, between one weighting of the rows and the next."""
MOST_LEVEL = 5.0
"""Rows are scaled so that the targets are near 1: predictions farther off than this many times are not believed."""
MOST_OWN = 1.5
"""Errors are relative to the row's own value, as scores are, but to none farther off its prediction than this."""
MOST_SHARE = 0.99
"""Of what is known about a row, the most that may be taken to come from the row itself."""
WIDENING = (DEGREES_OF_FREEDOM + 3) / (DEGREES_OF_FREEDOM + 1)
"""Of the variances of the weights: a fit takes the weights of the rows as known. They are found from the data, which
leaves Student's t with the inverse of this of the information (Lange, Little and Taylor, 1989)."""
LOG_BOUNDS = (-18.0, 4.0)
"""Of the variances: relative errors from 0.01 %, and no farther apart than double precision can solve."""


@dataclass(frozen=True, eq=False)
class ARDPrior:
    """Log-normal priors: of each group's weight variance, then, last, of the noise variance. Arrays are (G + 1,)."""

    log_centre: FloatArray
    log_spread: FloatArray


@dataclass(frozen=True, eq=False)
class Fit:
    """The posterior of the weights.

    ``mean`` is (F,) and ``covariance`` (F, F). ``log_variances`` (G + 1,) are what was found under ``prior``;
    ``row_weights`` (N,) are the precisions of the training rows' targets, times the noise variance.
    """

    mean: FloatArray
    covariance: FloatArray
    prior: ARDPrior
    log_variances: FloatArray
    row_weights: FloatArray

    @property
    def noise_variance(self) -> float:
        return float(np.exp(self.log_variances[-1]))


def fit_shrunk(rows: Rows, priors: Sequence[ARDPrior]) -> Fit:
    """Fit N rows, whose targets are near 1, under the one of ``priors`` that predicts left-out rows best."""
    fits = [_reweight(rows, prior, prior.log_centre) for prior in priors]
    return min(fits, key=lambda fit: _left_out_loss(fit, rows))


def refit_shrunk(rows: Rows, fit: Fit) -> Fit:
    """Fit other rows of the same kind, starting from the strengths of ``fit``."""
    return _reweight(rows, fit.prior, fit.log_variances)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What a fit that does not know N rows says of them.

    (N,) each: the ``targets``, what is ``predicted`` of them, and the ``variances`` of that, which are the weights'.
    ``noise_variance`` is of the targets over what is predicted.
    """

    targets: FloatArray
    predicted: FloatArray
    variances: FloatArray
    noise_variance: float

    @property
    def deviations(self) -> FloatArray:
        """(N,): the standard deviations of the targets; the noise is in proportion to what is predicted."""
        return np.sqrt(self.noise_variance * self.predicted**2 + self.variances)

    @property
    def errors(self) -> FloatArray:
        """(N,): errors over the standard deviations."""
        return (self.targets - self.predicted) / self.deviations


def predict_unknown(fit: Fit, rows: Rows) -> LeftOut:
    """What ``fit`` says of rows that it was not trained on."""
    return LeftOut(rows.targets, rows.design @ fit.mean, _variances(rows.design, fit.covariance), fit.noise_variance)


def predict_left_out(fit: Fit, rows: Rows, group_of_row: IntArray) -> LeftOut:
    """What ``fit`` would say of the rows that it was trained on had each been left out, the strengths unchanged.

    Rows of the same number in ``group_of_row`` (N,) are left out together. What a group's rows tell is taken out of the
    posterior in closed form: with the covariance V of what it says of them and their precisions D, residuals are
    (1 - V D)^-1 of what they are, and V becomes (1 - V D)^-1 V.
    """
    residuals, variances = np.empty(len(rows)), np.empty(len(rows))
    raw, spread = rows.targets - rows.design @ fit.mean, rows.design @ fit.covariance
    roots = np.sqrt(fit.row_weights / fit.noise_variance)
    order = np.argsort(group_of_row, kind="stable")
    sizes = np.bincount(group_of_row)
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[sizes > 0]):
        group = order[starts[sizes == size][:, None] + np.arange(size)]
        root = roots[group]
        shares, axes = np.linalg.eigh(root[:, :, None] * (spread[group] @ rows.design[group].mT) * root[:, None, :])
        shares = np.clip(shares, 0.0, MOST_SHARE)
        along = (axes.mT @ (root * raw[group])[..., None])[..., 0]
        residuals[group] = (axes @ (along / (1.0 - shares))[..., None])[..., 0] / root
        variances[group] = (axes**2 @ (shares / (1.0 - shares))[..., None])[..., 0] / root**2
    return LeftOut(rows.targets, rows.targets - residuals, variances, fit.noise_variance)


def calibrated_widening(lower_quantile: float, upper_quantile: float) -> float:
    """How many times wider than a fit says the variances of its weights are.

    By :data:`WIDENING`; and where its standardised errors on networks left out, 90 % of which lie between the two
    quantiles, are larger than it says, by their ratio.
    """
    said = 2 * stdtrit(DEGREES_OF_FREEDOM, 0.5 + INTERVAL_LEVEL / 2)
    ratio = max((upper_quantile - lower_quantile) / said, 1.0)
    return float(ratio**2 * WIDENING)


def _left_out_loss(fit: Fit, rows: Rows) -> float:
    """Minus the mean log density of the training rows, each as if left out, but for a constant."""
    found = predict_left_out(fit, rows, np.arange(len(rows)))
    tails = 0.5 * (DEGREES_OF_FREEDOM + 1) * np.log1p(found.errors**2 / DEGREES_OF_FREEDOM)
    return float((tails + np.log(found.deviations)).mean())


def _reweight(rows: Rows, prior: ARDPrior, logs: FloatArray) -> Fit:
    """Alternate between the strengths and the weights of the rows."""
    form = quicker_form(rows)
    logs = _maximise_evidence(form, prior, logs, ITERATIONS[0])
    for iterations in ITERATIONS[1:]:
        form = form.reweighted(_row_weights(form, logs))
        logs = _maximise_evidence(form, prior, logs, iterations)
    return Fit(*form.posterior(logs), prior, logs, form.row_weights)


def _row_weights(form: Primal | Dual, logs: FloatArray) -> FloatArray:
    """(N,): the expected precisions of the rows, by their relative errors."""
    noise = float(np.exp(logs[-1]))
    targets = form.rows.targets
    predicted, variances = form.fitted(logs)
    shares = np.clip(variances * form.row_weights / noise, 0.0, MOST_SHARE)
    left_out = np.clip(targets - (targets - predicted) / (1.0 - shares), 1.0 / MOST_LEVEL, MOST_LEVEL)
    levels = np.clip(targets, left_out / MOST_OWN, left_out * MOST_OWN)
    squares = ((targets - predicted) ** 2 + variances) / levels**2
    return np.asarray((DEGREES_OF_FREEDOM + 1) / (DEGREES_OF_FREEDOM + squares / noise) / levels**2)


def _variances(design: FloatArray, covariance: FloatArray) -> FloatArray:
    return np.asarray(((design @ covariance) * design).sum(axis=1))


def _maximise_evidence(form: Primal | Dual, prior: ARDPrior, start: FloatArray, iterations: int) -> FloatArray:
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


def _loss(logs: FloatArray, form: Primal | Dual, prior: ARDPrior) -> tuple[float, FloatArray]:
    """Minus the log evidence and log prior at the log variances ``logs`` (G + 1,), and the gradient."""
    value, gradient = form.loss(logs)
    offset = (logs - prior.log_centre) / prior.log_spread
    return value + 0.5 * float(offset @ offset), gradient + offset / prior.log_spread
