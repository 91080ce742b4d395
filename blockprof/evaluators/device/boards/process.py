"""A run-time on a board, as one in a process here: what differs is the way there, which may be cut."""

import json
import secrets
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.boards.bundle import make_bundle
from blockprof.evaluators.device.boards.channel import Channel, LinkLostError, check_installed, unreachable
from blockprof.evaluators.device.environment import Environment
from blockprof.evaluators.device.model_inputs import read_inputs
from blockprof.evaluators.device.process import Model, RuntimeProcess
from blockprof.evaluators.device.records import decode_environment
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.timing import Timing
from blockprof.evaluators.runtimes import Runtime
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.journal_lines import unpack
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.networks import onnx
else:
    onnx = lazy_import("blockprof.networks.onnx")

T = TypeVar("T")

KEPT_BYTES = 200_000_000
"""Models that were made are kept on the board up to so many bytes: its temporary folder may be memory."""

RETRY_S = 600.0
"""For so long a board that was cut off is sought again."""
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)

_BOOT = """
import os, sys, tempfile
if sys.version_info < (3, 11):
    sys.exit("blockprof needs Python 3.11 or later there, and this is %d.%d" % sys.version_info[:2])
folder = os.path.join(tempfile.gettempdir(), "blockprof-board-" + sys.argv[1])
os.makedirs(folder, mode=0o700, exist_ok=True)
bundle = sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))
path = os.path.join(folder, "blockprof-%d.zip" % os.getpid())
with open(path, "wb") as file:
    file.write(bundle)
sys.path.insert(0, path)
from blockprof.evaluators.device.boards.remote import main
main(folder)
"""


