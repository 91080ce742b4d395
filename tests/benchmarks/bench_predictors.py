"""Error and speed of the latency predictors on the public data: blockwise, gru (fast recipe) and FLOPs only.

Run with: python tests/benchmarks/bench_predictors.py [--files TEXT ...] [--paper] [--threads N]

A gru takes some minutes a file, by the paper's recipe half an hour. For Titan RTX b64 alone, whose gru must reach an
error of 3 % within 10 minutes, and that of the paper's recipe in a tenth of its time:
python tests/benchmarks/bench_predictors.py --files titan_rtx --paper
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.predictors import Predictor, Scores, TrainedPredictor, TrainingOptions, train_predictor
from blockprof.predictors.evaluation import flops_only
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

SHARED = Path(os.environ.get("BLOCKPROF_SHARED", Path(__file__).parents[3] / "shared" / "data"))
NUM_PREDICTED = 4000


def main() -> None:
    """Train on 8 of 10 networks of each file, test on 1 of 10, the same for all predictors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", default=[""], help="only files whose names hold one of these")
    parser.add_argument("--paper", action="store_true", help="the gru by the paper's recipe too")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    columns = ("MAPE %", "Spearman", "train s", "CPU s", "nets/s", "in 90 % interval")
    print(f"{'file':34s} {'predictor':11s}" + "".join(f"{column:>18s}" for column in columns))
    with threadpool_limits(options.threads):
        for path in sorted(SHARED.glob("*/ofa_*_lat_data.csv")):
            if any(part in path.name for part in options.files):
                _compare(path, paper=options.paper)


def _compare(path: Path, *, paper: bool) -> None:
    data = read_latency_csv(path, load_space(path.name.split("_")[1]))
    predictors = {"blockwise": TrainingOptions(), "gru fast": TrainingOptions(fast=True)}
    if paper:
        predictors["gru paper"] = TrainingOptions()
    for name, options in predictors.items():
        cpu = time.process_time()
        trained = train_predictor(data, "latency", kind=name.split()[0], options=options)
        cpu = time.process_time() - cpu
        inside = f"{trained.test.interval.coverage_percent:.1f} %"
        _print(path, name, trained.test.scores, trained.seconds, cpu, _speed(trained.model), inside)
    _print_flops_only(path, data, trained)


def _print_flops_only(path: Path, data: LatencyData, trained: TrainedPredictor) -> None:
    train = data.select(trained.split.train)
    start = time.perf_counter()
    flops_only(train, train)
    seconds = time.perf_counter() - start
    speed = _rate(lambda many: flops_only(train, many), data)
    _print(path, "FLOPs only", trained.test.baselines["flops_only"], seconds, seconds, speed, "")


def _print(path: Path, name: str, scores: Scores, seconds: float, cpu: float, speed: float, inside: str) -> None:
    cells = (f"{scores.mape_percent:.2f}", f"{scores.spearman:.4f}", f"{seconds:.2f}", f"{cpu:.2f}", f"{speed:,.0f}")
    file = path.name.removesuffix("_lat_data.csv")
    print(f"{file:34s} {name:11s}" + "".join(f"{cell:>18s}" for cell in (*cells, inside)), flush=True)


def _speed(model: Predictor) -> float:
    archs = sample_architectures(model.space, NUM_PREDICTED, np.random.default_rng(0))
    model.predict(archs, int(model.resolutions[-1]))  # what is looked up once is not counted
    start = time.perf_counter()
    model.predict(archs, int(model.resolutions[-1]))
    return NUM_PREDICTED / (time.perf_counter() - start)


def _rate(predict: Callable[[LatencyData], object], data: LatencyData) -> float:
    predict(data)
    start = time.perf_counter()
    predict(data)
    return len(data) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
