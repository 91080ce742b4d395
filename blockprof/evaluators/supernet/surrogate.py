"""The additive surrogate of accuracy: a cost for each placement, fitted to a pool of evaluated networks."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from blockprof.evaluators.pooling import MIN_POOL
from blockprof.evaluators.supernet.features import PlacementFeatures, placement_features
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.folds import leave_out, random_folds
from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.predictors.evidence import Rows
from blockprof.predictors.fitting import calibrated_errors, interval_quantiles
from blockprof.predictors.outliers import fit_sound
from blockprof.predictors.regression import ARDPrior, calibrated_widening
from blockprof.profiling import HeldOut, Surrogate
from blockprof.spaces import Architectures
from blockprof.spaces.expectation import network_counts

UNIT_DEVIATIONS = 50.0
"""The regression takes values near 1 and gives each error relative to its value: accuracies are moved and scaled so
that their median is 1 and their standard deviation 1 / 50: there relative errors are absolute ones to a few percent.
"""
NORMAL_DEVIATION = 1.4826
"""The standard deviation over the median distance from the median, of a normal distribution."""

STRENGTHS = {
    "base": (0.0, 2.0),
    "layers": (-10.0, 1.0),
    "unit_layers": (-12.0, 1.0),
    "slots": (-11.0, 1.0),
    "kinds": (-13.0, 1.0),
    "unit_kinds": (-13.8, 1.0),
    "blocks": (-16.0, 1.0),
    "placements": (-13.3, 0.7),
    "widths": (-11.0, 1.0),
    "stem_parts": (-12.0, 1.0),
    "stems": (-15.0, 1.0),
    "noise": (-11.5, 2.0),
}
"""Log variances of scaled weights, and how sure they are. The centres are near what 3,800 networks teach of the
reference tables of ``pn`` and ``mbv3`` and of OFA's accuracy predictor; what only ``resnet50`` has is a guess in their
likeness. Only with few networks do they matter.
"""


@dataclass(frozen=True, eq=False)
class _Fitted:
    """The posterior of K costs and, last, the base, (K + 1,) and (K + 1, K + 1); ``noise_sd`` is of a network.

    Over the standard deviation of noise and costs together, 90 % of errors lie between the two quantiles.
    """

    costs: FloatArray
    covariance: FloatArray
    noise_sd: float
    lower_quantile: float
    upper_quantile: float

    def predict(self, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """(N,) each: the prediction of N networks, the bounds of its 90 % interval, the variance that is the costs'."""
        predicted = counts @ self.costs
        variances = ((counts @ self.covariance) * counts).sum(axis=1)
        deviations = np.sqrt(variances + self.noise_sd**2)
        lower, upper = (predicted + quantile * deviations for quantile in (self.lower_quantile, self.upper_quantile))
        return predicted, lower, upper, variances * calibrated_widening(self.lower_quantile, self.upper_quantile)


def fit_accuracy_surrogate(
    archs: Architectures, values: FloatArray, info: MetricInfo, *, seed: int = 0, resolution: int | None = None
) -> Surrogate:
    """Fit an accuracy that is additive by placement to all of a pool; ten folds, each left out in turn, check it.

    Bayesian linear regression on :func:`placement_features`, with one shrinkage strength a group, by evidence
    (``blockprof.predictors.regression``). What no sum of placements explains counts as noise. Errors are absolute.

    Args:
        archs: N networks, all different.
        values: (N,) what they were evaluated to, in ``info.unit``.
        info: what they were evaluated for.
        seed: of which networks are left out together.
        resolution: that they were evaluated at, in pixels; None where it makes no difference.

    Raises:
        InputError: too few networks.
    """
    if len(archs) < MIN_POOL:
        raise InputError(f"{len(archs)} networks: a surrogate takes at least {MIN_POOL}", code="few-networks")
    features = placement_features(archs.space)
    counts = network_counts(archs, "placement")
    # The matrices are small: more threads gain little, and where other work keeps the cores busy they lose a lot.
    with threadpool_limits(limits=1, user_api="blas"):
        fitted = _fit(features, counts, values)
        predicted, lower, upper, variances = leave_out(
            random_folds(len(archs), seed),
            lambda held: _fit(features, counts[~held], values[~held]).predict(counts[held]),
        )
    widening = calibrated_widening(fitted.lower_quantile, fitted.upper_quantile)
    return Surrogate(
        metric=AdditiveMetric(
            info=info,
            space=archs.space,
            base=float(fitted.costs[-1]),
            costs=fitted.costs[:-1],
            by="placement",
            covariance=widening * fitted.covariance,
            resolution=resolution,
        ),
        num_networks=len(archs),
        check=HeldOut(
            networks=tuple(archs.to_strings()),
            values=values,
            predicted=predicted,
            lower=lower,
            upper=upper,
            deviations=np.sqrt(variances),
            repeatability_percent=float("nan"),
            relative=False,
        ),
    )


def _fit(features: PlacementFeatures, counts: FloatArray, values: FloatArray) -> _Fitted:
    centre = float(np.median(values))
    spread = NORMAL_DEVIATION * float(np.median(np.abs(values - centre)))
    scale = UNIT_DEVIATIONS * (spread if spread > 0 else 1.0)
    rows = Rows(counts @ features.phi, 1 + (values - centre) / scale, features.group_of)
    chosen = np.array([STRENGTHS[name] for name in (*features.groups, "noise")])
    priors = [ARDPrior(log_centre=chosen[:, 0], log_spread=chosen[:, 1])]
    found = fit_sound(rows, priors)
    fit, sound = found.fit, rows.select(found.is_sound)
    errors = calibrated_errors(sound, priors, fit, np.arange(len(sound)))
    costs = scale * (features.phi @ fit.mean)
    costs[-1] += centre - scale
    covariance = scale**2 * features.phi @ fit.covariance @ features.phi.T
    return _Fitted(
        costs, covariance, scale * float(np.sqrt(fit.noise_variance)), *interval_quantiles(errors, len(sound))
    )
