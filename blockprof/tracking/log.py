"""Where a result is logged: to MLflow, or nowhere, by the same calls."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from blockprof import tracking
from blockprof.foundation.listener import SILENT, Listener

if TYPE_CHECKING:
    from blockprof.tracking import Run

T = TypeVar("T")


class Record(Protocol):
    """Logs to the run that is under way."""

    def __call__(self, log: "Callable[[Run], T]") -> T | None:
        """Call ``log`` with the run, and return what it returns; None where nothing is logged."""
        ...


class Tracker(Protocol):
    """What a verb of the api logs by: :class:`Log`, or :data:`NOT_LOGGED`."""

    def check(self) -> None:
        """Make sure, before long work, that its result can be logged.

        Raises:
            TrackingError, InputError: as ``tracking.check_store``.
        """
        ...

    def list_predictors(self, space: str) -> Sequence[str]:
        """The metrics whose predictors are registered where it logs to."""
        ...

    def run(
        self, command: str, space: str | None, listener: Listener = SILENT, subject: str = ""
    ) -> AbstractContextManager[Record]:
        """Begin a run of a command on a subject, and end it with the block; ``listener`` is told where it is then.

        Raises:
            TrackingError, InputError: as ``tracking.start_run``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """Logs to MLflow: a run called ``name`` of an ``experiment``.

    Where None, the name says what the run is of (``profile pn npu,accuracy``), and the experiment is
    MLFLOW_EXPERIMENT_NAME, else ``blockprof``.
    """

    name: str | None = None
    experiment: str | None = None

    def check(self) -> None:
        """As :meth:`Tracker.check`."""
        tracking.check_store(self.experiment)

    def list_predictors(self, space: str) -> Sequence[str]:
        """As :meth:`Tracker.list_predictors`."""
        return tracking.list_predictors(space)

    @contextmanager
    def run(self, command: str, space: str | None, listener: Listener = SILENT, subject: str = "") -> Iterator[Record]:
        """As :meth:`Tracker.run`."""
        with tracking.start_run(
            command, name=self.name, subject=subject, experiment=self.experiment, space=space
        ) as run:
            yield _To(run)
        listener.on_logged(run.name, run.id)


@dataclass(frozen=True, slots=True)
class _To:
    run: "Run"

    def __call__(self, log: "Callable[[Run], T]") -> T:
        return log(self.run)


class NullLog:
    """Logs nothing: no run is begun, and MLflow is not imported."""

    def check(self) -> None:
        """Nothing to check."""

    def list_predictors(self, _space: str) -> Sequence[str]:
        """None: a predictor that is registered elsewhere is no matter here."""
        return ()

    @contextmanager
    def run(
        self, _command: str, _space: str | None, _listener: Listener = SILENT, subject: str = ""
    ) -> Iterator[Record]:
        """Run the block alone."""
        yield _nowhere


def _nowhere(log: "Callable[[Run], T]") -> T | None:
    return None


NOT_LOGGED = NullLog()
