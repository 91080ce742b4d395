"""A listener that keeps what it hears."""

from collections.abc import Callable
from dataclasses import dataclass, field

from blockprof.foundation.errors import Said
from blockprof.foundation.listener import Listener, Visited
from blockprof.searching.result import SearchResult


@dataclass
class Heard(Listener):
    """Keeps what it hears. With ``stop_at`` it raises ``error`` when so many steps are done."""

    stop_at: int | None = None
    error: type[BaseException] = KeyboardInterrupt
    tasks: list[str] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)
    visits: list[Visited] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    results: list[SearchResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    told: list[object] = field(default_factory=list)
    logged: list[tuple[str, str]] = field(default_factory=list)

    def on_start(self, task: str) -> None:
        self.tasks.append(task)

    def on_step(self, task: str, done: int, total: int) -> None:
        self.tasks.append(task)
        self.steps.append((done, total))
        if done == self.stop_at:
            raise self.error

    def on_visit(self, visit: Visited) -> None:
        self.visits.append(visit)

    def on_generation(self, number: int, found: Callable[[], SearchResult]) -> None:
        self.numbers.append(number)
        self.results.append(found())

    def on_note(self, text: str | Said) -> None:
        self.notes.append(str(text))

    def on_result(self, result: object) -> None:
        self.told.append(result)

    def on_logged(self, name: str, run_id: str) -> None:
        self.logged.append((name, run_id))
