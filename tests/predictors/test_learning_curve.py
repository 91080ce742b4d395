import numpy as np
import pytest
from codes import coded
from listening import Heard

from blockprof.fetching.reference import reference_data
from blockprof.foundation.errors import DataFileError
from blockprof.latency_data import LatencyData
from blockprof.predictors import LearningCurve, learning_curve, train_predictor
from blockprof.spaces import load_space


@pytest.fixture(scope="module")
def data() -> LatencyData:
    return reference_data(load_space("pn"), "npu", 60, seed=0)


@pytest.fixture(scope="module")
def curve(data: LatencyData) -> LearningCurve:
    return learning_curve(data, seed=3, num_draws=2)


def test_it_ends_at_what_training_on_all_networks_gives(curve: LearningCurve, data: LatencyData) -> None:
    trained = train_predictor(data, "npu", seed=3)
    assert curve.sizes.tolist() == [10, 30, 48]
    assert curve.num_test == trained.test.num_rows
    assert (curve.mape_percent[-1] == trained.test.scores.mape_percent).all()
    assert (curve.coverage_percent[-1] == trained.test.interval.coverage_percent).all()
    assert curve.mape_percent[0, 0] != curve.mape_percent[0, 1]


def test_the_same_seed_gives_the_same_curve_and_progress_counts_every_fit(
    curve: LearningCurve, data: LatencyData
) -> None:
    heard = Heard()
    again = learning_curve(data, seed=3, num_draws=2, listener=heard)
    np.testing.assert_array_equal(again.mape_percent, curve.mape_percent)
    assert heard.steps == [(number, 5) for number in range(1, 6)]


def test_a_train_size_ends_it_sooner_on_the_same_draws(data: LatencyData) -> None:
    assert learning_curve(data, seed=3, train_size=20, num_draws=1).sizes.tolist() == [10, 20]


def test_frame_and_steps(curve: LearningCurve) -> None:
    frame = curve.to_frame()
    assert frame["num_train"].tolist() == [10, 10, 30, 30, 48, 48]
    assert frame["draw"].tolist() == [1, 2] * 3
    steps = curve.steps()
    assert list(steps) == [10, 30, 48]
    assert steps[10]["learning_curve.mape_percent"] == pytest.approx(np.mean(curve.mape_percent[0]))
    assert steps[10]["learning_curve.mape_percent_max"] == frame["mape_percent"].head(2).max()


def test_too_few(data: LatencyData) -> None:
    with pytest.raises(DataFileError, match="16", check=coded("few-networks")):
        learning_curve(data.select(np.arange(20)))


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            [4.0, 2.0, 1.0],
            "with 30 networks the error is 2.00 %, with 90 1.00 %, and it still falls: 270",
        ),
        ([4.0, 1.05, 1.0], "30 networks are enough: the error is 1.05 %, and all 90 bring 1.00 %"),
        ([0.9, 1.2, 1.0], "10 networks are enough: the error is 0.90 %, and all 90 bring 1.00 %"),
    ],
)
def test_advice(errors: list[float], said: str) -> None:
    values = np.array(errors)[:, None]
    assert LearningCurve(np.array([10, 30, 90]), values, values, 50).advice().startswith(said)


def test_the_outlook_is_the_power_law_through_the_end() -> None:
    values = np.array([[8.0], [2.0], [1.0]])
    assert LearningCurve(np.array([10, 30, 90]), values, values, 50).advice().endswith("270 would bring 0.50 % at best")
