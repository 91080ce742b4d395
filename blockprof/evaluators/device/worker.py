"""The process that has a run-time loaded: it converts, loads and times networks as it is told, over a socket.

``python -m blockprof.evaluators.device.worker FD FOLDER``: a line of JSON in, a line of JSON out. It ends, and clears
the folder, when its standard input does, which the process that started it holds open: whatever ends that one.
"""

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.timing import Clocks, time_network
from blockprof.evaluators.runtimes import Loaded, Settings, Shapes, StartEngine
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.evaluators.device import model_inputs
else:
    model_inputs = lazy_import("blockprof.evaluators.device.model_inputs")  # boards have no onnx

_CPU_CLOCKS: dict[str | None, Callable[[], int] | None] = {
    "thread": time.thread_time_ns,
    "process": time.process_time_ns,
    None: None,
}

_CLEARINGS = 100


class Worker:
    """A run-time at work. Each public method is a request, and what it returns the answer."""

    def __init__(self) -> None:
        self._slots: dict[str, Loaded] = {}

    def start(self, engine: str, clock: str | None, spec: dict[str, Any]) -> None:
        """Import the engine, and set it up as the spec says."""
        module, _, name = engine.partition(":")
        self._spec = MeasureSpec(**spec)
        self._settings = Settings(self._spec.precision, self._spec.threads, self._spec.provider)
        self._start: StartEngine = getattr(import_module(module), name)
        self._engine = self._start(self._settings)
        self._clocks = Clocks(cpu=_CPU_CLOCKS[clock])

    def probe(self, precisions: list[str]) -> dict[str, str]:
        """Why each precision does not work; empty where it does."""
        return {precision: self._problem(precision) for precision in precisions}

    def _problem(self, precision: str) -> str:
        try:
            self._start(replace(self._settings, precision=precision))
        except InputError as error:
            return str(error)
        return ""

    def prepare(self, network: str, folder: str, model: str | None) -> dict[str, Any]:
        """Make the run-time's own model of an ONNX file, unless it is there; where it is, and the network's inputs."""
        inputs = model_inputs.read_inputs(Path(network))
        shapes: Shapes = {name: shape for name, (shape, _) in inputs.items()}
        made = model or os.fspath(self._engine.convert(Path(network), shapes, Path(folder)))
        return {"model": made, "inputs": inputs}

    def load(self, slot: str, model: str, inputs: dict[str, Any]) -> None:
        """Load what was prepared, in place of what the slot holds."""
        self._slots.pop(slot, None)
        rng = np.random.default_rng(self._spec.seed)
        feeds = {name: rng.standard_normal(shape).astype(dtype) for name, (shape, dtype) in inputs.items()}
        self._slots[slot] = self._engine.load(Path(model), feeds)

    def time(self, slot: str) -> dict[str, Any]:
        """Time what a slot holds."""
        started_s = time.time()
        loaded = self._slots[slot]
        clocks = Clocks(cpu=loaded.own_ns, is_device=True) if loaded.own_ns else self._clocks
        timing = time_network(loaded.run, self._spec, clocks)
        return {
            "started_s": started_s,
            "times_ns": timing.times_ns.tolist(),
            "waits_ns": timing.waits_ns.tolist(),
            "warm_up_runs": timing.warm_up_runs,
        }

    def outputs(self, slot: str, file: str) -> None:
        """Run what a slot holds once, and write what comes out as numbered arrays."""
        loaded = self._slots[slot]
        outputs = loaded.read(loaded.run())
        np.savez(file, *(np.array(output).astype(np.float32) for output in outputs))


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request says: what came of it, or the error."""
    try:
        return {"done": getattr(worker, request.pop("do"))(**request)}
    except Exception as error:  # a run-time may raise anything
        line = str(error).strip().partition("\n")[0] or type(error).__name__
        return {"error": line, "own": isinstance(error, BlockprofError), "input": isinstance(error, InputError)}


def _end_with_starter(folder: Path) -> None:
    sys.stdin.buffer.read()
    for _ in range(_CLEARINGS):  # the engine, or a converter, may be writing there meanwhile
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        time.sleep(0.01)
    os.killpg(0, signal.SIGKILL)  # a converter that it runs, too


def main() -> None:
    """Answer requests until the other end closes."""
    number, folder = sys.argv[1:]
    ending = Thread(target=_end_with_starter, args=(Path(folder),), daemon=True)
    ending.start()
    worker = Worker()
    with (
        suppress(ConnectionError),
        socket.socket(fileno=int(number)) as connection,
        connection.makefile("rw") as stream,
    ):
        for line in stream:
            print(json.dumps(answer(worker, json.loads(line))), file=stream, flush=True)
    ending.join()  # the other end is gone, and standard input with it


if __name__ == "__main__":
    main()
