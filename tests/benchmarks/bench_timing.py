"""What a measurement takes and how well it repeats: today's rule of warming up and repeating, and the one before.

Four measurements of the same networks, two by each rule, take turns at every visit, so that what else the machine does
hits all alike. Prints the time of each, and how far the two of a rule are apart.

Run with: python tests/benchmarks/bench_timing.py [--networks N] [--raw FILE]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import blockprof
from blockprof.evaluators.device import MeasuredNetworks, MeasureSpec, read_environment, timing
from blockprof.evaluators.device.records import Visit, encode_visit
from blockprof.evaluators.device.runner import ANCHOR, visiting_order
from blockprof.evaluators.runtimes import Settings
from blockprof.evaluators.runtimes.onnxruntime import OnnxRuntimeEngine
from blockprof.foundation.arrays import FloatArray
from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.spaces.sampling import sample_architectures

RESOLUTION, WINDOW, ROUNDS = 224, 5, 7


def settled_by_windows(times: FloatArray) -> bool:
    """The rule before: two windows of five runs, whose medians are within 2 %."""
    if len(times) < 2 * WINDOW:
        return False
    before, last = (np.median(each) for each in (times[-2 * WINDOW : -WINDOW], times[-WINDOW:]))
    return bool(abs(last - before) <= 0.02 * before)


@dataclass
class Measured:
    """One of the measurements: its rule, its visits, and the seconds that they took, of the clock and of the CPU."""

    rule: str
    settled: Callable[[FloatArray], bool]
    spec: MeasureSpec
    visits: list[Visit] = field(default_factory=list)
    passed_s: float = 0.0
    computed_s: float = 0.0

    def visit(self, engine: OnnxRuntimeEngine, file: Path, network: int, number: int, *, anchor: bool) -> None:
        """Load a network, then time it by this rule."""
        image = np.random.default_rng(0).standard_normal((1, 3, RESOLUTION, RESOLUTION), dtype=np.float32)
        passed, computed = time.perf_counter(), time.process_time()
        loaded = engine.load(file, {"image": image})
        timing.settled = self.settled
        started_s = time.time()
        found = timing.time_network(loaded.run, self.spec)
        self.visits.append(Visit(network, number, anchor, started_s, found))
        self.passed_s += time.perf_counter() - passed
        self.computed_s += time.process_time() - computed


def main() -> None:
    """Measure, then print a line a rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=30)
    parser.add_argument("--space", default="pn")
    parser.add_argument("--raw", type=Path, help="a file for all times, a line of JSON a visit")
    arguments = parser.parse_args()
    now = MeasureSpec(rounds=ROUNDS)
    before = MeasureSpec(rounds=ROUNDS, width=0.02, min_runs=10)
    rules = [("now", timing.settled, now), ("before", settled_by_windows, before)]
    measured = [Measured(*rule) for rule in rules for _ in range(2)]
    space = blockprof.load_space(arguments.space)
    store, rng = FragmentStore(space), np.random.default_rng(0)
    archs = sample_architectures(space, arguments.networks, rng)
    engine = OnnxRuntimeEngine(Settings(now.precision, now.threads, now.provider))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        raw = opened.enter_context(arguments.raw.open("w")) if arguments.raw else None
        files = [Path(folder) / f"{index}.onnx" for index in range(len(archs))]
        for index, file in enumerate(files):
            file.write_bytes(compose_bytes(store, archs, index, resolution=RESOLUTION))
        order = list(visiting_order(len(archs), now))
        steps = [(ANCHOR, 1, True)]
        for count, (number, network) in enumerate(order, start=1):
            steps.append((network, number, False))
            if count % now.anchor_every == 0 or count == len(order):
                steps.append((ANCHOR, number, True))
        for network, number, anchor in steps:
            for each in rng.permutation(len(measured)).tolist():
                measured[each].visit(engine, files[network], network, number, anchor=anchor)
                if raw:
                    own = measured[each]
                    row = {
                        "rule": own.rule,
                        "measurement": each,
                        "passed_s": own.passed_s,
                        "computed_s": own.computed_s,
                    }
                    print(json.dumps(row | encode_visit(own.visits[-1])), file=raw, flush=True)
    report(archs.to_strings(), measured)


def report(names: list[str], measured: list[Measured]) -> None:
    """A line a rule, and how far the levels are apart."""
    environment = read_environment(measured[0].spec.find_runtime())
    levels = []
    for first, second in (measured[:2], measured[2:]):
        results = [
            MeasuredNetworks.from_visits(names, each.spec, [environment], each.visits) for each in (first, second)
        ]
        one, two = (each.latencies_ms for each in results)
        apart = 100 * np.abs(np.log(one / two))
        warm_up = np.mean([visit.timing.warm_up_runs for visit in first.visits + second.visits])
        runs = np.mean([len(visit.timing) for visit in first.visits + second.visits])
        passed, computed = first.passed_s + second.passed_s, first.computed_s + second.computed_s
        print(
            f"{first.rule:7s} {passed / 2:5.0f} s ({computed / 2:.0f} s of CPU), {warm_up:.1f} runs to warm up and "
            f"{runs:.1f} timed a visit; two measurements are {np.median(apart):.2f} % apart (median), "
            f"{np.quantile(apart, 0.95):.2f} % (95 %)"
        )
        levels.append(np.sqrt(one * two))
    print(f"latency by the rule now over that before: {np.median(levels[0] / levels[1]):.4f}")


if __name__ == "__main__":
    main()
