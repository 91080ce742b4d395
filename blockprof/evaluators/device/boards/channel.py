"""A way to a process on a board, over ssh: what is written to it and comes back, as of a socket."""

import asyncio
import shlex
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import asyncssh

    from blockprof.evaluators.device.boards.board import Board
else:
    asyncssh = lazy_import("asyncssh")

T = TypeVar("T")

CONNECT_S = 20.0
KEEPALIVE_S, KEEPALIVES = 5.0, 3
"""A way that is silent for so long, so many times, is cut."""
_CLOSE_S = 5.0
_LAST_WORDS = 4000


class LinkLostError(Exception):
    """The way to the board is cut; what became of the process there is not known."""


class Channel:
    """A process on a board. It is as much of a socket as is needed of one.

    Known hosts, keys, agents and ``~/.ssh/config`` are those of ssh; no password is ever asked for.

    Raises:
        InputError: the board's key is not known, or it takes none of the user's.
        LinkLostError: it cannot be reached.
    """

    def __init__(self, board: "Board", command: list[str]) -> None:
        self._board, self._timeout_s = board, CONNECT_S
        self._words = bytearray()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._wait(self._start(shlex.join(command)), CONNECT_S + _CLOSE_S)
        except BaseException as error:
            self._stop()
            raise self._explained(error) from None

    async def _start(self, command: str) -> None:
        board = self._board
        given: dict[str, Any] = {"username": board.user} if board.user else {}
        given |= {"port": board.port} if board.port else {}
        self._connection = await asyncssh.connect(
            board.host.strip("[]"),
            **given,
            connect_timeout=CONNECT_S,
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=KEEPALIVES,
        )
        self._process: asyncssh.SSHClientProcess[bytes] = await self._connection.create_process(command, encoding=None)
        self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        """Keep the last words of what the process prints."""
        with suppress(OSError, asyncssh.Error):
            while chunk := await self._process.stderr.read(1 << 16):
                self._words += chunk
                del self._words[:-_LAST_WORDS]

    def _explained(self, error: BaseException) -> BaseException:
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return InputError(
                f"its host key is not known ({error.reason})",
                where=self._board.name,
                remedy=f"connect once with `ssh {self._board.address}` and compare the key",
                code="unknown-host-key",
            )
        if isinstance(error, asyncssh.PermissionDenied):
            return InputError(
                "it takes none of your keys",
                where=self._board.name,
                remedy=f"give it one with `ssh-copy-id {self._board.address}`",
                code="no-key",
            )
        if isinstance(error, OSError | asyncssh.Error | TimeoutError | CancelledError):
            return LinkLostError(str(error) or type(error).__name__)
        return error

    def settimeout(self, seconds: float) -> None:
        """How long to wait for what comes next."""
        self._timeout_s = seconds

    def sendall(self, content: bytes) -> None:
        """Send bytes; what a process that has ended is sent is lost."""

        async def send() -> None:
            self._process.stdin.write(content)
            await self._process.stdin.drain()

        self._attempt(send())

    def recv(self, most: int) -> bytes:
        """Wait for bytes: at most so many, and none where the process has ended.

        Raises:
            TimeoutError: nothing came.
            LinkLostError: the way is cut.
        """
        found = self._attempt(self._process.stdout.read(most))
        if not found and not self.has_ended:
            raise LinkLostError("the connection was closed")
        return found or b""

    def _attempt(self, doing: Coroutine[Any, Any, T]) -> T | None:
        """What it gives; None where the process has ended meanwhile."""
        try:
            return self._wait(doing, self._timeout_s)
        except TimeoutError:
            raise
        except (OSError, asyncssh.Error) as error:
            if not self.has_ended:
                raise LinkLostError(str(error) or type(error).__name__) from None
            return None

    @property
    def has_ended(self) -> bool:
        """Whether the process did, as the board says; else the way there is cut, or both are well."""
        try:
            self._wait(self._process.wait_closed(), _CLOSE_S)
        except (TimeoutError, OSError, asyncssh.Error):
            return False
        return self._process.exit_status is not None or self._process.exit_signal is not None

    def ending(self) -> tuple[str, str]:
        """How the process ended, and the last line that it printed."""
        status, by = self._process.exit_status, self._process.exit_signal
        how = f"ended by SIG{by[0]}" if by else f"ended with code {status}"
        lines = [line.strip() for line in self._words.decode(errors="replace").splitlines() if line.strip()]
        return how, lines[-1] if lines else ""

    def close(self) -> None:
        """Cut the way, once; the process ends with it."""
        if self._loop.is_closed():
            return

        async def close() -> None:
            self._connection.close()
            await self._connection.wait_closed()

        try:
            self._wait(close(), _CLOSE_S)
        except (TimeoutError, OSError, asyncssh.Error):
            self._connection.abort()
        self._stop()

    def _wait(self, doing: Coroutine[Any, Any, T], seconds: float) -> T:
        if self._loop.is_closed():
            doing.close()
            raise LinkLostError("it was closed")
        future = asyncio.run_coroutine_threadsafe(doing, self._loop)
        try:
            return future.result(seconds)
        except BaseException:
            future.cancel()
            raise

    def _stop(self) -> None:
        async def cancel_all() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel_all(), self._loop).result(_CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S)
        self._loop.close()


def check_installed() -> None:
    """Check that asyncssh is there.

    Raises:
        InputError: it is not; the message says what installs it.
    """
    try:
        _ = asyncssh.connect
    except ModuleNotFoundError:
        raise InputError("asyncssh is not installed", remedy="`pip install 'blockprof[ssh]'`") from None


def unreachable(board: "Board", error: LinkLostError) -> BlockprofError:
    """The error of a board that is not reached."""
    return BlockprofError(f"cannot be reached ({error})", where=board.name, remedy="see that it is on, then go on")
