"""Whether two processes of a run-time agree, and whether a bare loop of it agrees with blockprof's harness.

Random networks are visited again and again, each time by two processes as ``measure`` starts them, and by a loop of a
few lines in this one that knows nothing of blockprof; in random order, so that what else the machine does hits all
three alike. Prints a row.

Run with: python tests/benchmarks/bench_harness.py TARGET [--space pn] [--networks N] [--rounds R]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np

import blockprof
from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.device.statistics import median_interval
from blockprof.evaluators.runtimes import Settings, find_target
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.scores import spearman
from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.networks.onnx.modules import build_network
from blockprof.spaces import Architectures
from blockprof.spaces.sampling import sample_architectures

if TYPE_CHECKING:
    import torch

RESOLUTION, NUM_WARM_UP, NUM_TIMED = 224, 3, 8
BARE = 2
"""The place of the bare loop, after the two processes."""


def open_onnxruntime(model: Path, image: FloatArray, precision: str) -> Callable[[], object]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"image": image})


def open_openvino(model: Path, image: FloatArray, precision: str) -> Callable[[], object]:
    import openvino

    hint = "bf16" if precision == "bf16" else "f32"
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": hint}
    read = openvino.Core().read_model(model)
    read.reshape([1, 3, RESOLUTION, RESOLUTION])
    request = openvino.compile_model(read, "CPU", options).create_infer_request()
    request.set_input_tensor(openvino.Tensor(image))
    return request.infer


def open_mnn(model: Path, image: FloatArray, precision: str) -> Callable[[], object]:
    import MNN

    config = {"backend": "CPU", "numThread": 1, "precision": "high"}
    manager = MNN.nn.create_runtime_manager((config,))
    module = MNN.nn.load_module_from_file(str(model), ["image"], [], runtime_manager=manager)
    given = MNN.expr.const(image, list(image.shape), MNN.expr.NCHW)
    return lambda: module.forward([given])


def open_ncnn(model: Path, image: FloatArray, precision: str) -> Callable[[], object]:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_packed = net.opt.use_bf16_storage = precision == "bf16"
    net.load_param(str(model))
    net.load_model(str(model.with_suffix(".bin")))
    given, (into,), (made,) = ncnn.Mat(image[0]).clone(), net.input_names(), net.output_names()

    def run() -> object:
        extractor = net.create_extractor()
        extractor.input(into, given)
        return extractor.extract(made)

    return run


def open_torch(network: "torch.nn.Module", image: FloatArray) -> Callable[[], object]:
    import torch
    from torch.fx.experimental.optimization import fuse

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    module, given = fuse(network.eval()), torch.from_numpy(image)
    return lambda: module(given)


OPENERS = {"onnxruntime": open_onnxruntime, "openvino": open_openvino, "mnn": open_mnn, "ncnn": open_ncnn}


def bare_ms(run: Callable[[], object], clock: Callable[[], int]) -> float:
    """The median of a few runs by the CPU's clock, in ms."""
    for _ in range(NUM_WARM_UP):
        run()
    times = []
    for _ in range(NUM_TIMED):
        start = clock()
        run()
        times.append(clock() - start)
    return float(np.median(times)) / 1e6


def main() -> None:
    """Print how far the three are apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--space", default="pn")
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found = find_target(arguments.target)
    if found is None:
        parser.error("there is no such target")
    spec = MeasureSpec(*found)
    runtime = spec.find_runtime()
    clock = time.thread_time_ns if runtime.clock == "thread" else time.process_time_ns
    space, rng = blockprof.load_space(arguments.space), np.random.default_rng(1)
    archs = sample_architectures(space, arguments.networks, rng)
    image = np.random.default_rng(0).standard_normal((1, 3, RESOLUTION, RESOLUTION)).astype(np.float32)
    found_ms = np.empty((3, arguments.rounds, len(archs)))
    with (
        tempfile.TemporaryDirectory() as folder,
        RuntimeProcess(runtime, spec) as first,
        RuntimeProcess(runtime, spec) as second,
    ):
        files = compose_files(archs, Path(folder), spec)
        models = convert(files, spec) if spec.runtime != "torch" else []
        for number in range(arguments.rounds):
            for index in rng.permutation(len(archs)).tolist():
                for place in rng.permutation(3).tolist():
                    if place == BARE:
                        if spec.runtime == "torch":
                            run = open_torch(build_network(archs, index), image)
                        else:
                            run = OPENERS[spec.runtime](models[index], image, spec.precision)
                        found_ms[place, number, index] = bare_ms(run, clock)
                        continue
                    process = (first, second)[place]
                    process.load("network", str(index), index, lambda index=index: files[index])  # type: ignore[misc]
                    found_ms[place, number, index] = np.median(process.time("network", str(index))[1].own_ms)
    report(spec, found_ms)


def compose_files(archs: Architectures, folder: Path, spec: MeasureSpec) -> list[Path]:
    """An ONNX file a network, each in a folder of its own."""
    store, files = FragmentStore(archs.space, quantized=spec.is_quantized), []
    for index in range(len(archs)):
        files.append(folder / str(index) / "network.onnx")
        files[-1].parent.mkdir()
        files[-1].write_bytes(compose_bytes(store, archs, index, resolution=RESOLUTION))
    return files


def convert(files: list[Path], spec: MeasureSpec) -> list[Path]:
    """The run-time's own files of them."""
    module, _, name = spec.find_runtime().engine.partition(":")
    engine = getattr(import_module(module), name)(Settings(spec.precision, spec.threads, spec.provider))
    return [engine.convert(file, {"image": (1, 3, RESOLUTION, RESOLUTION)}, file.parent) for file in files]


def report(spec: MeasureSpec, found_ms: FloatArray) -> None:
    """A row; ``found_ms`` is (3, rounds, networks): of two processes and the bare loop."""
    logs = np.log(found_ms)
    between, harness = logs[1] - logs[0], logs[:2].mean(axis=0) - logs[BARE]
    one, two = np.median(found_ms[:2], axis=1)
    print(
        f"| {spec.title} | {np.median(one):.1f} ms | {spearman(one, two):.3f} | {ratio(between)} | {ratio(harness)} |",
        flush=True,
    )


def ratio(logs: FloatArray) -> str:
    """The median of ratios, and how well it is known: 95 % by order statistics."""
    lower, upper = median_interval(logs.ravel())
    return f"{np.exp(np.median(logs)):.3f} ({np.exp(lower):.3f} to {np.exp(upper):.3f})"


if __name__ == "__main__":
    main()
