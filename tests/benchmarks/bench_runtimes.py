"""How well 60 measured networks of a target predict 20 others, beside what FLOPs alone tell.

Measures 80 random networks on each target of this machine, on one thread, unless FOLDER holds them already, then prints
a row a target: means over random splits into 60 and 20.

Run with: python tests/benchmarks/bench_runtimes.py --space pn --data FOLDER [--targets onnxruntime,mnn] [--rounds 7]
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import blockprof
from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.runtimes import find_target
from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.scores import mape_percent, spearman
from blockprof.latency_data import LatencyData
from blockprof.predictors import fit_blockwise

NUM_MEASURED, NUM_TRAINED, NUM_SPLITS = 80, 60, 20
TARGETS = (
    "onnxruntime,onnxruntime-int8,openvino,openvino-bf16,openvino-int8,mnn,ncnn,ncnn-bf16,torch,litert,litert-int8,"
    "executorch"
)


@dataclass(frozen=True)
class Scores:
    """Means over the splits, in percent; ``spearman`` is that of the predicted with the measured."""

    mape: float
    by_flops: float
    held: float
    spearman: float


def score(data: LatencyData) -> Scores:
    """Train on some networks, predict the others, again and again."""
    (flops,) = blockprof.load_metrics(data.archs.space, ["flops"])
    sizes, latencies = flops.evaluate(data.archs), data.latencies_ms
    rows = np.c_[np.ones(len(data)), sizes] / latencies[:, None]
    scores = []
    for split in range(NUM_SPLITS):
        trained = np.zeros(len(data), dtype=bool)
        trained[np.random.default_rng(split).permutation(len(data))[:NUM_TRAINED]] = True
        rest = data.select(~trained)
        predicted = fit_blockwise(data.select(trained), "latency").predict(rest.archs, rest.resolutions)
        # The line that makes relative errors least, in squares.
        line = np.linalg.lstsq(rows[trained], np.ones(NUM_TRAINED))[0]
        inside = (predicted.lower_ms <= rest.latencies_ms) & (rest.latencies_ms <= predicted.upper_ms)
        scores.append(
            (
                mape_percent(rest.latencies_ms, predicted.latency_ms),
                100 * np.abs(rows[~trained] @ line - 1).mean(),
                100 * inside.mean(),
                spearman(rest.latencies_ms, predicted.latency_ms),
            )
        )
    return Scores(*np.mean(scores, axis=0).tolist())


def main() -> None:
    """Measure what is not there yet; print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--space", default="pn")
    parser.add_argument("--targets", default=TARGETS, help="joined with commas")
    parser.add_argument("--data", type=Path, required=True, help="the folder for what is measured")
    parser.add_argument("--rounds", type=int, default=MeasureSpec.rounds)
    arguments = parser.parse_args()
    networks = blockprof.Networks(num_nets=NUM_MEASURED, design="random")
    print(f"| {arguments.space} on | ms | MAPE | FLOPs only | intervals hold | rank correlation | noise | s |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in arguments.targets.split(","):
        found = find_target(name)
        if found is None:
            print(f"| {name} | there is no such target", flush=True)
            continue
        spec = MeasureSpec(*found, rounds=arguments.rounds)
        try:
            result = blockprof.measure(arguments.space, name, networks=networks, spec=spec, out=arguments.data)
        except BlockprofError as error:
            print(f"| {name} | {error}", flush=True)
            continue
        measured, scores = result.measured, score(result.data)
        noise = measured.median_repeatability_percent
        seconds = measured.visits[-1].started_s - measured.visits[0].started_s
        print(
            f"| {spec.title} | {np.median(measured.latencies_ms):.1f} | {scores.mape:.1f} % | {scores.by_flops:.1f} % "
            f"| {scores.held:.0f} % | {scores.spearman:.3f} | {noise:.1f} % | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
