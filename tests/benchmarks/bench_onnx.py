"""Networks composed of ONNX pieces and timed, against the plain way: ``torch.onnx.export`` each, then time it.

Networks a minute both ways, with the same harness and repeats. The plain way is given its torch modules: building them
is not counted.

Run with: python tests/benchmarks/bench_onnx.py [--networks N] [--seconds S]
"""

import argparse
import io
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnxruntime
import torch

from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.timing import time_network
from blockprof.evaluators.runtimes import Settings
from blockprof.evaluators.runtimes.onnxruntime import OnnxRuntimeEngine
from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.networks.onnx.fragments import OPSET
from blockprof.networks.onnx.modules import build_network
from blockprof.spaces import Space, registered_spaces
from blockprof.spaces.sampling import sample_architectures

RESOLUTION = 224
PARTS = ("build", "load", "timing")


def export(network: torch.nn.Module) -> bytes:
    """The plain way: the exporter that traces, which is the quicker of torch's two."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        image = torch.zeros(1, 3, RESOLUTION, RESOLUTION)
        torch.onnx.export(network, (image,), buffer, dynamo=False, opset_version=OPSET, input_names=["image"])
    return buffer.getvalue()


@dataclass(frozen=True)
class Way:
    """Seconds to build one network's model, to load it, and to time it; the latency found, in ms."""

    build: float
    load: float
    timing: float
    latency_ms: float

    @property
    def total(self) -> float:
        return self.build + self.load + self.timing


def measure(build: Callable[[], bytes], spec: MeasureSpec) -> tuple[Way, onnxruntime.InferenceSession]:
    """Build a model, load it and time it as ``blockprof measure`` does."""
    laps = [time.perf_counter()]
    model = build()
    laps.append(time.perf_counter())
    with tempfile.NamedTemporaryFile() as file:
        file.write(model)
        file.flush()
        engine = OnnxRuntimeEngine(Settings(spec.precision, spec.threads, spec.provider))
        session = engine.open(Path(file.name))
    laps.append(time.perf_counter())
    image = np.random.default_rng(0).standard_normal((1, 3, RESOLUTION, RESOLUTION), dtype=np.float32)
    timing = time_network(lambda: session.run(None, {"image": image}), spec)
    laps.append(time.perf_counter())
    return Way(*np.diff(laps).tolist(), float(np.median(timing.own_ms))), session


def difference(session: onnxruntime.InferenceSession, network: torch.nn.Module) -> float:
    """The greatest difference of a session's logits from torch's, over the greatest logit."""
    image = np.random.default_rng(0).standard_normal((1, 3, RESOLUTION, RESOLUTION), dtype=np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(image)).numpy()
    (found,) = session.run(None, {"image": image})
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def seconds_to_fill(space: Space) -> float:
    """Seconds until a new store has every block instance, from the cache folder or exported into it."""
    start = time.perf_counter()
    store = FragmentStore(space)
    for instance in range(len(space.instances)):
        store.fragment(instance)
    return time.perf_counter() - start


def compare(space: Space, num_networks: int, spec: MeasureSpec) -> None:
    """Measure one space and print it. Both ways take turns, so that what else the machine does hits both."""
    exporting, reading = seconds_to_fill(space), seconds_to_fill(space)
    store = FragmentStore(space)
    archs = sample_architectures(space, num_networks, np.random.default_rng(0))
    plain, composed, differences = [], [], []
    for index in range(num_networks):
        compose_bytes(store, archs, index, resolution=RESOLUTION)  # pieces into memory, once for all networks
        network = build_network(archs, index)
        plain.append(measure(partial(export, network), spec)[0])
        way, session = measure(partial(compose_bytes, store, archs, index, resolution=RESOLUTION), spec)
        composed.append(way)
        differences.append(difference(session, network))
    print(f"{space.name}, {num_networks} networks at {RESOLUTION}, up to {spec.time_limit_s:g} s of repeats; medians")
    print(f"  {len(space.instances)} block instances     {exporting:.1f} s to export once, {reading:.2f} s to read")
    for name, ways in (("torch.onnx.export", plain), ("composed", composed)):
        build, load, timing = (1e3 * np.median([getattr(way, part) for way in ways]) for part in PARTS)
        rate = 60 / np.mean([way.total for way in ways])
        print(
            f"  {name:20s} build {build:7.1f} + load {load:5.1f} + time {timing:6.1f} ms, {rate:5.0f} networks a minute"
        )
    pairs = list(zip(plain, composed, strict=True))
    for name, ratios in (
        ("build and load", [(first.build + first.load) / (second.build + second.load) for first, second in pairs]),
        ("networks a minute", [first.total / second.total for first, second in pairs]),
    ):
        quarter, ratio, three_quarters = np.percentile(ratios, [25, 50, 75])
        print(f"  {name:20s} {ratio:7.1f} times (quartiles {quarter:.1f} and {three_quarters:.1f})")
    latency = np.median([second.latency_ms / first.latency_ms for first, second in pairs])
    print(f"  latency              {latency:7.3f} times the exported network's")
    print(f"  difference           {max(differences):7.0e} at most from torch's logits, relative to the greatest")


def main() -> None:
    """Measure every space with an empty cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.5, help="to repeat each network for, at most")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for space in registered_spaces():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["BLOCKPROF_CACHE"] = folder
            compare(space, arguments.networks, MeasureSpec(rounds=1, time_limit_s=arguments.seconds))


if __name__ == "__main__":
    main()
