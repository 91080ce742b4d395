"""Fit the blockwise predictor to measured networks."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t
from threadpoolctl import threadpool_limits

from blockprof.errors import DataFileError
from blockprof.latency_data import LatencyData
from blockprof.predictors.blockwise import BlockwiseModel, pack_symmetric
from blockprof.predictors.features import Features, build_features
from blockprof.predictors.prediction import INTERVAL_LEVEL
from blockprof.predictors.regression import (
    DEGREES_OF_FREEDOM,
    Fit,
    StrengthPrior,
    fit_shrunk,
    left_out_errors,
    refit_shrunk,
    standardised_errors,
)
from blockprof.spaces import FloatArray, IntArray, Space

MIN_NETWORKS = 5
NUM_FOLDS = 10
MAX_FEW = 200
MAX_VERY_FEW = 60
OUTLYING = 8.0
ASSUMED_ERRORS = 10

SMOOTH = {
    "base": (-4.5, 1.0),
    "totals": (-2.5, 1.0),
    "kinds": (-7.5, 1.5),
    "other_areas": (-7.5, 1.5),
    "block_types": (-9.0, 1.5),
    "units": (-9.0, 1.5),
    "instances": (-8.7, 1.5),
    "instances_large_kernel": (-8.7, 1.5),
    "instances_by_area": (-8.0, 1.5),
    "resolutions": (-9.0, 2.0),
    "noise": (-7.5, 2.0),
}
"""Log variances, and how sure they are, of a device whose costs follow the totals: most GPUs.

The centres are near what 300 to 4,500 networks teach on the public data (four GPUs, a CPU and two NPUs); only with
fewer networks do they matter.
"""

LAYERED = SMOOTH | {"units": (-1.0, 0.7)}
"""The same of a device whose rates differ from unit to unit, as sizes fit its caches or not: CPUs."""

STEPPED = SMOOTH | {
    "totals": (-3.5, 1.0),
    "kinds": (-4.0, 1.5),
    "other_areas": (-6.0, 2.0),
    "block_types": (-5.0, 2.0),
    "units": (-7.0, 2.0),
    "instances": (-7.0, 2.0),
    "instances_large_kernel": (0.5, 1.5),
    "instances_by_area": (-5.0, 2.0),
}
"""The same of a device that runs some blocks far slower than their size says: an NPU off its fast path."""


def fit_blockwise(data: LatencyData, metric: str, resolutions: IntArray | None = None) -> BlockwiseModel:
    """Fit a cost to each block instance, from all rows of ``data``. The same rows give the same model.

    The model knows the resolutions that it was trained on and those in ``resolutions``, any shape. Where these are
    several, it also knows all of the space's between the smallest and the largest.

    Raises:
        DataFileError: fewer than 5 different networks.
    """
    if data.num_networks < MIN_NETWORKS:
        raise DataFileError(f"{data.num_networks} different networks to train on: at least {MIN_NETWORKS} are needed")
    asked = data.resolutions if resolutions is None else np.union1d(data.resolutions, resolutions)
    features = build_features(data.space, known_resolutions(data.space, asked))
    scale = float(np.median(data.latencies_ms))
    # The matrices are small: more threads gain little, and where other work keeps the cores busy they lose a lot.
    with threadpool_limits(limits=1, user_api="blas"):
        design = features.of(data.archs, data.resolutions) * (scale / data.latencies_ms)[:, None]
        few = np.unique(np.linspace(0, len(design) - 1, MAX_FEW).round().astype(int))
        priors = strength_priors(features)
        fit = fit_shrunk(design[few], features.group_of, priors)
        if len(few) < len(design):
            fit = refit_shrunk(design, features.group_of, fit)
        errors = honest_errors(design, features.group_of, priors, fit, data.network_of)
        lower, upper = interval_quantiles(errors, data.num_networks)
        covariances = np.stack([phi @ fit.covariance @ phi.T for phi in features.phi])
    return BlockwiseModel(
        space=data.space,
        metric=metric,
        device=data.device,
        num_nets=data.num_networks,
        resolutions=features.resolutions,
        costs=scale * (features.phi @ fit.mean),
        covariances=scale**2 * pack_symmetric(covariances),
        noise_sd=float(np.sqrt(fit.noise_variance)),
        lower_quantile=lower,
        upper_quantile=upper,
    )


def known_resolutions(space: Space, resolutions: IntArray) -> IntArray:
    """Those given, and where these are several, all of the space's between the smallest and the largest."""
    known = np.unique(resolutions)
    if len(known) == 1:
        return known
    return np.union1d(known, [one for one in space.resolutions if known[0] < one < known[-1]])


def strength_priors(features: Features) -> list[StrengthPrior]:
    """Of a smooth, a layered and a stepped device."""
    tables = [[table[name] for name in (*features.groups, "noise")] for table in (SMOOTH, LAYERED, STEPPED)]
    return [StrengthPrior(log_centre=values[:, 0], log_spread=values[:, 1]) for values in np.array(tables)]


def honest_errors(
    design: FloatArray, group_of: IntArray, priors: Sequence[StrengthPrior], fit: Fit, network_of: IntArray
) -> FloatArray:
    """(N,): standardised errors of the rows, as if ``fit``, made under one of ``priors``, did not know their networks.

    With a few rows the strengths are themselves fitted to the noise, and with very few so is the choice of the prior:
    these are then found anew without each fold. Folds are small: around 50 rows a fifth less would leave a fit that
    knows far less, and says so, where the whole fit is too sure.
    """
    num_networks = int(network_of.max()) + 1
    if num_networks > MAX_FEW:
        return left_out_errors(fit, design, network_of)
    errors = np.empty(len(design))
    num_folds, anew = min(NUM_FOLDS, num_networks), len(design) <= MAX_VERY_FEW
    for fold in range(num_folds):
        held = network_of % num_folds == fold
        rows = design[~held]
        others = fit_shrunk(rows, group_of, priors) if anew else refit_shrunk(rows, group_of, fit)
        errors[held] = standardised_errors(others, design[held])
    return errors


def interval_quantiles(errors: FloatArray, num_networks: int) -> tuple[float, float]:
    """The quantiles of (N,) standardised errors, of ``num_networks`` networks, that bound 90 % of evaluations.

    A few say little about the tails, so ten quantiles of the likelihood are counted with them, at the mean size of the
    errors (that of the likelihood, Student's t with 4 degrees of freedom, is 1). They do not tell their size well
    either: the mean size of n such errors is as uncertain as a standard deviation of n / 2 degrees of freedom, so the
    ten are wider as Student's t with as many is than the normal. An outlier counts as 8 times the median error: one
    among a few says that there are some, not how far the others lie.
    """
    tail = (1 - INTERVAL_LEVEL) / 2
    limit = OUTLYING * np.median(np.abs(errors))
    errors = np.clip(errors, -limit, limit)
    size = np.abs(errors).mean() * student_t.ppf(tail, num_networks / 2) / norm.ppf(tail)
    assumed = student_t.ppf((np.arange(ASSUMED_ERRORS) + 0.5) / ASSUMED_ERRORS, DEGREES_OF_FREEDOM)
    everything = np.concatenate([errors, size * assumed])
    lower, upper = np.quantile(everything, [tail, 1 - tail], method="median_unbiased")
    return float(lower), float(upper)
