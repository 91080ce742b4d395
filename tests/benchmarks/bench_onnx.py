"""Networks composed of ONNX pieces, against ``torch.onnx.export`` of each: seconds to have a session, and its latency.

Run with: python tests/benchmarks/bench_onnx.py [--networks N]
"""

import argparse
import io
import os
import tempfile
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnxruntime
import torch

from blockprof.onnx_networks import FragmentStore, compose_bytes
from blockprof.onnx_networks.fragments import OPSET
from blockprof.onnx_networks.modules import build_network
from blockprof.sampling import sample_architectures
from blockprof.spaces import SPACES, Architectures, Space

RESOLUTION = 224
NUM_RUNS = 20


def load(serialized: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])


def export(network: torch.nn.Module) -> bytes:
    """The plain way: the exporter that traces, which is the quicker of torch's two."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        image = torch.zeros(1, 3, RESOLUTION, RESOLUTION)
        torch.onnx.export(network, (image,), buffer, dynamo=False, opset_version=OPSET, input_names=["image"])
    return buffer.getvalue()


def measure(store: FragmentStore, archs: Architectures, index: int) -> tuple[float, ...]:
    """Seconds to export, to load, to compose, to load, and of one inference of either network.

    Both ways take turns, so that what else the machine does hits both.
    """
    network = build_network(archs, index)
    laps = [time.perf_counter()]
    exported = export(network)
    laps.append(time.perf_counter())
    plain = load(exported)
    laps.append(time.perf_counter())
    joined = compose_bytes(store, archs, index, resolution=RESOLUTION)
    laps.append(time.perf_counter())
    composed = load(joined)
    laps.append(time.perf_counter())
    return (*np.diff(laps), *latencies(plain, composed))


def latencies(plain: onnxruntime.InferenceSession, composed: onnxruntime.InferenceSession) -> tuple[float, float]:
    """Median seconds of an inference of each, run in turn."""
    image = np.random.default_rng(0).normal(size=(1, 3, RESOLUTION, RESOLUTION)).astype(np.float32)
    laps = [time.perf_counter()]
    for _ in range(NUM_RUNS):
        for session in (plain, composed):
            session.run(None, {"image": image})
            laps.append(time.perf_counter())
    first, second = np.median(np.diff(laps).reshape(NUM_RUNS, 2), axis=0).tolist()
    return first, second


def seconds_to_fill(space: Space) -> float:
    """Seconds until a new store has every block instance, from the cache folder or exported into it."""
    start = time.perf_counter()
    store = FragmentStore(space)
    for instance in range(len(space.instances)):
        store.fragment(instance)
    return time.perf_counter() - start


def compare(space: Space, num_networks: int) -> None:
    """Measure one space and print it."""
    exporting, reading = seconds_to_fill(space), seconds_to_fill(space)
    store = FragmentStore(space)
    archs = sample_architectures(space, num_networks, np.random.default_rng(0))
    for index in range(num_networks):
        store.fragments(archs, index)
    times = np.array([measure(store, archs, index) for index in range(num_networks)])
    totals = np.column_stack([times[:, :2].sum(axis=1), times[:, 2:4].sum(axis=1)])
    quarter, ratio, three_quarters = np.percentile(totals[:, 0] / totals[:, 1], [25, 50, 75])
    medians = np.median(times, axis=0) * 1e3
    print(f"{space.name}, {num_networks} networks at {RESOLUTION}, medians")
    print(f"  {len(space.instances)} block instances     {exporting:.1f} s to export once, {reading:.2f} s to read")
    for way, name in enumerate(("torch.onnx.export", "composed")):
        build, start = medians[2 * way], medians[2 * way + 1]
        total, rate = np.median(totals[:, way]) * 1e3, 60 / totals[:, way].mean()
        print(f"  {name:20s} {build:7.1f} ms + load {start:6.1f} ms = {total:7.1f} ms, {rate:6.0f} networks a minute")
    print(f"  ratio                {ratio:7.1f} (quartiles {quarter:.1f} and {three_quarters:.1f})")
    print(f"  latency              {np.median(times[:, 5] / times[:, 4]):7.3f} times the exported network's")


def main() -> None:
    """Measure every space with an empty cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=20)
    count = parser.parse_args().networks
    torch.set_num_threads(1)
    for space in SPACES.values():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["BLOCKPROF_CACHE"] = folder
            compare(space, count)


if __name__ == "__main__":
    main()
