"""SIGINT, SIGTERM and SIGHUP as exceptions that are not lost, and are raised where a program can bear them.

Python raises what a handler raises wherever the program happens to be: in a weak reference's callback, which drops it,
or between a database's commit and the note of it. So the handler only takes note, and the next step of progress
(:func:`check`) raises. Code that makes no progress for a second is interrupted where it is: the signal is sent again,
until somebody says that it was heard (:func:`heard`). A second Ctrl-C interrupts at once.
"""

import _weakrefset
import signal
import time
import weakref
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread, current_thread, get_ident, main_thread
from types import FrameType

GRACE_SECONDS = 1.0
"""How long the program has to come to its next step, and once a signal was raised, to end."""
_UNWIND_SECONDS = 2.0
_STEP_SECONDS = 0.05
_DROPPING = (weakref.__file__, _weakrefset.__file__)
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


class TerminatedError(SystemExit):
    """SIGTERM or SIGHUP, with the shell's exit code."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


@dataclass
class _State:
    """The signal that came first, whether the program ends because of it, and when it is raised if it was not yet.

    ``handled``: whether a block handles signals; ``done``: whether one that comes now is too late to change anything.
    """

    number: int | None = None
    heard: Event = field(default_factory=Event)
    due: float = 0.0
    handled: bool = False
    done: bool = False

    def exception(self) -> BaseException:
        self.due = time.monotonic() + _UNWIND_SECONDS
        return KeyboardInterrupt() if self.number == signal.SIGINT else TerminatedError(self.number or 0)


_state = _State()


def check() -> None:
    """Raise, in the main thread, the signal that came and was not heard yet.

    Raises:
        KeyboardInterrupt: SIGINT came.
        TerminatedError: SIGTERM or SIGHUP came.
    """
    if _is_waiting() and current_thread() is main_thread():
        raise _state.exception()


def pending() -> signal.Signals | None:
    """The signal that came since signals are handled and the work was not done, heard or not."""
    return None if _state.number is None or _state.done else signal.Signals(_state.number)


def heard() -> None:
    """Say that the program ends because of the signal: it is not raised again, nor is another one."""
    if current_thread() is main_thread():
        _state.heard.set()


def work_is_done() -> None:
    """Say that all is done but what is printed of it: a signal is then too late; only a second one ends the program.

    Raises:
        KeyboardInterrupt, TerminatedError: a signal came before; the work is not done.
    """
    check()
    _state.done = _state.handled and current_thread() is main_thread()


@contextmanager
def handled() -> Iterator[None]:
    """Handle signals in this block, in the main thread; those that somebody handles or ignores already stay theirs."""
    if current_thread() is not main_thread() or _state.handled:
        yield
        return
    numbers = [signal.Signals[name] for name in NAMES if hasattr(signal, name)]
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) in _DEFAULTS}
    _state.number, _state.handled, _state.done = None, True, False
    _state.heard.clear()
    for number in before:
        signal.signal(number, _take_note)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _take_note:
                signal.signal(number, handler)
        _state.heard.set()
        _state.handled = False


def _is_waiting() -> bool:
    return _state.number is not None and not _state.heard.is_set() and not _state.done


def _take_note(number: int, frame: FrameType | None) -> None:
    if _state.heard.is_set():
        return
    if _state.number is None:
        _state.number, _state.due = number, time.monotonic() + GRACE_SECONDS
        if not _state.done:
            Thread(target=_insist, args=(get_ident(), number), daemon=True).start()
    elif _is_dropping(frame):
        _state.due = time.monotonic() + _STEP_SECONDS
    else:
        raise _state.exception()


def _is_dropping(frame: FrameType | None) -> bool:
    """Whether Python would print what is raised, and go on: in a finaliser, or a callback of its weak collections."""
    while frame:
        if frame.f_code.co_name == "__del__" or frame.f_code.co_filename in _DROPPING:
            return True
        frame = frame.f_back
    return False


def _insist(thread: int, number: int) -> None:
    """Send the signal again: it ends a system call that waits, and is raised where the main thread then is."""
    while not _state.heard.wait(max(_state.due - time.monotonic(), 0)):
        if time.monotonic() >= _state.due:
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(thread, number)
            else:
                interrupt_main(signal.Signals(number))
            _state.due = time.monotonic() + GRACE_SECONDS


def sleep(seconds: float) -> None:
    """Sleep, until a signal comes.

    Raises:
        KeyboardInterrupt, TerminatedError: as :func:`check`.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(left, _STEP_SECONDS))
