"""Speeds of the command line, of exact profiles and of counted MACs, with what they replace beside them.

Run with: python tests/benchmarks/bench_profile.py
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from blockprof.metrics import load_metrics, load_reference
from blockprof.networks.counting import count_macs
from blockprof.networks.modules import build_subnet
from blockprof.profiling import profile
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

COMMAND = str(Path(sys.executable).with_name("blockprof"))
NUM_MANY = 19_000
NUM_WHOLE = 20


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median time of ``work``."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def run_command(*arguments: str) -> None:
    """Run blockprof in a fresh folder, as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")}
        subprocess.run([COMMAND, *arguments], check=True, capture_output=True, cwd=folder, env=environment)


def main() -> None:
    """Measure and print."""
    space = load_space("pn")
    npu = load_reference(space, "npu")
    rows = [
        ("blockprof --help, process", seconds(lambda: run_command("--help"), 7)),
        ("profile --space pn --no-log, process", seconds(lambda: run_command("profile", "-s", "pn", "--no-log"), 3)),
        ("profile --space pn, fresh store, process", seconds(lambda: run_command("profile", "-s", "pn"), 3)),
        ("exact profile of pn npu, 189 placements", exact := seconds(lambda: profile(space, [npu]), 7)),
        ("sampled, 100 networks a placement", seconds(lambda: profile(space, [npu], num_archs=100), 3)),
        ("sampled, 10,000 networks a placement", many := seconds(lambda: profile(space, [npu], num_archs=10_000), 1)),
    ]
    (macs,) = load_metrics(space, ["macs"], 224, lambda _: None)
    archs = sample_architectures(space, NUM_MANY, np.random.default_rng(0))
    image = torch.zeros(1, 3, 224, 224)
    counted = seconds(lambda: macs.evaluate(archs), 5)
    whole = seconds(lambda: [count_macs(build_subnet(archs, index), image) for index in range(NUM_WHOLE)], 1)
    rows += [
        (f"MACs of {NUM_MANY:,} networks", counted),
        (f"torchprofile on {NUM_WHOLE} whole networks", whole),
    ]
    for what, taken in rows:
        print(f"{what:45s} {taken:9.3f} s")
    print(f"{'exact against 10,000 sampled':45s} {many / exact:9.0f} times quicker")
    ratio = whole / NUM_WHOLE * NUM_MANY / counted
    print(f"{'MACs by instance against whole networks':45s} {ratio:9.0f} times quicker")


if __name__ == "__main__":
    main()
