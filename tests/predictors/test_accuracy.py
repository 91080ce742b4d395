"""How well the blockwise predictor does on public data: the project's bars."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.predictors import fit_blockwise, train_predictor
from blockprof.spaces import load_space

NUM_TRAIN = 4500
RTX = "help/ofa_mbv3_titan_rtx_64_lat_data.csv"
XP = "help/ofa_mbv3_titan_xp_32_lat_data.csv"
V100 = "help/ofa_mbv3_v100_1_lat_data.csv"
TI = "help/ofa_mbv3_2080ti_32_lat_data.csv"
PN_NPU = "kirin/ofa_pn_npu_lat_data.csv"
MBV3_NPU = "kirin/ofa_mbv3_npu_lat_data.csv"
MBV3_GPU = "kirin/ofa_mbv3_gpu_lat_data.csv"
PN_CPU = "kirin/ofa_pn_cpu_lat_data.csv"


@cache
def load(folder: Path, file: str) -> LatencyData:
    return read_latency_csv(folder / file, load_space(Path(file).name.split("_")[1]))


def scores(data: LatencyData, train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """MAPE and coverage of the 90 % intervals, in percent."""
    rows = data.select(test)
    prediction = fit_blockwise(data.select(train), "latency", data.resolutions).predict(rows.archs, rows.resolutions)
    error = np.abs(prediction.latency_ms / rows.latencies_ms - 1)
    inside = (prediction.lower_ms <= rows.latencies_ms) & (rows.latencies_ms <= prediction.upper_ms)
    return 100 * float(error.mean()), 100 * float(inside.mean())


def draw(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(NUM_TRAIN, n, replace=False)


LAST = np.arange(NUM_TRAIN, 5000)


@pytest.mark.parametrize(
    ("file", "bar"),
    [(RTX, 0.25), (XP, 0.9), (V100, 4.4), (PN_NPU, 1.2), (MBV3_NPU, 1.25), (MBV3_GPU, 0.4), (PN_CPU, 3.6)],
)
def test_with_4_500_networks_on_the_last_500(file: str, bar: float, shared_data: Path) -> None:
    mape, coverage = scores(load(shared_data, file), np.arange(NUM_TRAIN), LAST)
    assert mape <= bar
    # The Xp's last rows are much quieter than the others: there the intervals hold 97 %.
    assert 85 <= coverage <= (98 if file == XP else 95)


@pytest.mark.parametrize(("file", "bar"), [(RTX, 1.4), (XP, 3.2)])
def test_with_ten_networks_the_median_of_20_draws(file: str, bar: float, shared_data: Path) -> None:
    data = load(shared_data, file)
    assert np.median([scores(data, draw(10, seed), LAST)[0] for seed in range(20)]) <= bar


@pytest.mark.parametrize(("file", "bar"), [(PN_NPU, 1.6), (MBV3_NPU, 1.7), (MBV3_GPU, 0.5), (RTX, 0.4)])
def test_with_300_networks(file: str, bar: float, shared_data: Path) -> None:
    data = load(shared_data, file)
    results = np.array([scores(data, draw(300, seed), LAST) for seed in range(3)])
    assert np.median(results[:, 0]) <= bar
    assert 85 <= np.median(results[:, 1]) <= 95


@pytest.mark.parametrize("file", [RTX, XP, V100, PN_NPU, PN_CPU])
def test_intervals_hold_nine_tenths_of_randomly_drawn_test_rows(file: str, shared_data: Path) -> None:
    order = np.random.default_rng(3).permutation(5000)
    _, coverage = scores(load(shared_data, file), order[:4000], order[4000:])
    assert 86 <= coverage <= 94


@pytest.mark.parametrize("file", [RTX, XP, V100, TI, PN_NPU, MBV3_NPU, MBV3_GPU, PN_CPU])
@pytest.mark.parametrize(("n", "num_draws"), [(10, 40), (30, 24)])
def test_intervals_hold_with_few_networks_on_average_over_draws(
    file: str, n: int, num_draws: int, shared_data: Path
) -> None:
    """On other rows drawn at random too: a file's last are not always like the others."""
    data = load(shared_data, file)
    orders = [np.random.default_rng(seed).permutation(5000) for seed in range(num_draws)]
    coverages = [scores(data, order[:n], order[n : n + 500])[1] for order in orders]
    unknown = 2 * np.std(coverages) / np.sqrt(num_draws)
    assert 85 - unknown <= np.mean(coverages) <= 95 + unknown
    assert unknown < 10


def test_outliers_in_training_hardly_matter(shared_data: Path) -> None:
    data = load(shared_data, RTX)
    train = np.arange(1000)
    clean, _ = scores(data, train, LAST)
    spoilt = data.latencies_ms.copy()
    spoilt[np.random.default_rng(0).choice(1000, 30, replace=False)] *= 3
    dirty, _ = scores(LatencyData(data.archs, data.resolutions, spoilt, data.device), train, LAST)
    assert dirty < clean + 0.1


def test_it_beats_its_baselines(shared_data: Path) -> None:
    trained = train_predictor(load(shared_data, PN_NPU), "npu")
    for scores_of_baseline in trained.test.baselines.values():
        assert trained.test.scores.mape_percent < scores_of_baseline.mape_percent / 10
    assert trained.test.scores.spearman > 0.998
    assert trained.test.num_rows == 500
