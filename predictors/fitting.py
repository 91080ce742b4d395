"""Fit the blockwise predictor to measured networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit
from threadpoolctl import threadpool_limits

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.foundation.errors import DataFileError
from blockprof.foundation.folds import NUM_FOLDS, leave_out
from blockprof.latency_data import LatencyData
from blockprof.predictors.blockwise import BlockwiseModel, pack_symmetric
from blockprof.predictors.evidence import Rows
from blockprof.predictors.features import Features, build_features
from blockprof.predictors.outliers import MAX_FEW, fit_sound
from blockprof.predictors.prediction import INTERVAL_LEVEL
from blockprof.predictors.regression import (
    DEGREES_OF_FREEDOM,
    ARDPrior,
    Fit,
    fit_shrunk,
    predict_left_out,
    predict_unknown,
    refit_shrunk,
)
from blockprof.spaces import Space

MIN_NETWORKS = 5
MAX_VERY_FEW = 60
OUTLYING = 8.0
ASSUMED_ERRORS = 10
MOST_OFF = 5.0
"""On the public files, a median row is 1.1 to 1.3 times above or below what its totals let expect, and none 4 times."""

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


@dataclass(frozen=True, eq=False)
class BlockwiseFit:
    """A predictor, and which of N rows it is fitted to, ``is_sound`` (N,); the others are outliers."""

    model: BlockwiseModel
    is_sound: BoolArray


def fit_blockwise(data: LatencyData, metric: str, resolutions: IntArray | None = None) -> BlockwiseModel:
    """The predictor of :func:`fit_sound_rows`."""
    return fit_sound_rows(data, metric, resolutions).model


def fit_sound_rows(data: LatencyData, metric: str, resolutions: IntArray | None = None) -> BlockwiseFit:
    """Fit a cost to each block instance, from the rows of ``data`` but for outliers. The same rows give the same model.

    The model knows the resolutions that it was given and those in ``resolutions``, any shape. Where these are
    several, it also knows all of the space's between the smallest and the largest.

    Raises:
        DataFileError: fewer than 5 different networks, or latencies that have nothing to do with their networks.
    """
    _check_number(data, "to train on")
    asked = data.resolutions if resolutions is None else np.union1d(data.resolutions, resolutions)
    features = build_features(data.space, known_resolutions(data.space, asked))
    # The matrices are small: more threads gain little, and where other work keeps the cores busy they lose a lot.
    with threadpool_limits(limits=1, user_api="blas"):
        rows, scale = scaled_rows(features, data)
        priors = ard_priors(features)
        found = fit_sound(rows, priors)
        fit, sound = found.fit, data.select(found.is_sound)
        _check_number(sound, "whose latencies go together")
        errors = calibrated_errors(rows.select(found.is_sound), priors, fit, sound.network_of)
        lower, upper = interval_quantiles(errors, sound.num_networks)
        covariances = np.stack([phi @ fit.covariance @ phi.T for phi in features.phi])
    model = BlockwiseModel(
        space=data.space,
        metric=metric,
        device=data.device,
        num_nets=sound.num_networks,
        resolutions=features.resolutions,
        costs=scale * (features.phi @ fit.mean),
        covariances=scale**2 * pack_symmetric(covariances),
        noise_sd=float(np.sqrt(fit.noise_variance)),
        lower_quantile=lower,
        upper_quantile=upper,
    )
    return BlockwiseFit(model, found.is_sound)


def scaled_rows(features: Features, data: LatencyData) -> tuple[Rows, float]:
    """Rows over what their totals let expect, so that all count alike, and the scale, ms, that makes the median 1.

    Raises:
        DataFileError: half of the latencies are farther from what is expected than any device's.
    """
    design = features.of(data.archs, data.resolutions)
    expected = expected_latencies(design, features)
    ratios = data.latencies_ms / expected
    scale = float(np.median(ratios))
    targets = ratios / scale
    off = float(np.exp(np.median(np.abs(np.log(targets)))))
    if off > MOST_OFF:
        raise DataFileError(
            f"half of the {len(data):,} latencies are {off:.3g} times and more above or below what the sizes of their "
            "networks suggest",
            remedy="check the column of units, and that each latency stands beside its network",
            code="strange-latencies",
        )
    return Rows(design / expected[:, None], targets, features.group_of), scale


def expected_latencies(design: FloatArray, features: Features) -> FloatArray:
    """(N,): what the totals of N rows (N, F) let expect; the mean over networks and resolutions is near 1."""
    return np.asarray(design[:, features.group_of == features.groups.index("totals")].mean(axis=1))


def _check_number(data: LatencyData, which: str) -> None:
    if data.num_networks < MIN_NETWORKS:
        raise DataFileError(
            f"{data.num_networks} different networks {which}: at least {MIN_NETWORKS} are needed", code="few-networks"
        )


def known_resolutions(space: Space, resolutions: IntArray) -> IntArray:
    """Those given, and where these are several, all of the space's between the smallest and the largest."""
    known = np.unique(resolutions)
    if len(known) == 1:
        return known
    return np.union1d(known, [one for one in space.resolutions if known[0] < one < known[-1]])


def ard_priors(features: Features) -> list[ARDPrior]:
    """Of a smooth, a layered and a stepped device."""
    tables = [[table[name] for name in (*features.groups, "noise")] for table in (SMOOTH, LAYERED, STEPPED)]
    return [ARDPrior(log_centre=values[:, 0], log_spread=values[:, 1]) for values in np.array(tables)]


def calibrated_errors(rows: Rows, priors: Sequence[ARDPrior], fit: Fit, network_of: IntArray) -> FloatArray:
    """(N,): standardised errors of the rows, as if ``fit``, made under one of ``priors``, did not know their networks.

    With a few rows the strengths are themselves fitted to the noise, and with very few so is the choice of the prior:
    these are then found again without each fold. Folds are small: around 50 rows a fifth less would leave a fit that
    knows far less, and says so, where the whole fit is too sure.
    """
    num_networks = int(network_of.max()) + 1
    if num_networks > MAX_FEW:
        return predict_left_out(fit, rows, network_of).errors
    refits = len(rows) <= MAX_VERY_FEW

    def errors_of(held: BoolArray) -> tuple[FloatArray]:
        known = rows.select(~held)
        others = fit_shrunk(known, priors) if refits else refit_shrunk(known, fit)
        return (predict_unknown(others, rows.select(held)).errors,)

    (errors,) = leave_out(network_of % min(NUM_FOLDS, num_networks), errors_of)
    return np.asarray(errors)


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
    size = np.abs(errors).mean() * stdtrit(num_networks / 2, tail) / ndtri(tail)
    assumed = stdtrit(DEGREES_OF_FREEDOM, (np.arange(ASSUMED_ERRORS) + 0.5) / ASSUMED_ERRORS)
    everything = np.concatenate([errors, size * assumed])
    lower, upper = np.quantile(everything, [tail, 1 - tail], method="median_unbiased")
    return float(lower), float(upper)
