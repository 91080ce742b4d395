"""Intervals of the blockwise predictor where rows are not independent, and where one is an outlier."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit

from blockprof.latency_data import LatencyData
from blockprof.metrics import load_reference
from blockprof.predictors import fit_blockwise
from blockprof.predictors.prediction import INTERVAL_LEVEL
from blockprof.predictors.regression import DEGREES_OF_FREEDOM
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_distinct

PN = load_space("pn")
RESOLUTIONS = np.array([160, 176, 192, 208, 224])


def measured(num_networks: int, seed: int) -> LatencyData:
    """Each network at every resolution, where each departs by 3 % from the sum of its blocks, at all of them."""
    rng = np.random.default_rng(seed)
    archs = sample_distinct(PN, num_networks, rng)
    own = np.exp(rng.normal(0, 0.03, num_networks)) * load_reference(PN, "gpu").evaluate(archs)
    rows, sizes = np.repeat(np.arange(num_networks), len(RESOLUTIONS)), np.tile(RESOLUTIONS, num_networks)
    noise = np.exp(rng.normal(0, 0.005, len(rows)))
    return LatencyData(archs[rows], sizes, own[rows] * (sizes / 224) ** 1.6 * noise, "made up")


@pytest.mark.parametrize(("num_networks", "least"), [(45, 0.77), (250, 0.8)])
def test_rows_of_one_network_are_left_out_together(num_networks: int, least: float) -> None:
    """With its other resolutions to go by, a row left out alone is predicted far better than a new network."""
    test = measured(100, 999)
    inside = []
    for seed in range(3):
        found = fit_blockwise(measured(num_networks, seed), "made-up").predict(test.archs, test.resolutions)
        inside.append(((found.lower_ms <= test.latencies_ms) & (test.latencies_ms <= found.upper_ms)).mean())
    assert np.mean(inside) > least


def test_one_outlier_among_a_few_does_not_widen_all_intervals() -> None:
    archs = sample_distinct(PN, 20, np.random.default_rng(0))
    latency = load_reference(PN, "gpu").evaluate(archs) * np.exp(np.random.default_rng(1).normal(0, 0.01, 20))
    widths = []
    for factor in (1.0, 3.0):
        latency[7] *= factor
        found = fit_blockwise(LatencyData(archs, np.full(20, 224), latency, "made up"), "made-up").predict(archs, 224)
        widths.append(((found.upper_ms - found.lower_ms) / found.latency_ms).mean())
    assert widths[1] < 4 * widths[0]


def test_costs_are_as_much_less_certain_as_errors_are_larger_than_the_fit_says() -> None:
    """Errors twice as large as said are variances four times as large; smaller ones change nothing."""
    model = fit_blockwise(measured(40, seed=0), "made-up")
    said = stdtrit(DEGREES_OF_FREEDOM, 0.5 + INTERVAL_LEVEL / 2)
    as_said, twice, less = (
        replace(model, lower_quantile=-times * said, upper_quantile=times * said).cost_covariance(224)
        for times in (1.0, 2.0, 0.5)
    )
    np.testing.assert_allclose(twice, 4 * as_said)
    np.testing.assert_array_equal(less, as_said)
