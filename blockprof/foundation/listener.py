"""How long work tells of its progress: to one listener, whatever the work is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blockprof.foundation.errors import Said


@dataclass(frozen=True, slots=True)
class Visited:
    """A network was measured: ``done`` of ``total`` visits are on disk; ``median_ms`` is this visit's."""

    name: str
    round: int
    median_ms: float
    done: int
    total: int


class Listener:
    """Hears of progress. Each method does nothing: a subclass overrides those it wants.

    What a method raises ends the work; whatever keeps a journal or a state is resumed by the same call.
    """

    def on_start(self, task: str) -> None:
        """``task`` begins, such as ``choosing networks``, whose steps cannot be counted."""

    def on_step(self, task: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of ``task`` are done, such as ``profiling``."""

    def on_visit(self, visit: Visited) -> None:
        """A network was measured once; nothing is timed while this runs."""

    def on_generation(self, number: int, found: Callable[[], Any]) -> None:
        """A search finished generation ``number``, from 0; ``found()`` works out its ``SearchResult`` so far."""

    def on_note(self, text: str | Said) -> None:
        """What the user may want to know, such as that a measurement is resumed."""

    def on_plan(self, plan: Any) -> None:
        """What is about to be done, such as a ``Campaign``, before the first of it."""

    def on_result(self, result: Any) -> None:
        """A result, such as a ``Profile``, before it is logged."""

    def on_logged(self, name: str, run_id: str) -> None:
        """All of it is logged, as the MLflow run ``name``."""


SILENT = Listener()
"""The listener of whoever wants to hear nothing."""


class Part(Listener):
    """Part ``index`` of ``parts`` equal parts of what another listener hears of."""

    def __init__(self, whole: Listener, index: int, parts: int) -> None:
        self._whole, self._index, self._parts = whole, index, parts

    def on_start(self, task: str) -> None:
        self._whole.on_start(task)

    def on_step(self, task: str, done: int, total: int) -> None:
        self._whole.on_step(task, self._index * total + done, self._parts * total)

    def on_visit(self, visit: Visited) -> None:
        self._whole.on_visit(visit)

    def on_generation(self, number: int, found: Callable[[], Any]) -> None:
        self._whole.on_generation(number, found)

    def on_note(self, text: str | Said) -> None:
        self._whole.on_note(text)

    def on_plan(self, plan: Any) -> None:
        self._whole.on_plan(plan)

    def on_result(self, result: Any) -> None:
        self._whole.on_result(result)

    def on_logged(self, name: str, run_id: str) -> None:
        self._whole.on_logged(name, run_id)
