"""Wrong rows: they change neither fit nor intervals, are named, and none ends in an unforeseen error."""

from pathlib import Path

import numpy as np
import pytest
from codes import coded
from scipy.stats import t as student_t

from blockprof.foundation.errors import DataFileError
from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.metrics import load_reference
from blockprof.predictors import Outliers, Prediction, train_predictor
from blockprof.predictors.fitting import BlockwiseFit, fit_sound_rows
from blockprof.predictors.outliers import is_outlying, is_unexpected
from blockprof.predictors.regression import LeftOut
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_distinct

PN = load_space("pn")
V100, PN_NPU, RTX = (
    "help/ofa_mbv3_v100_1_lat_data.csv",
    "kirin/ofa_pn_npu_lat_data.csv",
    "help/ofa_mbv3_titan_rtx_64_lat_data.csv",
)
LAST = np.arange(4500, 5000)
LOW, HIGH = (0.1, 0.01, 0.001), (10.0, 100.0, 1000.0)


def load(folder: Path, file: str) -> LatencyData:
    return read_latency_csv(folder / file, load_space(Path(file).name.split("_")[1]))


def drawn(data: LatencyData, size: int, seed: int = 0) -> LatencyData:
    return data.select(np.random.default_rng(seed).choice(4500, size, replace=False))


def scaled(data: LatencyData, factors: np.ndarray) -> LatencyData:
    return LatencyData(data.archs, data.resolutions, data.latencies_ms * factors, data.device)


def score(fitted: BlockwiseFit, test: LatencyData) -> tuple[float, float]:
    """The mean relative error and the mean width of the intervals."""
    found = fitted.model.predict(test.archs, test.resolutions)
    error = np.abs(found.latency_ms / test.latencies_ms - 1).mean()
    return float(error), float(((found.upper_ms - found.lower_ms) / found.latency_ms).mean())


@pytest.mark.parametrize("file", [PN_NPU, V100])
@pytest.mark.parametrize(
    ("size", "factors"),
    [(30, [0.1]), (30, [1000.0]), (30, [0.001] * 5), (30, [*HIGH, *HIGH[:2]]), (100, [0.1]), (100, [*LOW, *HIGH[:2]]),
     (100, [0.1] * 5), (300, [0.01]), (300, [10.0] * 5), (300, [0.1] * 5)],
)  # fmt: skip
def test_wrong_rows_do_not_spoil_a_fit(file: str, size: int, factors: list[float], shared_data: Path) -> None:
    data = load(shared_data, file)
    train, test, wrong = drawn(data, size), data.select(LAST), len(factors)
    error, width = score(fit_sound_rows(train.select(np.arange(wrong, size)), "x", data.resolutions), test)
    spoilt = fit_sound_rows(scaled(train, np.append(factors, np.ones(size - wrong))), "x", data.resolutions)
    found_error, found_width = score(spoilt, test)
    assert found_error == pytest.approx(error, rel=0.1)
    assert found_width == pytest.approx(width, rel=0.1)
    assert spoilt.is_sound[wrong:].all()
    assert not spoilt.is_sound[:wrong].any()


@pytest.mark.parametrize("file", [PN_NPU, V100, RTX])
@pytest.mark.parametrize("size", [30, 300])
def test_published_rows_are_sound(file: str, size: int, shared_data: Path) -> None:
    assert fit_sound_rows(drawn(load(shared_data, file), size), "x").is_sound.all()


