"""A predictor tested on every network by leaving each out in turn, where the test networks are few."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from blockprof.foundation.arrays import BoolArray, FloatArray
from blockprof.foundation.folds import leave_out, random_folds
from blockprof.foundation.listener import SILENT, Listener, Part
from blockprof.foundation.scores import mape_percent
from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import (
    IntervalScores,
    Scores,
    predicted_frame,
    score,
    score_interval,
)
from blockprof.predictors.kinds import DEFAULT_KIND, TrainingOptions, TrainingTask, check_options
from blockprof.predictors.outliers import is_unexpected
from blockprof.predictors.prediction import Prediction

if TYPE_CHECKING:
    import pandas as pd

FEW_TEST_NETWORKS = 30
"""Scores of fewer test networks are rough: even 30 tell the share inside 90 % intervals to within 11 points only."""


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """``prediction``, (N,), of the rows of ``data``, each by a predictor trained on the other folds' networks."""

    data: LatencyData
    prediction: Prediction

    @property
    def scores(self) -> Scores:
        """Errors over all rows."""
        return score(self.data.latencies_ms, self.prediction.latency_ms)

    @property
    def interval(self) -> IntervalScores:
        """Coverage over all rows, and mean width of the intervals."""
        return score_interval(self.data.latencies_ms, self.prediction)

    @cached_property
    def is_outlier(self) -> BoolArray:
        """(N,): which rows are outliers to the predictor that did not know them. They are in the scores."""
        return is_unexpected(self.data.latencies_ms, self.prediction)

    @property
    def sound_mape_percent(self) -> float:
        """The error over the rows that are no outliers."""
        is_sound = ~self.is_outlier
        return mape_percent(self.data.latencies_ms[is_sound], self.prediction.latency_ms[is_sound])

    def flat(self) -> dict[str, float]:
        """Everything by a flat name: ``cv.mape_percent``, ``cv.interval.coverage_percent``, ``cv.num_networks``."""
        values = {f"cv.{name}": value for name, value in asdict(self.scores).items()}
        values |= {f"cv.interval.{name}": value for name, value in asdict(self.interval).items()}
        values["cv.mape_percent_without_outliers"] = self.sound_mape_percent
        return {"cv.num_networks": self.data.num_networks, "cv.num_outliers": int(self.is_outlier.sum()), **values}

    def to_frame(self) -> "pd.DataFrame":
        """The rows of ``data``, with ``predicted_ms``, ``lower_ms`` and ``upper_ms``."""
        return predicted_frame(self.data, self.prediction)


def cross_validate(
    data: LatencyData,
    seed: int = 0,
    listener: Listener = SILENT,
    *,
    kind: str = DEFAULT_KIND,
    options: TrainingOptions | None = None,
) -> CrossValidation:
    """Predict each tenth of the networks of ``data``, at all their resolutions, by a predictor of the other nine.

    A kind that looks at dev rows learns from eight of these, and has the next tenth for that.

    Args:
        data: networks and their latencies.
        seed: of the folds, and of all that is random in training.
        listener: told how many of how many predictors are trained, and of each one's epochs, where it has them.
        kind: the kind of the predictors.
        options: how to train, where the kind leaves a choice.

    Raises:
        BlockprofError: a training diverged.
        DataFileError: too few networks to train on: fewer than 6 in all.
        InputError: no such kind, or an option that it does not have.
    """
    how = options or TrainingOptions()
    chosen = check_options(kind, how)
    fold_of = random_folds(data.num_networks, seed)[data.network_of]
    num_folds = int(fold_of.max()) + 1

    def predict(held: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        fold = int(fold_of[held][0])
        dev = fold_of == (fold + 1) % num_folds
        task = TrainingTask(
            train=data.select(~held & ~dev if chosen.uses_dev else ~held),
            dev=data.select(dev),
            metric="latency",
            resolutions=data.resolutions,
            seed=seed,
            options=how,
            listener=Part(listener, fold, num_folds),
        )
        rows = data.select(held)
        found = chosen.train(task).model.predict(rows.archs, rows.resolutions)
        return found.latency_ms, found.lower_ms, found.upper_ms

    return CrossValidation(data, Prediction(*leave_out(fold_of, predict, task="cross-validation", listener=listener)))
