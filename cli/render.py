"""What the commands print: results on stdout; progress, notes and where things are on stderr."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from blockprof.cli import delivery
from blockprof.cli.terminal import Terminal
from blockprof.cli.wording import worded
from blockprof.foundation import interrupts
from blockprof.foundation.errors import Said
from blockprof.foundation.listener import Listener, Visited
from blockprof.foundation.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from blockprof.latency_data import LatencyData


class _Printable:
    """What another prints, without what a terminal would obey: passwords and control characters are not shown."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style, control in console.render(self._inner, options):
            yield Segment(text if control else shown(text), style, control)


class _Guard(RenderHook):
    """Whatever a console prints, through :class:`_Printable`."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Printable(each) for each in renderables]


def _console(*, stderr: bool = False) -> Terminal:
    # Names of runs, files and devices are the user's: a bracket or a colon in one is no markup.
    console = Terminal(stderr=stderr, highlight=False, markup=False, emoji=False)
    console.push_render_hook(_Guard())
    return console


out = _console()
err = _console(stderr=True)

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 60.0


class Bars(Listener):
    """Draws a bar for the task that goes on, on stderr, in a terminal; prints plans and results by ``plan``, ``show``.

    A bar is drawn when there is news: a thread that draws would take time from what is measured.
    """

    def __init__(
        self,
        show: Callable[[Any], None] | None = None,
        plan: Callable[[Any], None] | None = None,
    ) -> None:
        self._show, self._plan = show, plan
        self._task = ""
        self._bars: Progress | None = None
        self._began_s = self._told_s = time.monotonic()

    def on_start(self, task: str) -> None:
        self._draw(task, None, None)

    def on_step(self, task: str, done: int, total: int) -> None:
        self._draw(task, done, total)

    def on_visit(self, visit: Visited) -> None:
        self._draw("visits", visit.done, visit.total, f"round {visit.round}, {visit.median_ms:.3g} ms")

    def on_note(self, text: str | Said) -> None:
        note(worded(text))

    def on_plan(self, plan: Any) -> None:
        self.clear()
        if self._plan:
            self._plan(plan)

    def on_result(self, result: Any) -> None:
        self.clear()
        delivery.current().give(result, self._show)

    def on_logged(self, name: str, run_id: str) -> None:
        self.clear()
        print_run(name, run_id)
        delivery.current().run = name

    def clear(self) -> None:
        """Leave nothing of the bar that is drawn."""
        if self._bars:
            self._bars.stop()
        self._task, self._bars = "", None

    def _draw(self, task: str, done: int | None, total: int | None, text: str | None = None) -> None:
        interrupts.check()
        if delivery.current().quiet:
            return
        if not err.is_terminal:
            self._tell(task, done, total, text)
            return
        if self._bars is None or task != self._task:
            self.clear()
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._task, self._bars = task, Progress(*columns, console=err, transient=True, auto_refresh=False)
            self._bars.add_task(task, total=None)
            self._bars.start()
        bar = self._bars.task_ids[0]
        self._bars.update(bar, description=text or task, completed=done, total=total, refresh=True)

    def _tell(self, task: str, done: int | None, total: int | None, text: str | None) -> None:
        """Print a line a minute where no bar can be drawn: long work is then seen to go on."""
        now = time.monotonic()
        if task != self._task:
            self._task, self._began_s, self._told_s = task, now, now
        if done and total and now - self._told_s >= SECONDS_BETWEEN_LINES:
            self._told_s = now
            left = (now - self._began_s) / done * (total - done) / 60
            print_aside(f"{task}: {done:,} of {total:,}{f', {text}' if text else ''}, about {left:.0f} min left")


@contextmanager
def listening(
    show: Callable[[Any], None] | None = None,
    plan: Callable[[Any], None] | None = None,
) -> Iterator[Bars]:
    """What the library tells of its progress, its plans and its results while the block runs, on the terminal."""
    bars = Bars(show, plan)
    try:
        yield bars
    finally:
        bars.clear()


@contextmanager
def working(description: str) -> Iterator[None]:
    """Show on stderr that work goes on whose steps cannot be counted."""
    if delivery.current().quiet:
        yield
        return
    with err.status(description):
        yield


def give(result: T, show: Callable[[T], None]) -> None:
    """Save and print a result that no listener is told of."""
    delivery.current().give(result, show)


def note(text: str) -> None:
    """Print on stderr what the user should know, but did not ask for."""
    print_aside(f"note: {text}")


def print_aside(text: str | Text) -> None:
    """Print on stderr what is no result, unless the user wants results only."""
    if not delivery.current().quiet:
        _print_whole(err, text)


def print_line(text: str | Text) -> None:
    """Print prose on stdout."""
    _print_whole(out, text)


def _print_whole(console: Terminal, text: str | Text) -> None:
    # Only a terminal has a width: lines in a file or a pipe are for programs to search.
    console.print(text, soft_wrap=not console.is_terminal)


def print_run(name: str, run_id: str) -> None:
    """Print on stderr under which name and id the run was logged."""
    print_aside(Text.assemble("logged to MLflow as run ", (name, "bold"), f", id {run_id}"))


def print_paths(paths: "Sequence[Path]") -> None:
    """Print which files were written, as the command's result."""
    for path in paths:
        out.print(f"wrote {path}", soft_wrap=True)


def print_table(columns: "Sequence[str]", rows: "Sequence[Sequence[str]]", *, is_whole: bool = False) -> None:
    """Print a table, whose first column is never broken, nor any where it ``is_whole``."""
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=is_whole or column == columns[0])
    for row in rows:
        table.add_row(*row)
    out.print_table(table)


def count_networks(data: "LatencyData", noun: str = " networks") -> str:
    """Say how many ``noun`` there are, and how many rows where some have several: ``80 networks (240 rows)``."""
    rows = f" ({len(data):,} rows)" if len(data) > data.num_networks else ""
    return f"{data.num_networks:,}{noun}{rows}"
