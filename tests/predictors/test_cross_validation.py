"""Every network is predicted by a predictor that was not trained on it."""

from collections.abc import Callable

import numpy as np
import pytest
from codes import coded
from listening import Heard

from blockprof.fetching.reference import reference_data
from blockprof.foundation.errors import InputError
from blockprof.foundation.folds import random_folds
from blockprof.latency_data import LatencyData
from blockprof.predictors import (
    PREDICTORS,
    Fitted,
    PredictorKind,
    TrainingOptions,
    TrainingTask,
    cross_validate,
    fit_blockwise,
    learning_curve,
)
from blockprof.predictors.evaluation import score, score_interval
from blockprof.spaces import Architectures, load_space

PN = load_space("pn")


@pytest.fixture
def data() -> LatencyData:
    """25 networks, each at two resolutions."""
    once = reference_data(PN, "gpu", 25, seed=0)
    return LatencyData(
        Architectures.concatenate([once.archs, once.archs]),
        np.repeat([224, 160], 25),
        np.concatenate([once.latencies_ms, 0.6 * once.latencies_ms]),
        "made-up",
    )


def test_each_fold_is_predicted_by_the_others_and_all_rows_are_scored(data: LatencyData) -> None:
    heard = Heard()
    found = cross_validate(data, 3, heard)
    assert heard.steps == [(done, 10) for done in range(1, 11)]
    _, network_of = np.unique(data.archs.genes, axis=0, return_inverse=True)
    held = (random_folds(25, 3) == 0)[network_of]
    assert data.select(held).num_networks == held.sum() / 2 == 3
    others = fit_blockwise(data.select(~held), "latency")
    expected = others.predict(data.archs[held], data.resolutions[held])
    np.testing.assert_array_equal(found.prediction.latency_ms[held], expected.latency_ms)
    np.testing.assert_array_equal(found.prediction.upper_ms[held], expected.upper_ms)
    assert np.isfinite(found.prediction.lower_ms).all()

    scores = score(data.latencies_ms, found.prediction.latency_ms)
    assert found.flat()["cv.mape_percent"] == scores.mape_percent
    assert found.flat()["cv.spearman"] == scores.spearman
    coverage = score_interval(data.latencies_ms, found.prediction).coverage_percent
    assert found.flat()["cv.interval.coverage_percent"] == coverage
    assert found.flat()["cv.num_networks"] == 25
    frame = found.to_frame()
    assert frame.columns.tolist()[-3:] == ["predicted_ms", "lower_ms", "upper_ms"]
    np.testing.assert_array_equal(frame["latency_ms"], data.latencies_ms)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[TrainingTask]:
    """What a registered kind, ``watched``, is asked to train; its predictors are blockwise ones of the train rows."""
    asked: list[TrainingTask] = []

    def train(task: TrainingTask) -> Fitted:
        asked.append(task)
        task.listener.on_step("epochs", 1, 2)
        return Fitted(fit_blockwise(task.train, task.metric, task.resolutions))

    PREDICTORS.names()
    monkeypatch.setattr(PREDICTORS, "_things", dict(PREDICTORS._things))
    PREDICTORS.register("watched", PredictorKind(train, load=lambda folder: None, options=frozenset({"epochs"})))
    return asked


def test_a_kind_that_looks_at_dev_rows_has_a_fold_for_them(data: LatencyData, tasks: list[TrainingTask]) -> None:
    found = cross_validate(data, 3, kind="watched", options=TrainingOptions(epochs=2))
    fold_of = random_folds(25, 3)[data.network_of]
    for fold, task in enumerate(tasks):
        held, dev = fold_of == fold, fold_of == (fold + 1) % 10
        np.testing.assert_array_equal(task.dev.archs.genes, data.archs.genes[dev])
        np.testing.assert_array_equal(task.train.archs.genes, data.archs.genes[~held & ~dev])
        expected = fit_blockwise(task.train, "latency").predict(data.archs[held], data.resolutions[held])
        np.testing.assert_array_equal(found.prediction.latency_ms[held], expected.latency_ms)
    assert len(tasks) == 10
    assert {(task.seed, task.options.epochs) for task in tasks} == {(3, 2)}


def test_its_epochs_are_a_part_of_the_whole(data: LatencyData, tasks: list[TrainingTask]) -> None:
    heard = Heard()
    cross_validate(data, 3, heard, kind="watched")
    assert heard.steps[:4] == [(1, 20), (1, 10), (3, 20), (2, 10)]


def test_a_learning_curve_is_of_the_kind_that_is_asked_for(tasks: list[TrainingTask]) -> None:
    data = reference_data(PN, "npu", 60, seed=0)
    curve = learning_curve(data, seed=3, num_draws=2, kind="watched")
    assert curve.kind == "watched"
    assert [task.train.num_networks for task in tasks] == [10, 10, 30, 30, 48]
    assert {task.dev.num_networks for task in tasks} == {6}
    np.testing.assert_array_equal(curve.mape_percent, learning_curve(data, seed=3, num_draws=2).mape_percent)


@pytest.mark.parametrize("verb", [cross_validate, learning_curve])
def test_a_kind_that_has_no_such_option(data: LatencyData, verb: Callable) -> None:
    with pytest.raises(InputError, check=coded("training-option")):
        verb(data, kind="blockwise", options=TrainingOptions(epochs=2))


def test_the_papers_predictor_is_cross_validated(data: LatencyData) -> None:
    heard = Heard()
    found = cross_validate(data, 3, heard, kind="gru", options=TrainingOptions(fast=True, epochs=1))
    assert heard.tasks == ["epochs", "cross-validation"] * 10
    assert (found.prediction.lower_ms < found.prediction.latency_ms).all()
    assert not np.allclose(found.prediction.latency_ms, cross_validate(data, 3).prediction.latency_ms)