class BoardProcess(RuntimeProcess):
    """A run-time on a board; used as :class:`RuntimeProcess`.

    Where the way there is cut, it is sought again for ten minutes, and what was loaded is loaded again: what was asked
    when it was cut is asked once more. The process that was cut off ends by itself, or is ended by the next.
    """

    _connection: Channel

    def __init__(self, board: Board, runtime: Runtime, spec: MeasureSpec, note: Callable[[str], None]) -> None:
        super().__init__(runtime, spec)
        self._board, self._note = board, note
        self._token = secrets.token_hex(6)
        self._loaded: dict[str, tuple[str, Hashable, Callable[[], Model]]] = {}
        self._count = 0

    def __enter__(self) -> "BoardProcess":
        check_installed()
        try:
            self._open()
        except LinkLostError as error:
            raise unreachable(self._board, error) from None
        try:
            self._keeping_on(self._start)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BlockprofError, LinkLostError, TimeoutError):
            self._connection.settimeout(5.0)
            self._connection.sendall(b'{"do": "leave"}\n')
            self._receive()
        self._connection.close()

    def _open(self) -> None:
        """Start the process there; it has what the one before it left in its folder."""
        channel = Channel(self._board, [self._board.python, "-c", _BOOT, self._token])
        self._connection = channel
        bundle = make_bundle()
        channel.sendall(b"%d\n" % len(bundle) + bundle)

    def _start(self) -> None:
        runtime = self._runtime
        self._ask("start", "start", engine=runtime.engine, clock=runtime.clock, spec=asdict(self._spec))

    def examine(self) -> dict[str, Any]:
        """What the board is like, and the modules of the run-time that are not there; without starting it."""
        check_installed()
        try:
            self._open()
        except LinkLostError as error:
            raise unreachable(self._board, error) from None
        try:
            found: dict[str, Any] = self._ask(
                "start", "board", "examine", runtime=self._runtime.name, needs=list(self._runtime.needs)
            )
        except LinkLostError as error:
            raise unreachable(self._board, error) from None
        finally:
            self.__exit__()
        return found

    def load(self, slot: str, name: str, key: Hashable, build: Callable[[], Model]) -> None:
        self._loaded[slot] = name, key, build
        self._keeping_on(lambda: self._load(slot, name, key, build))

    def _load(self, slot: str, name: str, key: Hashable, build: Callable[[], Model]) -> None:
        prepared = self._models.get(key)
        if prepared is not None:
            self._ask("load", name, slot=slot, **prepared)
            return
        model = build()
        serialized = model if isinstance(model, bytes) else Path(model).read_bytes()
        try:
            inputs = read_inputs(serialized)
        except BlockprofError as error:
            raise BlockprofError(error, where=name) from None
        network, weights = onnx.share_weights(serialized)
        self._count += 1
        file, folder = f"network{self._count}.onnx", f"made{self._count}"
        self._put(name, {file: network, **weights})
        prepared = self._ask("convert", name, "prepare_sent", network=file, folder=folder, inputs=inputs)
        size = prepared.pop("size")
        self._ask("load", name, slot=slot, **prepared)
        if self._kept_bytes + size <= KEPT_BYTES:
            self._models[key] = prepared
            self._kept_bytes += size
        else:
            self._ask("convert", name, "forget", folder=folder)

    def _put(self, name: str, contents: dict[str, bytes]) -> None:
        """Bring files there, those that are not."""
        digests = {path: sha256(content).hexdigest() for path, content in contents.items()}
        for path in self._ask("convert", name, "missing", digests=digests):
            self._ask("convert", name, "put", content=contents[path], path=path)

    def time(self, slot: str, name: str) -> tuple[float, Timing]:
        return self._keeping_on(lambda: super(BoardProcess, self).time(slot, name))

    def outputs(self, slot: str, name: str) -> list[FloatArray]:
        packed = self._keeping_on(lambda: self._ask("run", name, "packed_outputs", slot=slot))
        return [unpack(each, "f") for each in packed]

    def _keeping_on(self, attempt: Callable[[], T]) -> T:
        """What an attempt gives; where the way is cut, what the next does."""
        while True:
            try:
                return attempt()
            except LinkLostError as error:
                self._reconnect(error)

    def _reconnect(self, cause: LinkLostError) -> None:
        """Have the same run-time there again, with what was loaded."""
        self._note(f"the connection to {self._board.name} is cut ({cause}): trying again")
        self._connection.close()
        end = time.monotonic() + RETRY_S
        for number in count():
            try:
                self._open()
                self._start()
                self._models.clear()
                self._kept_bytes = 0
                for slot, (name, key, build) in self._loaded.items():
                    self._load(slot, name, key, build)
                break
            except LinkLostError as error:
                if time.monotonic() > end:
                    raise BlockprofError(
                        f"was not reached again in {RETRY_S / 60:.0f} minutes ({error})",
                        where=self._board.name,
                        remedy="run the same command again: it resumes",
                    ) from None
                time.sleep(_PAUSES_S[min(number, len(_PAUSES_S) - 1)])
        self._note(f"{self._board.name} is back")

    def _send(self, request: dict[str, Any]) -> None:
        content = request.pop("content", b"")
        told = request | ({"size": len(content)} if content else {})
        self._connection.sendall((json.dumps(told) + "\n").encode() + content)

    def _kill(self) -> None:
        self._connection.close()

    def _ending(self) -> str:
        how, words = self._connection.ending()
        return f"its process on {self._board.name} {how}" + (f" ({words})" if words else "")


def examine(board: Board, runtime: Runtime) -> Environment:
    """What a board is like, with a run-time that is installed there.

    Raises:
        InputError: the board's key is not known, it takes none of the user's, or has not the run-time.
        BlockprofError: it cannot be reached, or has no such Python.
    """
    found = BoardProcess(board, runtime, MeasureSpec(), lambda _: None).examine()
    if found["missing"]:
        raise InputError(
            f"{runtime.title} is not installed there (there is no {', '.join(found['missing'])})",
            where=board.name,
            remedy=f"`{runtime.install}` for {board.python}, or give another interpreter of it",
        )
    return decode_environment(found["environment"])
