"""The process on a board: what it is asked comes as lines of JSON on standard input, its answers leave the same way.

It ends as soon as its input does, with all that it started: a measurement whose way is cut takes no time from the one
that comes after it. The folder stays then, for the process that goes on; whoever leaves for good says so.
"""

import fcntl
import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import numpy as np

from blockprof.evaluators.device.environment import read_environment
from blockprof.evaluators.device.worker import Worker, answer
from blockprof.evaluators.runtimes import find_runtime
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.journal_lines import pack

_LOCK = "blockprof-measure.lock"
"""As on this machine: one measurement at a time, whoever asks for it."""
_LOCK_WAIT_S = 10.0
_PREFIX = "blockprof-board-"


class BoardWorker(Worker):
    """A run-time at work on a board; paths are relative to its ``folder``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def examine(self, runtime: str, needs: Sequence[str]) -> dict[str, Any]:
        """What the board is like; the modules that the run-time needs and that are not there."""
        found = [module for module in needs if find_spec(module) is None]
        return {"environment": asdict(read_environment(find_runtime(runtime))), "missing": found}

    def missing(self, digests: dict[str, str]) -> list[str]:
        """Those of the files, by their SHA-256, that are not there."""
        return [path for path, digest in digests.items() if not self._holds(path, digest)]

    def _holds(self, path: str, digest: str) -> bool:
        file = self._folder / path
        return file.is_file() and sha256(file.read_bytes()).hexdigest() == digest

    def put(self, path: str, content: bytes) -> None:
        """Write a file."""
        file = self._folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise InputError(f"the board cannot write {file} ({error.strerror})", remedy="make room there") from None

    def prepare_sent(self, network: str, folder: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Make the run-time's own model of a file that was put; where it is, and the bytes of what was made."""
        made, shapes = self._folder / folder, {name: tuple(shape) for name, (shape, _) in inputs.items()}
        made.mkdir(parents=True, exist_ok=True)
        model = self._engine.convert(self._folder / network, shapes, made)
        size = sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
        return {"model": os.fspath(model), "inputs": inputs, "size": size}

    def forget(self, folder: str) -> None:
        """Remove what was made of a network."""
        shutil.rmtree(self._folder / folder, ignore_errors=True)

    def packed_outputs(self, slot: str) -> list[dict[str, Any]]:
        """Run what a slot holds once; what comes out, for a line."""
        loaded = self._slots[slot]
        return [pack(np.array(output).astype(np.float32)) for output in loaded.read(loaded.run())]

    def leave(self) -> None:
        """Remove the folder: nobody comes back."""
        shutil.rmtree(self._folder, ignore_errors=True)


def main(folder_name: str) -> None:
    """Answer requests until there are no more."""
    with suppress(OSError):  # it leads a group of its own already
        os.setsid()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever run-times print is no answer
    folder = Path(folder_name)
    _end_predecessor(folder / "pid")
    (folder / "pid").write_text(str(os.getpid()))
    _sweep(folder)
    requests: queue.SimpleQueue[tuple[dict[str, Any], bytes]] = queue.SimpleQueue()
    Thread(target=_receive, args=(sys.stdin.buffer, requests), daemon=True).start()
    worker = BoardWorker(folder)
    lock = _lock()
    while True:
        request, content = requests.get()
        if lock is None and request["do"] != "examine":
            done: dict[str, Any] = {
                "error": "another measurement runs on the board: wait until it ends, or end it",
                "own": True,
                "input": False,
            }
        else:
            done = answer(worker, request | ({"content": content} if request["do"] == "put" else {}))
        answers.write((json.dumps(done) + "\n").encode())
        answers.flush()


def _receive(stream: BinaryIO, requests: "queue.SimpleQueue[tuple[dict[str, Any], bytes]]") -> None:
    for line in iter(stream.readline, b""):
        request = json.loads(line)
        size = request.pop("size", 0)
        content = stream.read(size)
        if len(content) < size:
            break
        requests.put((request, content))
    os.killpg(0, signal.SIGKILL)


def _end_predecessor(file: Path) -> None:
    """End the process that had this folder before, should its end of the way not know yet that it is cut."""
    with suppress(OSError, ValueError):
        process = int(file.read_text())
        if _is_ours(process, file.parent):
            os.killpg(process, signal.SIGKILL)


def _is_ours(process: int, folder: Path) -> bool:
    """Whether a process is one of a folder: its number may be another's by now."""
    with suppress(OSError):
        return os.fsencode(folder.name) in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _sweep(own: Path) -> None:
    """Remove folders that processes left whose way was cut for good: those that none has had for a day."""
    for folder in own.parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder != own and time.time() - (folder / "pid").stat().st_mtime > 86_400:
                shutil.rmtree(folder, ignore_errors=True)


def _lock() -> int | None:
    """Hold the machine's lock until this process ends; None where another measurement has it."""
    path = os.path.join(tempfile.gettempdir(), _LOCK)
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_CREAT, 0o666)
    except OSError as error:
        raise BlockprofError(f"cannot be locked ({error.strerror})", where=path) from None
    for _ in _waiting(_LOCK_WAIT_S):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
            return file
    os.close(file)
    return None


def _waiting(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