@pytest.mark.parametrize("share", [0.3, 0.45, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_latencies_over_15_orders_of_magnitude(share: float, seed: int) -> None:
    """A fit of the others, or an error that says what is wrong; no warning of numpy's either."""
    rng = np.random.default_rng(seed)
    archs = sample_distinct(PN, 60, rng)
    truth = load_reference(PN, "gpu").evaluate(archs)
    latencies, wrong = truth.copy(), rng.permutation(60)[: round(share * 60)]
    latencies[wrong] = 10.0 ** rng.uniform(-6, 9, len(wrong))
    data = LatencyData(archs, np.full(60, 224), latencies, "made up")
    with np.errstate(all="raise"):
        if share > 0.5:
            with pytest.raises(DataFileError, match="60", check=coded("strange-latencies")):
                fit_sound_rows(data, "x")
            return
        found = fit_sound_rows(data, "x")
    # A value that is right by chance counts.
    assert found.is_sound.sum() <= 60 - len(wrong) + 2
    assert np.abs(found.model.predict(archs, 224).latency_ms / truth - 1).max() < 0.05


def test_six_networks_with_two_wrong_are_too_few() -> None:
    archs = sample_distinct(PN, 6, np.random.default_rng(0))
    latencies = load_reference(PN, "gpu").evaluate(archs) * np.array([1, 1, 1, 1, 1e6, 1e-6])
    with pytest.raises(DataFileError, match=r"4.*5", check=coded("few-networks")):
        fit_sound_rows(LatencyData(archs, np.full(6, 224), latencies, "made up"), "x")


def test_outliers_to_a_prediction_by_hand() -> None:
    """The 90 % interval of Student's t with 4 degrees of freedom is 2.13 wide, one row in 10,000 is beyond 15.5."""
    measured = np.array([10.0, 17.4, 17.2, 4.7, 4.9, 14.0, 1.0])
    expected = np.full(7, 10.0)
    half = np.array([0.5, 1.0, 1.0, 1.0, 1.0, 0.1, 10.0])
    prediction = Prediction(expected, expected - half, expected + half)
    assert is_unexpected(measured, prediction).tolist() == [False, True, False, True, False, False, False]


@pytest.mark.parametrize("num_known", [8, 30, 1000])
@pytest.mark.parametrize(("variance", "noise"), [(0.04, 0.0), (0.0, 0.02), (0.03, 0.01)])
def test_a_left_out_row_is_an_outlier_beyond_one_in_ten_thousand(num_known: int, variance: float, noise: float) -> None:
    """Of Student's t: with 4 degrees of freedom for the noise, half as many as networks for costs, 7 / 5 as wide."""
    of_noise, of_costs = (student_t.isf(0.5e-4, degrees) for degrees in (4, num_known / 2))
    limit = np.sqrt(of_noise**2 * noise + of_costs**2 * 7 / 5 * variance)
    assert limit > 0.5
    predicted = np.array([0.5, 1.0, 2.0, 1.0, 1.0])
    targets = predicted * [
        1 + 0.99 * limit,
        1 + 1.01 * limit,
        1 + 1.01 * limit,
        np.exp(-1.01 * limit),
        np.exp(-0.99 * limit),
    ]
    found = LeftOut(targets, predicted, variance * predicted**2, noise)
    assert is_outlying(found, num_known).tolist() == [False, True, True, True, False]


def test_a_training_names_them_by_their_lines() -> None:
    archs = sample_distinct(PN, 60, np.random.default_rng(0))
    latencies = load_reference(PN, "npu").evaluate(archs)
    split = train_predictor(LatencyData(archs, np.full(60, 224), latencies, "made up"), "x").split
    wrong = np.array([split.train[3], split.train[10], split.test[1]])
    latencies[wrong] *= [0.001, 10.0, 0.1]
    data = LatencyData(archs, np.full(60, 224), latencies, "made up", lines=np.arange(60) + 5)
    trained = train_predictor(data, "x")
    frame = trained.outliers.to_frame(trained.model, data)
    assert frame["row"].tolist() == (wrong + 5).tolist()
    assert frame["part"].tolist() == ["train", "train", "test"]
    assert frame["latency_ms"].tolist() == latencies[wrong].tolist()
    assert frame["predicted_ms"].to_numpy() == pytest.approx(latencies[wrong] / [0.001, 10.0, 0.1], rel=0.3)
    left_out = ", ".join(map(str, wrong[:2] + 5))
    assert (
        trained.outliers.summary(data)
        == f"left out of the fit: rows {left_out}; in the test scores: row {wrong[2] + 5}"
    )
    scores = trained.test.flat("test")
    assert scores["test.num_outliers"] == 1
    assert scores["test.mape_percent"] > 100 > 20 > scores["test.mape_percent_without_outliers"]


def test_a_summary_is_short() -> None:
    archs = sample_distinct(PN, 60, np.random.default_rng(0))
    data = LatencyData(archs, np.full(60, 224), np.ones(60), "made up")
    none = np.array([], dtype=int)
    assert Outliers(np.arange(50), none, none).summary(data).endswith("18, 19, 20, 21 and 30 more")
    assert Outliers(none, none, none).summary(data) == ""
