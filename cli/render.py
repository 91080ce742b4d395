"""What the commands print: results on stdout; progress, notes and where things are on stderr."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
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
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import Listener, Visited
from blockprof.foundation.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from blockprof import predictors
    from blockprof.api.fetching import Fetched
    from blockprof.fetching import published, uses
    from blockprof.fetching.published import Catalogue
    from blockprof.latency_data import LatencyData
    from blockprof.networks.onnx import NetworkFile
    from blockprof.predictors import CrossValidation, TrainedPredictor
    from blockprof.tracking import RegisteredPredictor
else:
    predictors = lazy_import("blockprof.predictors")
    published = lazy_import("blockprof.fetching.published")
    uses = lazy_import("blockprof.fetching.uses")


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

EXTREMES_SHOWN = 5
SECONDS_BETWEEN_LINES = 60.0
OUTLIERS_SHOWN = 5


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


def print_network(file: "NetworkFile") -> None:
    """Print what a network's ONNX file holds, and whether it was run."""
    print_paths([file.path])
    ports = (
        f"{label} {port.name} ({', '.join(map(str, port.shape))})"
        for label, port in (("input", file.source), ("output", file.result))
    )
    print_line(f"{', '.join(ports)}, float32; opset {file.opset}, {file.num_bytes / 1e6:.1f} MB")
    print_line("the weights are random: they do not change the latency, but the logits mean nothing")
    if file.error is None:
        print_line("passed ONNX's checker; not run")
    else:
        print_line(f"passed ONNX's checker; ONNX Runtime's logits equal torch's to {file.error:.0e}")


def print_files(fetched: "Fetched") -> None:
    """Print the files that are there now."""
    for file in fetched.files:
        nets = f", {count_networks(file.latencies)}, device {file.latencies.device}" if file.latencies else ""
        out.print(f"{file.path}{nets}", soft_wrap=True)
        pinned = f" (none is published: kept in {file.pinned_in})" if file.pinned_in else ""
        out.print(Text(f"  sha256 {file.sha256}{pinned}", style="dim"), soft_wrap=True)


def print_sources(catalogue: "Catalogue") -> None:
    """Print the published data that there is, its files, and how much of it is in the data folder."""
    rows = [
        (
            source.name,
            ", ".join(source.spaces),
            f"{len(published.present(source, catalogue.folder))} of {len(source.files)}",
            _size(source.num_bytes),
            source.license or "not stated",
            source.title,
        )
        for source in catalogue.sources
    ]
    print_table(("source", "space", "here", "size", "license", "what it is"), rows)
    print_line("\nfiles, as --files takes them")
    print_table(
        ("source", "files"), [(one.name, ", ".join(file.name for file in one.files)) for one in catalogue.sources]
    )


def print_source(catalogue: "Catalogue") -> None:
    """Print the files of one source, by the names that --files takes, which are in the data folder, and what takes
    each.
    """
    (source,) = catalogue.sources
    there = published.present(source, catalogue.folder)
    print_line(f"{source.name}: {source.title}; license: {source.license or 'not stated'}")
    rows = [
        (
            file.name,
            ", ".join(file.spaces),
            "yes" if file in there else "no",
            _size(file.remote.num_bytes),
            str(file.target),
        )
        for file in source.files
    ]
    print_table(("file", "space", "here", "size", "path in the data folder"), rows)
    print_line("\nwhat takes them")
    for command in dict.fromkeys(uses.command_for(file.target, file.spaces[0]) for file in source.files):
        out.print(f"  {command}", soft_wrap=True)


def print_table(columns: "Sequence[str]", rows: "Sequence[Sequence[str]]", *, is_whole: bool = False) -> None:
    """Print a table, whose first column is never broken, nor any where it ``is_whole``."""
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=is_whole or column == columns[0])
    for row in rows:
        table.add_row(*row)
    out.print_table(table)


def _size(num_bytes: int | None) -> str:
    return "unknown" if num_bytes is None else f"{num_bytes / 1e6:.2f} MB"


def count_networks(data: "LatencyData", noun: str = " networks") -> str:
    """Say how many ``noun`` there are, and how many rows where some have several: ``80 networks (240 rows)``."""
    rows = f" ({len(data):,} rows)" if len(data) > data.num_networks else ""
    return f"{data.num_networks:,}{noun}{rows}"


