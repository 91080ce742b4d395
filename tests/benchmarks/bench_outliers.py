"""What wrong rows among the training rows do to the blockwise predictor, on the public data.

Run with: python tests/benchmarks/bench_outliers.py (20 minutes)
"""

import os
from pathlib import Path

import numpy as np

from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.predictors.fitting import fit_sound_rows
from blockprof.spaces import load_space

SHARED = Path(os.environ.get("BLOCKPROF_SHARED", Path(__file__).parents[3] / "shared" / "data"))
FILES = os.environ.get("BLOCKPROF_FILES", "")
NUM_TRAIN = 4500
SIZES = tuple(map(int, os.environ.get("BLOCKPROF_SIZES", "30,100,300").split(",")))
NUMBERS_WRONG = (1, 5)
FACTORS = tuple(map(float, os.environ.get("BLOCKPROF_FACTORS", "0.001,0.01,0.1,10,100,1000").split(",")))
NUM_DRAWS = int(os.environ.get("BLOCKPROF_DRAWS", "3"))


def main() -> None:
    """For each file, number of networks, of wrong rows and factor: the error and width over those without the rows.

    Printed are the largest over the factors of the median over the draws, and how many of the wrong rows are named.
    """
    print("Largest MAPE and interval width over those without the wrong rows; wrong rows named, %")
    heading = "".join(f"{f'{wrong} of {size}':>26s}" for size in SIZES for wrong in NUMBERS_WRONG)
    print(f"{'file':38s}{heading}")
    for path in sorted(SHARED.glob("*/ofa_*_lat_data.csv")):
        if not any(name in path.name for name in FILES.split(",")):
            continue
        data = read_latency_csv(path, load_space(path.name.split("_")[1]))
        cells = [_cell(data, size, wrong) for size in SIZES for wrong in NUMBERS_WRONG]
        print(f"{path.name:38s}" + "".join(f"{cell:>26s}" for cell in cells), flush=True)


def _cell(data: LatencyData, size: int, wrong: int) -> str:
    found = np.array([_draw(data, size, wrong, seed) for seed in range(NUM_DRAWS)])
    ratios = np.median(found, axis=0)
    errors, widths, named = ratios[:, 0], ratios[:, 1], 100 * found[..., 2].mean(axis=0)
    at = FACTORS[int(errors.argmax())], FACTORS[int(named.argmin())]
    return f"{errors.max():.2f} (x{at[0]:g}) {widths.max():.2f} {named.min():.0f} (x{at[1]:g})"


def _draw(data: LatencyData, size: int, wrong: int, seed: int) -> list[tuple[float, float, float]]:
    """By factor: the error and the width over those of the fit without the wrong rows, and the share of these named."""
    rows = np.random.default_rng(seed).choice(NUM_TRAIN, size, replace=False)
    train, test = data.select(rows), data.select(np.arange(NUM_TRAIN, len(data)))
    error, width, _ = _score(train.select(np.arange(wrong, size)), test, data)
    found = []
    for factor in FACTORS:
        latencies = train.latencies_ms.copy()
        latencies[:wrong] *= factor
        spoilt = LatencyData(train.archs, train.resolutions, latencies, train.device)
        spoilt_error, spoilt_width, is_sound = _score(spoilt, test, data)
        found.append((spoilt_error / error, spoilt_width / width, float((~is_sound[:wrong]).mean())))
    return found


def _score(train: LatencyData, test: LatencyData, data: LatencyData) -> tuple[float, float, np.ndarray]:
    fitted = fit_sound_rows(train, "latency", data.resolutions)
    found = fitted.model.predict(test.archs, test.resolutions)
    error = np.abs(found.latency_ms / test.latencies_ms - 1).mean()
    return float(error), float(((found.upper_ms - found.lower_ms) / found.latency_ms).mean()), fitted.is_sound


if __name__ == "__main__":
    main()
