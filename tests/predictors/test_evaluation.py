"""Scores against numbers worked out by hand."""

import numpy as np
import pytest

from blockprof.predictors import Prediction
from blockprof.predictors.evaluation import score, score_interval

MEASURED = np.array([10.0, 20.0, 40.0, 50.0])
PREDICTED = np.array([11.0, 20.0, 39.0, 30.0])


def test_scores_by_hand() -> None:
    found = score(MEASURED, PREDICTED)
    assert found.mape_percent == pytest.approx(100 * (0.1 + 0 + 0.025 + 0.4) / 4)
    assert found.rmse_ms == pytest.approx(np.sqrt((1 + 0 + 1 + 400) / 4))
    assert found.within_5_percent == 50
    assert found.within_10_percent == 75
    assert found.spearman == pytest.approx(0.8)
    assert found.kendall == pytest.approx(4 / 6)
    assert found.top10_overlap_percent == 100


def test_top_ten_of_many() -> None:
    measured = np.arange(1.0, 41.0)
    predicted = measured.copy()
    predicted[:3] = 100
    assert score(measured, predicted).top10_overlap_percent == 70


def test_equal_predictions_rank_nothing() -> None:
    found = score(MEASURED, np.full(4, 30.0))
    assert (found.spearman, found.kendall) == (0, 0)
    assert found.top10_overlap_percent == 50


def test_intervals_by_hand() -> None:
    prediction = Prediction(PREDICTED, PREDICTED * 0.9, PREDICTED * 1.2)
    found = score_interval(MEASURED, prediction)
    assert found.coverage_percent == 75
    assert found.width_percent == pytest.approx(30)
