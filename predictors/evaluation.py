"""How well latencies are predicted, and how well two baselines do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation import scores
from blockprof.foundation.arrays import BoolArray, FloatArray
from blockprof.latency_data import LatencyData
from blockprof.predictors.features import convolution_macs, instance_counts
from blockprof.predictors.outliers import is_unexpected
from blockprof.predictors.prediction import Prediction, Predictor

if TYPE_CHECKING:
    import pandas as pd

TOP = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Errors of predicted latencies: relative ones, and shares of the rows, in percent.

    ``top10_overlap_percent`` is the share of the ten fastest networks that are among the ten predicted to be fastest
    (of fewer than 20 rows: the faster half). ``spearman`` and ``kendall`` (tau-b) are 0 where all predictions tie.
    """

    mape_percent: float
    rmse_ms: float
    within_5_percent: float
    within_10_percent: float
    spearman: float
    kendall: float
    top10_overlap_percent: float


@dataclass(frozen=True, slots=True)
class IntervalScores:
    """The share of rows that lie in their interval, and the mean width over the prediction, both in percent."""

    coverage_percent: float
    width_percent: float


@dataclass(frozen=True)
class Evaluation:
    """A predictor's scores on some rows, and those of the baselines fitted to the same training rows.

    ``baselines`` has ``flops_only``, linear in the multiply-adds of the blocks' convolutions, and ``mean_only``.
    ``is_outlier`` (N,) tells which rows are outliers to the predictor. They are in all scores but
    ``sound_mape_percent``, which is of the others.
    """

    num_rows: int
    scores: Scores
    interval: IntervalScores
    baselines: Mapping[str, Scores]
    is_outlier: BoolArray
    sound_mape_percent: float

    def flat(self, prefix: str) -> dict[str, float]:
        """Everything by a flat name: ``test.mape_percent``, ``test.interval.coverage_percent``,
        ``test.flops_only.mape_percent``.
        """
        parts: dict[str, Scores | IntervalScores] = {prefix: self.scores, f"{prefix}.interval": self.interval}
        parts |= {f"{prefix}.{name}": scores for name, scores in self.baselines.items()}
        values = {f"{part}.{name}": value for part, scores in parts.items() for name, value in asdict(scores).items()}
        return values | {
            f"{prefix}.num_outliers": int(self.is_outlier.sum()),
            f"{prefix}.mape_percent_without_outliers": self.sound_mape_percent,
        }


def evaluate(model: Predictor, train: LatencyData, rows: LatencyData) -> Evaluation:
    """Score ``model`` on ``rows``, beside baselines fitted to ``train``.

    Raises:
        MetricError: a resolution in ``rows`` that the model does not know.
    """
    prediction = model.predict(rows.archs, rows.resolutions)
    is_outlier = is_unexpected(rows.latencies_ms, prediction)
    return Evaluation(
        num_rows=len(rows),
        scores=score(rows.latencies_ms, prediction.latency_ms),
        interval=score_interval(rows.latencies_ms, prediction),
        baselines={
            "flops_only": score(rows.latencies_ms, flops_only(train, rows)),
            "mean_only": score(rows.latencies_ms, np.full(len(rows), train.latencies_ms.mean())),
        },
        is_outlier=is_outlier,
        sound_mape_percent=scores.mape_percent(rows.latencies_ms[~is_outlier], prediction.latency_ms[~is_outlier]),
    )


def score(measured_ms: FloatArray, predicted_ms: FloatArray) -> Scores:
    """Compare (N,) predictions with (N,) measurements."""
    both = measured_ms, predicted_ms
    within_5, within_10 = (scores.within_percent(*both, most) for most in scores.WITHIN)
    return Scores(
        mape_percent=scores.mape_percent(*both),
        rmse_ms=scores.rmse(*both),
        within_5_percent=within_5,
        within_10_percent=within_10,
        spearman=scores.spearman(*both, tied=0.0),
        kendall=scores.kendall(*both, tied=0.0),
        top10_overlap_percent=100 * scores.top_overlap(*both, min(TOP, max(1, len(measured_ms) // 2))),
    )


def score_interval(measured_ms: FloatArray, prediction: Prediction) -> IntervalScores:
    """Compare N intervals with (N,) measurements."""
    coverage = scores.coverage_percent(measured_ms, prediction.lower_ms, prediction.upper_ms)
    width = (prediction.upper_ms - prediction.lower_ms) / prediction.latency_ms
    return IntervalScores(coverage_percent=coverage, width_percent=100 * float(width.mean()))


def flops_only(train: LatencyData, rows: LatencyData) -> FloatArray:
    """(N,), ms: predictions of ``rows`` by least squares on ``train``: a constant, and a rate per multiply-add."""
    terms = np.column_stack([np.ones(len(train)), _convolution_macs(train)])
    weights = np.linalg.lstsq(terms, train.latencies_ms, rcond=None)[0]
    return np.asarray(weights[0] + weights[1] * _convolution_macs(rows))


def _convolution_macs(data: LatencyData) -> FloatArray:
    """(N,): multiply-adds of each network's convolutions, but for parts that all have, in millions."""
    counts, macs = instance_counts(data.archs)[:, :-1], np.empty(len(data))
    for resolution in np.unique(data.resolutions):
        rows = data.resolutions == resolution
        macs[rows] = counts[rows] @ convolution_macs(data.space, int(resolution))
    return macs / 1e6


def predicted_frame(data: LatencyData, prediction: Prediction) -> "pd.DataFrame":
    """The rows of ``data``, with what is predicted of them: ``predicted_ms``, ``lower_ms`` and ``upper_ms``."""
    return data.to_frame().assign(
        predicted_ms=prediction.latency_ms, lower_ms=prediction.lower_ms, upper_ms=prediction.upper_ms
    )