def print_training(trained: "TrainedPredictor", data: "LatencyData", folds: "CrossValidation | None" = None) -> None:
    """Print how well a predictor does on its test networks, of ``data``, beside its cross-validation and baselines."""
    split, test = trained.split, trained.test
    train, held_back, tested = (data.select(rows) for rows in (split.train, split.dev, split.test))
    origin = (
        f"imported from {trained.source}"
        if trained.source
        else f"trained on {count_networks(train)} in {trained.seconds:.2f} s"
    )
    to_test = count_networks(tested, " other networks")
    print_line(f"{origin}; {to_test} to test, {count_networks(held_back, '')} held back")
    table = Table(show_edge=False, pad_edge=False)
    columns = ("", "MAPE %", "RMSE ms", "in 5 %", "in 10 %", "Spearman", "Kendall", "top-10 %")
    for column in columns:
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    crossed = {"10 folds": folds.scores} if folds else {}
    for label, scores in {trained.model.kind: test.scores, **crossed, **test.baselines}.items():
        table.add_row(
            label.replace("flops", "FLOPs").replace("_", " "),
            f"{scores.mape_percent:.2f}",
            f"{scores.rmse_ms:.3g}",
            f"{scores.within_5_percent:.1f}",
            f"{scores.within_10_percent:.1f}",
            f"{scores.spearman:.4f}",
            f"{scores.kendall:.4f}",
            f"{scores.top10_overlap_percent:.0f}",
        )
    out.print_table(table)
    print_line(
        f"90 % intervals: {test.interval.coverage_percent:.1f} % of the test rows lie inside, "
        f"width {test.interval.width_percent:.1f} % of the latency"
    )
    if folds:
        print_line(
            f"10 folds: {folds.data.num_networks:,} networks, each predicted by a predictor of the others; "
            f"{folds.interval.coverage_percent:.1f} % lie inside, width {folds.interval.width_percent:.1f} %"
        )


def note_few_tests(num_networks: int, folds: "CrossValidation | None" = None) -> None:
    """Print on stderr, where the test networks are few, that they tell little, and what tells more."""
    if num_networks < predictors.FEW_TEST_NETWORKS:
        more = (
            f"the 10 folds, of all {folds.data.num_networks:,}, tell more" if folds else "measure more to know better"
        )
        note(f"scores and coverage of only {num_networks} test networks are rough: {more}")


def note_outliers(trained: "TrainedPredictor", data: "LatencyData", folds: "CrossValidation | None" = None) -> None:
    """Print on stderr which rows of ``data`` are outliers: left out of the fit, or in the scores."""
    rows = trained.outliers.to_frame(trained.model, data)
    split = trained.split
    sizes = {"training": len(split.train), "dev": len(split.dev), "test": len(split.test)}
    for name, size in sizes.items():
        if (found := rows[rows["part"] == name.removesuffix("ing")]).empty:
            continue
        one = len(found) == 1
        count = f"{len(found):,} of {size:,} {name} rows {'is' if one else 'are'}"
        if name == "training":
            note(f"{count} left out of the fit, far from what the other rows predict")
        else:
            without = (trained.dev if name == "dev" else trained.test).sound_mape_percent
            them = "it" if one else "them"
            scores = f"the {name} scores include {them}, MAPE without {them}: {without:.2f} %"
            note(f"{count} far from the prediction; {scores}")
        _note_rows(found)
    if folds and (number := int(folds.is_outlier.sum())):
        them = "it" if number == 1 else "them"
        rows_are = "row is" if number == 1 else "rows are"
        note(
            f"{number:,} {rows_are} far from the prediction of the 10 folds; their scores include {them}, MAPE without "
            f"{them}: {folds.sound_mape_percent:.2f} %"
        )


def _note_rows(rows: pd.DataFrame) -> None:
    for row in rows.head(OUTLIERS_SHOWN).itertuples():
        print_aside(f"  row {row.row}: {row.latency_ms:.4g} ms, expected {row.predicted_ms:.4g} ms")
    if len(rows) > OUTLIERS_SHOWN:
        print_aside(f"  and {len(rows) - OUTLIERS_SHOWN:,} more (outliers.csv of a logged run has all)")


def print_registered(registered: "RegisteredPredictor") -> None:
    """Print the predictor's name and version, whether it is the champion and why; else how to make it the champion."""
    what = "it is the champion now" if registered.is_champion else "the champion stays"
    named = Text.assemble("registered ", (registered.name, "bold"), f" version {registered.version}, {what}: ")
    print_line(named + registered.reason)
    if not registered.is_champion:
        print_line("to make it the champion all the same:")
        out.print(registered.champion_command, soft_wrap=True)
