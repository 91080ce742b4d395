"""Rows that the others say cannot be: left out of a fit, and named among the rows that it is tested on.

A row is left out where it is 1.5 times above or below what is predicted without it, or more, and its error is beyond
what one row in ten thousand would come to: of Student's t for the noise, and, as few networks tell the size of their
errors roughly, of Student's t with half as many degrees of freedom as there are networks for what is not known about
the costs. A value below its prediction is judged by the logarithm of their ratio, as no error is below -100 %. Rows
left out leave no trace in a fit: it is that of the file without them.

It starts from rows that are surely no outliers, found by concentration, as least trimmed squares does (Rousseeuw and
Van Driessen, Computing LTS Regression for Large Data Sets, 2006): those near the median, and of these the ones whose
left-out errors are like the median's. The others are then taken in again where the fit without them expects them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from blockprof.foundation.arrays import BoolArray, FloatArray
from blockprof.predictors.evidence import Rows
from blockprof.predictors.prediction import INTERVAL_LEVEL, Prediction
from blockprof.predictors.regression import (
    DEGREES_OF_FREEDOM,
    WIDENING,
    ARDPrior,
    Fit,
    LeftOut,
    fit_shrunk,
    predict_left_out,
    predict_unknown,
    refit_shrunk,
)

ONE_IN = 10_000
FAR = 4.0
"""Times the median distance from the median target, or the median error: rows farther off are no start."""
FEW_ROUNDS = 4
MANY_ROUNDS = 1
"""How often all rows are judged again. Of many rows the few tell most outliers, and one row more or less no longer
changes the fit."""
MAX_FEW = 200
MIN_SOUND = 5
LEAST_FACTOR = float(np.log(1.5))
"""Rows nearer to their prediction may be noise of a busy device: they are never left out, but count for little."""
LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class SoundFit:
    """A fit of the rows that are no outliers; ``is_sound`` (N,) says which of all rows these are."""

    fit: Fit
    is_sound: BoolArray


def fit_sound(rows: Rows, priors: Sequence[ARDPrior]) -> SoundFit:
    """Fit N rows, whose targets have the median 1, without the outliers among them. Which prior, a few rows decide."""
    few = np.unique(np.linspace(0, len(rows) - 1, MAX_FEW).round().astype(int))
    some = rows.select(few)

    def fit_few(sound: Rows, _: Fit | None = None) -> Fit:
        return fit_shrunk(sound, priors)

    is_near = _near_median(some.targets)
    start = fit_few(some.select(is_near))
    is_sound = _concentrated(start, some, is_near)
    if not np.array_equal(is_sound, is_near):
        start = fit_few(some.select(is_sound))
    found = _settle(some, SoundFit(start, is_sound), fit_few, FEW_ROUNDS)
    if len(few) == len(rows):
        return found
    is_sound = ~is_outlying(predict_unknown(found.fit, rows), len(few))
    return _settle(rows, SoundFit(refit_shrunk(rows.select(is_sound), found.fit), is_sound), refit_shrunk, MANY_ROUNDS)


def _near_median(targets: FloatArray) -> BoolArray:
    """(N,): at least half of the rows."""
    distances = np.abs(np.log(np.maximum(targets, LEAST)))
    return np.asarray(distances <= max(FAR * float(np.median(distances)), LEAST_FACTOR))


def _concentrated(fit: Fit, rows: Rows, is_known: BoolArray) -> BoolArray:
    """(N,): of the rows known to ``fit``, those with left-out errors like the median's, or too small for an outlier."""
    known = rows.select(is_known)
    found = predict_left_out(fit, known, np.arange(len(known)))
    errors = np.abs(found.errors)
    is_sound = is_known.copy()
    logs, _ = _relative_errors(found.targets, found.predicted)
    is_sound[is_known] = (errors <= FAR * np.median(errors)) | (np.abs(logs) <= LEAST_FACTOR)
    return is_sound


def _settle(rows: Rows, found: SoundFit, fit_rows: Callable[[Rows, Fit], Fit], rounds: int) -> SoundFit:
    """Judge all rows by a fit, and fit those that are sound, from the last fit, until it is the same ones that are."""
    for _ in range(rounds):
        is_sound = ~_outlying_rows(found.fit, rows, found.is_sound)
        if np.array_equal(is_sound, found.is_sound) or is_sound.sum() < MIN_SOUND:
            break
        found = SoundFit(fit_rows(rows.select(is_sound), found.fit), is_sound)
    return found


def _outlying_rows(fit: Fit, rows: Rows, is_known: BoolArray) -> BoolArray:
    """(N,): which rows are outliers, each as ``fit``, trained on those that are known, says without it."""
    known, unknown = rows.select(is_known), rows.select(~is_known)
    is_out = np.empty(len(rows), dtype=bool)
    is_out[is_known] = is_outlying(predict_left_out(fit, known, np.arange(len(known))), len(known))
    is_out[~is_known] = is_outlying(predict_unknown(fit, unknown), len(known))
    return is_out


def is_outlying(found: LeftOut, num_known: int) -> BoolArray:
    """(N,): which of N rows are outliers to a fit of ``num_known`` others."""
    of_noise, of_costs = _limit(DEGREES_OF_FREEDOM), _limit(num_known / 2)
    logs, errors = _relative_errors(found.targets, found.predicted)
    shares = found.variances / np.maximum(found.predicted, LEAST) ** 2
    limits = np.sqrt(of_noise**2 * found.noise_variance + of_costs**2 * WIDENING * shares)
    return _is_beyond(logs, errors, limits, limits)


def is_unexpected(measured_ms: FloatArray, prediction: Prediction) -> BoolArray:
    """(N,): which measurements are outliers to a predictor of whatever kind: by how far out of their interval they are.

    The interval is taken to be that of Student's t.
    """
    expected = np.maximum(prediction.latency_ms, LEAST)
    farther = _limit(DEGREES_OF_FREEDOM) / -stdtrit(DEGREES_OF_FREEDOM, (1 - INTERVAL_LEVEL) / 2)
    below, above = 1 - prediction.lower_ms / expected, prediction.upper_ms / expected - 1
    return _is_beyond(*_relative_errors(measured_ms, expected), farther * below, farther * above)


def _limit(degrees_of_freedom: float) -> float:
    return -float(stdtrit(degrees_of_freedom, 0.5 / ONE_IN))


def _relative_errors(values: FloatArray, predicted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N,) each: the logarithms of the values over the predictions, and the relative errors; logarithms below 0."""
    logs = np.log(np.maximum(values, LEAST) / np.maximum(predicted, LEAST))
    return logs, np.where(logs < 0, logs, np.expm1(logs))


def _is_beyond(logs: FloatArray, errors: FloatArray, below: FloatArray, above: FloatArray) -> BoolArray:
    return np.asarray((np.abs(logs) > LEAST_FACTOR) & ((errors < -below) | (errors > above)))
