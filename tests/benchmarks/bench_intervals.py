"""How many networks lie inside the blockwise predictor's 90 % intervals when it has seen a few, on the public data.

Run with: python tests/benchmarks/bench_intervals.py (a quarter of an hour)
"""

import os
from pathlib import Path

import numpy as np

from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.predictors import fit_blockwise
from blockprof.spaces import load_space

SHARED = Path(os.environ.get("BLOCKPROF_SHARED", Path(__file__).parents[3] / "shared" / "data"))
NUM_DRAWS = {10: 200, 30: 80, 100: 40}
"""By number of training networks: the fewer, the more the draws differ."""
NUM_TEST = 500


def main() -> None:
    """For each file and number of networks, over many draws of these and of 500 others to test on.

    One draw may be lucky or not: it is the mean over draws that should be 90 %.
    """
    print("Percent inside the 90 % interval: mean of the draws (a tenth of them below, median) by number of networks")
    print(f"{'file':38s}" + "".join(f"{size:>18d}" for size in NUM_DRAWS))
    for path in sorted(SHARED.glob("*/ofa_*_lat_data.csv")):
        data = read_latency_csv(path, load_space(path.name.split("_")[1]))
        cells = []
        for size, num_draws in NUM_DRAWS.items():
            inside = [100 * _coverage(data, size, np.random.default_rng(seed)) for seed in range(num_draws)]
            cells.append(f"{np.mean(inside):.0f} ({np.quantile(inside, 0.1):.0f}, {np.median(inside):.0f})")
        print(f"{path.name:38s}" + "".join(f"{cell:>18s}" for cell in cells), flush=True)


def _coverage(data: LatencyData, size: int, rng: np.random.Generator) -> float:
    order = rng.permutation(len(data))
    test = data.select(order[size : size + NUM_TEST])
    found = fit_blockwise(data.select(order[:size]), "latency", data.resolutions).predict(test.archs, test.resolutions)
    return float(((found.lower_ms <= test.latencies_ms) & (test.latencies_ms <= found.upper_ms)).mean())


if __name__ == "__main__":
    main()
