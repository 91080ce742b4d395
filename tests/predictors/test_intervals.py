"""Intervals of the blockwise predictor where its rows are not independent."""

import numpy as np

from blockprof.latency_data import LatencyData
from blockprof.metrics import load_reference
from blockprof.predictors import fit_blockwise
from blockprof.sampling import sample_distinct
from blockprof.spaces import load_space

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


def test_rows_of_one_network_are_left_out_together() -> None:
    """With its other resolutions to go by, a row left out alone is predicted far better than a new network."""
    test = measured(100, 999)
    inside = []
    for seed in range(3):
        found = fit_blockwise(measured(45, seed), "made-up").predict(test.archs, test.resolutions)
        inside.append(((found.lower_ms <= test.latencies_ms) & (test.latencies_ms <= found.upper_ms)).mean())
    assert np.mean(inside) > 0.77
