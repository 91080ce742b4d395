"""Seconds to train the blockwise predictor, and its error on networks it has not seen, on the public data.

Run with: python tests/benchmarks/bench_training.py
"""

import os
import time
from pathlib import Path

import numpy as np

from blockprof.latency_data import read_latency_csv
from blockprof.predictors import fit_blockwise
from blockprof.spaces import load_space

SHARED = Path(os.environ.get("BLOCKPROF_SHARED", Path(__file__).parents[3] / "shared" / "data"))
NUM_TRAIN = 4500
NUM_SEEDS = 9


def main() -> None:
    """Train on 10, 30, 100 and 300 random networks (median of 9 draws) and on 4,500; test on the last 500."""
    print("MAPE % by number of training networks")
    print(f"{'file':38s} {'10':>12s} {'30':>12s} {'100':>12s} {'300':>12s} {'4,500':>12s} {'5,000 rows':>12s}")
    for path in sorted(SHARED.glob("*/ofa_*_lat_data.csv")):
        data = read_latency_csv(path, load_space(path.name.split("_")[1]))
        test = data.select(np.arange(NUM_TRAIN, len(data)))
        cells = []
        for size in (10, 30, 100, 300, NUM_TRAIN):
            errors = []
            for seed in range(NUM_SEEDS if size < NUM_TRAIN else 1):
                rows = np.random.default_rng(seed).choice(NUM_TRAIN, size, replace=False)
                model = fit_blockwise(data.select(rows), "latency", data.resolutions)
                found = model.predict(test.archs, test.resolutions)
                errors.append(100 * np.abs(found.latency_ms / test.latencies_ms - 1).mean())
            cells.append(f"{np.median(errors):.2f}")
        start = time.perf_counter()
        fit_blockwise(data, "latency")
        cells.append(f"{time.perf_counter() - start:.2f} s")
        print(f"{path.name:38s} " + " ".join(f"{cell:>12s}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
