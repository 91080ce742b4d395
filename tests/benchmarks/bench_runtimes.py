"""How well 60 measured networks predict 20 others on each target, beside what FLOPs alone tell.

First, for each target: blockprof measure --space pn -n 80 --design random --runtime NAME --precision NAME
Then: python tests/benchmarks/bench_runtimes.py blockprof-data/ofa_pn_*_lat_data.csv
"""

import argparse
from pathlib import Path

import numpy as np

import blockprof
from blockprof.latency_data import read_latency_csv
from blockprof.predictors import fit_blockwise

NUM_TRAINED, NUM_SPLITS = 60, 20


def main() -> None:
    """Print a line a file: means over random splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--space", default="pn")
    arguments = parser.parse_args()
    space = blockprof.load_space(arguments.space)
    (flops,) = blockprof.load_metrics(space, ["flops"])
    for file in arguments.files:
        data = read_latency_csv(file, space)
        sizes, latencies = flops.evaluate(data.archs), data.latencies_ms
        scores = []
        for split in range(NUM_SPLITS):
            trained = np.zeros(len(data), dtype=bool)
            trained[np.random.default_rng(split).permutation(len(data))[:NUM_TRAINED]] = True
            rest = data.select(~trained)
            predicted = fit_blockwise(data.select(trained), "latency").predict(rest.archs, rest.resolutions)
            rows = np.c_[np.ones(len(data)), sizes] / latencies[:, None]
            line = np.linalg.lstsq(rows[trained], np.ones(NUM_TRAINED))[0]
            inside = (predicted.lower_ms <= rest.latencies_ms) & (rest.latencies_ms <= predicted.upper_ms)
            errors = np.abs(predicted.latency_ms / rest.latencies_ms - 1), np.abs(rows[~trained] @ line - 1)
            scores.append([*(100 * error.mean() for error in errors), 100 * inside.mean()])
        mape, by_flops, held = np.mean(scores, axis=0)
        print(f"{data.device}: MAPE {mape:.2f} %, FLOPs only {by_flops:.2f} %, intervals hold {held:.0f} %")


if __name__ == "__main__":
    main()
