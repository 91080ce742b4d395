"""What is asked of a store: in a thread, so that Ctrl-C ends the wait, and again where a server is ill, within limits.

All retries of a command share one budget: the MLFLOW_HTTP_REQUEST_MAX_RETRIES of the user, else 30 seconds. Where it is
used up, the server counts as gone, and is not asked again until :func:`renew` says so.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from threading import Lock, Thread
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import mlflow
import requests

from blockprof.foundation import interrupts
from blockprof.foundation.errors import ServerGoneError, TrackingError
from blockprof.foundation.text import masked
from blockprof.tracking import settings
from blockprof.tracking.translation import one_line, translated

BUDGET_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 8.0
_POLL_SECONDS = 0.05
_SAY_SECONDS = 3.0
_LOCAL_END_SECONDS, _REMOTE_END_SECONDS = 1.5, 0.3
_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"

_log = logging.getLogger("blockprof")
_T = TypeVar("_T")
_P = ParamSpec("_P")


class _Retries:
    """MLflow's own retries, switched off while something is sent: they know of no budget."""

    def __init__(self) -> None:
        self._lock, self._senders, self._given = Lock(), 0, os.environ.get(_RETRIES)

    def given(self) -> int | None:
        """What the user set; None where nothing is set."""
        with self._lock:
            text = (self._given if self._senders else os.environ.get(_RETRIES)) or ""
        return int(text) if text.isdigit() else None

    @contextmanager
    def off(self) -> Iterator[None]:
        with self._lock:
            if not self._senders:
                self._given = os.environ.get(_RETRIES)
            self._senders += 1
            os.environ[_RETRIES] = "0"
        try:
            yield
        finally:
            with self._lock:
                self._senders -= 1
                if not self._senders:
                    os.environ.pop(_RETRIES)
                    if self._given is not None:
                        os.environ[_RETRIES] = self._given


_retries = _Retries()


@dataclass
class _Budget:
    """What is left for retries. ``gone`` says why the server is not asked any more."""

    seconds: float = BUDGET_SECONDS
    retries: int | None = field(default_factory=_retries.given)
    gone: str | None = None
    lock: Lock = field(default_factory=Lock)

    def is_used_up(self) -> bool:
        return self.seconds <= 0 if self.retries is None else self.retries <= 0

    def spend(self, seconds: float) -> None:
        with self.lock:
            if self.retries is None:
                self.seconds -= seconds
            else:
                self.retries -= 1

    def left(self) -> str:
        return f"{max(self.seconds, 0):.0f} s" if self.retries is None else f"{self.retries} times"


_budget = _Budget()


def renew() -> None:
    """Give retries their whole budget: a command begins, or a server that was gone has answered."""
    global _budget
    _budget = _Budget()


def send(task: str, work: Callable[[], _T]) -> _T:
    """Do ``work``, which asks the store, and do it again where a server does not answer or is ill.

    ``work`` runs in a thread of its own, and may have been done though no answer came: doing it twice must be the same
    as once.

    Raises:
        ServerGoneError: the server is gone, or ill, and the budget of all retries used up.
        TrackingError: the store refuses, or the disk does.
        KeyboardInterrupt, TerminatedError: a signal came.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        if _budget.gone:
            raise ServerGoneError(f"{task} failed: {_budget.gone}")
        began = time.monotonic()
        try:
            with settings.applied(), _retries.off(), translated(task):
                return waited_for(task, work)
        except TrackingError as error:
            reason = describe_illness(error)
            if reason is None:
                raise
            _budget.spend(time.monotonic() - began)
            if _budget.is_used_up():
                _budget.gone = reason
                raise ServerGoneError(f"{task} failed: {reason}") from error
            _log.warning("%s: %s; trying again, for %s at most", task, reason, _budget.left())
            interrupts.sleep(pause)
            if _budget.retries is None:
                _budget.spend(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def sent(task: str) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Have a function that asks the store do so by :func:`send`."""

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        @wraps(function)
        def sending(*arguments: _P.args, **options: _P.kwargs) -> _T:
            return send(task, lambda: function(*arguments, **options))

        return sending

    return decorate


def waited_for(task: str, work: Callable[[], _T], seconds: float | None = None) -> _T:
    """Do ``work`` in a thread and wait for it, ``seconds`` at most; a wait that takes long is said.

    Raises:
        TrackingError: no result in time.
        KeyboardInterrupt, TerminatedError: a signal came; ``work`` had a little time to end.
    """
    outcome: Future[_T] = Future()

    def attempt() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=attempt, daemon=True).start()
    try:
        for _ in _polls(task, seconds):
            try:
                return outcome.result(_POLL_SECONDS)
            except FutureTimeoutError:
                if outcome.done():
                    raise
            interrupts.check()
    except (KeyboardInterrupt, interrupts.TerminatedError):
        # A write to a local store that is under way ends as a whole.
        _let_end(outcome)
        raise
    raise TrackingError(f"{task}: no answer within {seconds:g} seconds", code="no-answer-in-time")


def _let_end(outcome: "Future[_T]") -> None:
    try:
        outcome.exception(_REMOTE_END_SECONDS if is_remote() else _LOCAL_END_SECONDS)
    except FutureTimeoutError:
        return


def _polls(task: str, seconds: float | None) -> Iterator[None]:
    began, said = time.monotonic(), False
    while seconds is None or time.monotonic() - began < seconds:
        if not said and is_remote() and time.monotonic() - began > _SAY_SECONDS:
            said = True
            _log.warning("%s: waiting for the tracking server %s", task, server())
        yield


def is_remote() -> bool:
    """Whether runs or predictors are kept by a server that is asked over HTTP."""
    return any(urlsplit(uri).scheme in ("http", "https") for uri in (mlflow.get_tracking_uri(), _registry()))


def server() -> str:
    """The tracking server's address, without a password."""
    return masked(mlflow.get_tracking_uri())


def _registry() -> str:
    return str(mlflow.get_registry_uri())


def describe_illness(error: BaseException) -> str | None:
    """What is wrong with the server, where ``error`` says that it does not answer or is ill; None for other errors."""
    for cause in _chain(error):
        if isinstance(cause, requests.HTTPError):
            status = cause.response.status_code if cause.response is not None else 0
            return f"the server {server()} is ill (status {status})" if status >= 500 else None
        if isinstance(cause, requests.exceptions.RetryError):
            told = one_line(cause)
            status_text = next((word for word in told.split() if word.isdigit() and len(word) == 3), "")
            return f"the server {server()} is ill (status {status_text})" if status_text else told
        if isinstance(cause, requests.Timeout):
            return f"the server {server()} does not answer"
        if isinstance(cause, requests.ConnectionError):
            return f"the server {server()} does not answer ({one_line(_deepest(cause))})"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def _deepest(error: BaseException) -> BaseException:
    *_, last = _chain(error)
    return last
