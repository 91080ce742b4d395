"""How many networks a D-optimal design saves the blockwise predictor, on the public data.

Run with: python tests/benchmarks/bench_design.py [part of a file's name]...
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.predictors import choose_rows, fit_blockwise
from blockprof.predictors.design import NUM_CANDIDATES
from blockprof.spaces import load_space

SHARED = Path(os.environ.get("BLOCKPROF_SHARED", Path(__file__).parents[3] / "shared" / "data"))
NUM_TRAIN = 4500
NUM_SEEDS = 7
SIZES = (30, 50, 100, 300)
CURVE = (10, 20, 30, 50, 70, 100, 150, 200, 300, 450, 700)

RowChooser = Callable[[LatencyData, int, np.random.Generator], IntArray]


def main() -> None:
    """Compare the median of seven draws: of random networks, and of the candidates that designs choose among.

    Networks come from the first 4,500 rows, the last 500 are the test. So many random ones as have the design's error
    are read off the random ones' learning curve, which is taken as straight between sizes on logarithmic scales.
    """
    print("MAPE % (share inside the 90 % interval, %): random networks / D-optimal ones = so many random ones\n")
    print("| file | " + " | ".join(f"{size}" for size in SIZES) + " |")
    print("|---" * (len(SIZES) + 1) + "|")
    for path in sorted(SHARED.glob("*/ofa_*_lat_data.csv")):
        if not any(part in path.name for part in sys.argv[1:] or [""]):
            continue
        data = read_latency_csv(path, load_space(path.name.split("_")[1]))
        curve = {size: median_scores(data, size, random_rows) for size in CURVE}
        cells = []
        for size in SIZES:
            designed = median_scores(data, size, designed_rows)
            same = same_error(np.array([curve[other][0] for other in CURVE]), designed[0])
            cells.append(
                f"{curve[size][0]:.2f} ({curve[size][1]:.0f}) / {designed[0]:.2f} ({designed[1]:.0f}) = {same}"
            )
        print(f"| {path.stem.removeprefix('ofa_').removesuffix('_lat_data')} | " + " | ".join(cells) + " |", flush=True)


def random_rows(_: LatencyData, size: int, rng: np.random.Generator) -> IntArray:
    return rng.choice(NUM_TRAIN, size, replace=False)


def designed_rows(data: LatencyData, size: int, rng: np.random.Generator) -> IntArray:
    candidates = rng.choice(NUM_TRAIN, NUM_CANDIDATES, replace=False)
    return candidates[choose_rows(data.archs[candidates], data.resolutions[candidates], size)]


def median_scores(data: LatencyData, size: int, rows_of: RowChooser) -> FloatArray:
    """MAPE and coverage of the 90 % intervals, both in percent."""
    test = data.select(np.arange(NUM_TRAIN, len(data)))
    scores = []
    for seed in range(NUM_SEEDS):
        rows = rows_of(data, size, np.random.default_rng(seed))
        found = fit_blockwise(data.select(rows), "latency", data.resolutions).predict(test.archs, test.resolutions)
        inside = (found.lower_ms <= test.latencies_ms) & (test.latencies_ms <= found.upper_ms)
        scores.append((np.abs(found.latency_ms / test.latencies_ms - 1).mean(), inside.mean()))
    return 100 * np.median(scores, axis=0)


def same_error(errors: FloatArray, error: float) -> str:
    """Where the learning curve of ``errors`` at the sizes of ``CURVE`` comes down to ``error``."""
    falling = np.minimum.accumulate(errors)
    if error > falling[0]:
        return f"< {CURVE[0]}"
    if error < falling[-1]:
        return f"> {CURVE[-1]}"
    return f"{np.exp(np.interp(-np.log(error), -np.log(falling), np.log(CURVE))):.0f}"


if __name__ == "__main__":
    main()
