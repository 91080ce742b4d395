"""A run-time in a process of its own: whatever it does there, it costs its own measurement only."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from blockprof.evaluators.device.kept_models import KeptModels
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.timing import Timing
from blockprof.evaluators.runtimes import Runtime
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import BlockprofError, InputError

Model = bytes | str | os.PathLike[str]
"""A serialized ONNX model, or the path of one."""

KEPT_BYTES = 1_000_000_000
"""Models that were made are kept while measuring, up to so many bytes; others are made again for each visit."""

_MODULE = "blockprof.evaluators.device.worker"
_END_S = 5.0


class Connection(Protocol):
    """The way to a process: what is needed of a socket."""

    def settimeout(self, seconds: float, /) -> None: ...
    def sendall(self, content: bytes, /) -> None: ...
    def recv(self, most: int, /) -> bytes: ...
    def close(self) -> None: ...


class RuntimeProcess:
    """A run-time, started when it is entered and ended when it is left.

    ``load`` puts a network in a slot, in place of the one that is there; ``time`` and ``outputs`` run what a slot
    holds. All raise :class:`BlockprofError` where the run-time cannot do it, ends unexpectedly or takes too long, and
    :class:`InputError` where the settings are wrong; the message is one line that names the network.
    """

    _connection: Connection

    def __init__(self, runtime: Runtime, spec: MeasureSpec) -> None:
        self._runtime, self._spec = runtime, spec
        self._kept_models = KeptModels(runtime, spec.precision)
        self._models: dict[Hashable, dict[str, Any]] = {}
        self._kept_bytes = 0

    def __enter__(self) -> "RuntimeProcess":
        runtime = self._runtime
        self._folder = Path(tempfile.mkdtemp(prefix="blockprof-runtime-"))
        ours, theirs = socket.socketpair()
        self._connection = ours
        with theirs, (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                # -P: a file in the current folder is no module.
                [runtime.python, "-P", "-m", _MODULE, str(theirs.fileno()), os.fspath(self._folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                env=self._environment(),
                start_new_session=True,  # a group, to be ended together, and not by Ctrl-C
            )
        try:
            self._ask("start", "start", engine=runtime.engine, clock=runtime.clock, spec=asdict(self._spec))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        """Variables of the process: what it leaves in the temporary folder goes with it."""
        inherited = os.environ | {"TMPDIR": os.fspath(self._folder)}
        if not self._runtime.environment:
            return inherited | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return {name: value for name, value in inherited.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

    def load(self, slot: str, name: str, key: Hashable, build: Callable[[], Model]) -> None:
        """Load a network: ``name`` is what messages call it, ``key`` tells it from others, ``build`` makes it."""
        prepared = self._models.get(key)
        files = self._folder / str(len(self._models))
        if prepared is None:
            prepared = self._prepare(name, build(), files)
        self._ask("load", name, slot=slot, **prepared)
        if key in self._models:
            return
        size = sum(file.stat().st_size for file in files.rglob("*"))
        if self._kept_bytes + size <= KEPT_BYTES:
            self._models[key] = prepared
            self._kept_bytes += size
        else:
            shutil.rmtree(files)

    def _prepare(self, name: str, model: Model, files: Path) -> dict[str, Any]:
        try:
            files.mkdir()
            network = files / "network.onnx"
            if isinstance(model, bytes):
                network.write_bytes(model)
            else:
                network = Path(model)
        except OSError as error:
            raise InputError(
                f"cannot be written ({error.strerror})", where=files, remedy="make room, or set TMPDIR"
            ) from error
        serialized = network.read_bytes() if self._runtime.converters else b""
        kept = self._kept_models.find(serialized, files)
        request = {"network": str(network), "folder": str(files), "model": str(kept) if kept else None}
        prepared: dict[str, Any] = self._ask("convert", name, "prepare", **request)
        made = Path(prepared["model"])
        if not kept:
            self._kept_models.keep(serialized, made, files)
        if isinstance(model, bytes) and made != network:
            network.unlink()
        return prepared

    def probe(self) -> dict[str, str]:
        """Of each of the run-time's precisions, why it does not work here; empty where it does."""
        title, precisions = self._runtime.title, list(self._runtime.precisions)
        problems: dict[str, str] = self._ask("start", title, "probe", precisions=precisions)
        return problems

    def time(self, slot: str, name: str) -> tuple[float, Timing]:
        """When it began, in seconds since 1970, and the times."""
        answer = self._ask("run", name, "time", slot=slot)
        times_ns, waits_ns = (np.array(answer[each], dtype=np.int64) for each in ("times_ns", "waits_ns"))
        return answer["started_s"], Timing(times_ns, waits_ns, answer["warm_up_runs"])

    def outputs(self, slot: str, name: str) -> list[FloatArray]:
        """What the network gives for the seeded input."""
        file = self._folder / "outputs.npz"
        self._ask("run", name, "outputs", slot=slot, file=str(file))
        with np.load(file, allow_pickle=False) as arrays:
            return [arrays[key] for key in arrays.files]

    def _ask(self, verb: str, name: str, do: str | None = None, **request: object) -> Any:
        """Send a request, and wait for its answer; ``verb`` is what cannot be done where it fails."""
        title = self._runtime.title
        what = title if verb == "start" else f"{title} on {name}"
        self._connection.settimeout(self._runtime.limit_s)
        try:
            self._send({"do": do or verb, **request})
            line = self._receive()
        except TimeoutError:
            self._kill()
            raise BlockprofError(
                f"{what}: no answer to '{do or verb}' in {self._runtime.limit_s:g} s: it was ended"
            ) from None
        except OSError:
            line = b""
        if not line:
            raise BlockprofError(f"{what}: {self._ending()}")
        answer = json.loads(line)
        if "error" not in answer:
            return answer["done"]
        if answer["own"]:
            kind = InputError if answer["input"] else BlockprofError
            raise kind(answer["error"] if verb == "start" else f"{name}: {answer['error']}")
        raise BlockprofError(
            f"{title} cannot {verb}: {answer['error']}"
            if verb == "start"
            else f"{title} cannot {verb} {name}: {answer['error']}"
        )

    def _send(self, request: dict[str, Any]) -> None:
        self._connection.sendall((json.dumps(request) + "\n").encode())

    def _kill(self) -> None:
        """End it and what it runs, such as a converter."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _receive(self) -> bytes:
        """A line; what came of it where the other end is gone."""
        received = bytearray()
        while not received.endswith(b"\n"):
            chunk = self._connection.recv(1 << 20)
            if not chunk:
                return b""
            received += chunk
        return bytes(received)

    def _ending(self) -> str:
        """How the process ended by itself, and its last words."""
        code = self._process.wait()
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        log = (self._folder / "log").read_text(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(log) if line.strip()), "")
        return f"its process {how}" + (f" ({last})" if last else "")
