"""Small real ONNX models, a lock of one's own, and measuring in other processes."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test's own, so that tests running side by side do not lock each other out."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="session")
def conv_model() -> Callable[..., bytes]:
    """Make a chain of 3 x 3 convolutions and ReLUs, serialized; ``shape`` is of the input, in place of ``size``."""

    def make(channels: int = 8, layers: int = 2, size: int = 16, shape: tuple[int | str, ...] | None = None) -> bytes:
        rng = np.random.default_rng(0)
        nodes, weights, previous, depth = [], [], "input", 3
        for layer in range(layers):
            kernel = rng.standard_normal((channels, depth, 3, 3)).astype(np.float32) / np.float32(3 * depth**0.5)
            weights.append(numpy_helper.from_array(kernel, f"w{layer}"))
            nodes.append(helper.make_node("Conv", [previous, f"w{layer}"], [f"c{layer}"], pads=[1, 1, 1, 1]))
            nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]))
            previous, depth = f"r{layer}", channels
        given = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape or (1, 3, size, size))
        made = helper.make_tensor_value_info(previous, TensorProto.FLOAT, ["batch", channels, "height", "width"])
        graph = helper.make_graph(nodes, "convs", [given], [made], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    return make


@pytest.fixture(scope="session")
def model_folder(conv_model: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four networks of well under a millisecond."""
    folder = tmp_path_factory.mktemp("models")
    for number in range(4):
        (folder / f"net{number}.onnx").write_bytes(conv_model(layers=2 + number))
    return folder


@dataclass(frozen=True)
class Worker:
    """A running ``worker.py``."""

    process: "subprocess.Popen[str]"

    def allow_turn(self) -> None:
        """Let it go on to its next visit, where it was started with ``--turns``."""
        print(file=self.process.stdin, flush=True)

    def take_turn(self) -> int:
        """Let it make one visit; gives how many it then has made."""
        self.allow_turn()
        return int(self.process.stdout.readline())

    def finish(self) -> tuple[list[int], str]:
        """Wait for its end; gives what it counted on the way, and its errors."""
        out, error = self.process.communicate(timeout=120)
        return [int(line) for line in out.split()], error


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    """Start ``worker.py`` with arguments in a process of its own, which is killed at the end of the test."""
    workers: list[Worker] = []

    def start(*arguments: object, spec: dict[str, object], temporary: Path | None = None) -> Worker:
        command = [sys.executable, str(WORKER), *map(str, arguments), "--spec", json.dumps(spec)]
        environment = os.environ | ({"TMPDIR": str(temporary)} if temporary else {})
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)
        workers.append(Worker(process))
        return workers[-1]

    yield start
    for worker in workers:
        worker.process.kill()
        worker.process.wait()
        for stream in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
            stream.close()
