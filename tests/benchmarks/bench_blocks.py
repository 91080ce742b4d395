"""What each run-time says of 90 blocks: those of the first layers of units 1 to 5 of pn and mbv3, at 224 x 224.

    python tests/benchmarks/bench_blocks.py --out FOLDER [TARGET ...]

A target is ``openvino`` or ``openvino-int8``; all that work here where none is given. Called again with the same
folder, it resumes. Prints a row a target: the sum in ms, Spearman's correlation with MACs, the greatest ms per MAC over
the least, and the 7 x 7 block over the 3 x 3 one (``pn`` u1 e6).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import blockprof
from blockprof.evaluators.device import MeasureSpec, measure_networks
from blockprof.evaluators.device.health import examine
from blockprof.evaluators.runtimes import find_runtime, find_target, runtime_names
from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.scores import spearman
from blockprof.networks.onnx import FragmentStore, compose_piece

RESOLUTION = 224
SPACES, UNITS = ("pn", "mbv3"), range(1, 6)
SPEC = MeasureSpec(rounds=3, min_runs=6, max_runs=60, time_limit_s=1.0)


def blocks() -> list[tuple[str, str, int, float]]:
    """Of each block its space, its name, its index among the instances, and its MACs."""
    found = []
    for name in SPACES:
        space = blockprof.load_space(name)
        (macs,) = blockprof.load_metrics(space, ["macs"], resolution=RESOLUTION)
        firsts = tuple(f"u{unit}.first." for unit in UNITS)
        for index, instance in enumerate(space.instances):
            if instance.name.startswith(firsts):
                found.append((name, instance.name, index, float(macs.costs[index])))
    return found


def working() -> list[str]:
    """Every target that works here."""
    found = []
    for name in runtime_names():
        for precision, problem in examine(find_runtime(name)).problems.items():
            if not problem:
                found.append(MeasureSpec(runtime=name, precision=precision).target_name)
    return found


def main() -> None:
    """Measure, and print a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--out", type=Path, required=True, help="folder of the journals")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    listed = blocks()
    macs = np.array([each[3] for each in listed])
    names = [f"{space} {name} at {RESOLUTION}" for space, name, *_ in listed]
    seven, three = (names.index(f"pn u1.first.e6k{kernel} at {RESOLUTION}") for kernel in (7, 3))
    print(f"{len(listed)} blocks | sum, ms | Spearman with MACs | ms per MAC, greatest / least | 7x7 over 3x3")
    for target in arguments.targets or working():
        found = find_target(target)
        if found is None:
            sys.exit(f"there is no target {target}")
        runtime, precision = found
        spec = replace(SPEC, runtime=runtime, precision=precision)
        stores = {name: FragmentStore(blockprof.load_space(name), quantized=spec.is_quantized) for name in SPACES}

        def build(index: int, stores: dict[str, FragmentStore] = stores) -> bytes:
            space, _, instance, _ = listed[index]
            return bytes(compose_piece(stores[space], instance, resolution=RESOLUTION).SerializeToString())

        try:
            measured = measure_networks(names, build, arguments.out / f"{target}.journal.jsonl", spec)
        except BlockprofError as error:
            print(f"{target} | {error}", flush=True)
            continue
        times = measured.latencies_ms
        per_mac = times / macs
        print(
            f"{target} | {times.sum():.1f} | {spearman(macs, times):.3f} | {per_mac.max() / per_mac.min():.1f} | "
            f"{times[seven] / times[three]:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
