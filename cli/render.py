"""Tables on the terminal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from blockprof.figures import GOOD_TO_BAD, caption, format_value
from blockprof.profiling import MetricProfile, Profile

if TYPE_CHECKING:
    from pathlib import Path

    from blockprof.fetching import FetchedFile
    from blockprof.predictors import TrainedPredictor
    from blockprof.tracking import RegisteredPredictor

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

EXTREMES_SHOWN = 5


@contextmanager
def progress(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while work goes on; the function yielded takes how many steps of how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(description, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


@contextmanager
def working(description: str) -> Iterator[None]:
    """Show on stderr that work goes on whose steps cannot be counted."""
    with err.status(description):
        yield


def print_run(name: str, run_id: str) -> None:
    """Print under which name and id the run was logged."""
    out.print(f"\nrun [bold]{name}[/bold] {run_id}  (mlflow ui shows it)", soft_wrap=True)


def print_paths(paths: "Sequence[Path]") -> None:
    """Print which files were written."""
    for path in paths:
        out.print(f"wrote {path}", soft_wrap=True)


def print_files(files: "Sequence[FetchedFile]") -> None:
    """Print the files that are there now."""
    for file in files:
        nets = f", {len(file.latencies):,} networks, device {file.latencies.device}" if file.latencies else ""
        out.print(f"{file.path}{nets}", soft_wrap=True)
        out.print(Text(f"  sha256 {file.sha256}", style="dim"), soft_wrap=True)


def print_training(trained: "TrainedPredictor") -> None:
    """Print how well a predictor does on its test networks, beside the baselines."""
    split, test = trained.split, trained.test
    out.print(
        f"trained on {len(split.train):,} networks in {trained.seconds:.2f} s; "
        f"{test.num_rows:,} other networks to test, {len(split.dev):,} held back"
    )
    table = Table(show_edge=False, pad_edge=False)
    columns = ("", "MAPE %", "RMSE ms", "in 5 %", "in 10 %", "Spearman", "Kendall", "top-10 %")
    for column in columns:
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for label, scores in {"blockwise": test.scores, **test.baselines}.items():
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
    out.print(table)
    out.print(
        f"90 % intervals: {test.interval.coverage_percent:.1f} % of the test networks lie inside, "
        f"width {test.interval.width_percent:.1f} % of the latency"
    )


def print_registered(registered: "RegisteredPredictor") -> None:
    """Print the predictor's name and version, and whether it is the champion."""
    comparison = registered.comparison
    if comparison is None:
        why = "the first version: it is the champion"
    elif comparison.problem:
        why = f"version {comparison.champion_version} stays champion: {comparison.problem}"
    else:
        than = f"MAPE {comparison.mape:.2f} % against {comparison.champion_mape:.2f} % of version"
        verdict = "it is the champion now" if registered.is_champion else "which stays champion"
        why = f"{than} {comparison.champion_version} on the same {comparison.num_rows:,} networks: {verdict}"
    out.print(f"registered [bold]{registered.name}[/bold] version {registered.version}, {why}")


def print_profile(profile: Profile) -> None:
    """Print each metric's response heat map and its dearest and cheapest placements."""
    for metric in profile.metrics:
        out.print()
        random_mean = metric.statistics.column("mean")[0]
        out.print(Text(f"{metric.info.label}: ", style="bold") + Text(metric.info.source))
        out.print(f"random networks: {_value(random_mean, metric)}{_interval(metric)}")
        if profile.blocks:
            out.print(_heatmap(profile, metric))
        out.print(_extremes(profile, metric))
        out.print(Text(caption(profile, metric), style="dim"))


def _value(value: float, metric: MetricProfile) -> str:
    return f"{format_value(value, metric.statistics.column('mean'))} {metric.info.unit}"


def _interval(metric: MetricProfile) -> str:
    half = metric.statistics.half_widths[0]
    return "" if metric.num_archs is None else f" ± {half:.2g} (95 %, {metric.num_archs:,} networks)"


def _heatmap(profile: Profile, metric: MetricProfile) -> Table:
    responses = profile.response_frame()
    rows = responses[responses["metric"] == metric.info.name]
    values = {(int(e), int(k)): float(r) for e, k, r in zip(rows.expand, rows.kernel, rows.response, strict=True)}
    shown = np.array(list(values.values()))
    table = Table(title=f"Block response, {metric.info.label}", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("expansion", justify="right")
    for kernel in profile.space.kernels:
        table.add_column(f"{kernel} x {kernel}", justify="center")
    for expand in reversed(profile.space.expands):
        cells = [
            _coloured(values[expand, kernel], shown, metric) if (expand, kernel) in values else Text("")
            for kernel in profile.space.kernels
        ]
        table.add_row(str(expand), *cells)
    return table


def _coloured(value: float, among: np.ndarray, metric: MetricProfile) -> Text:
    from matplotlib import colormaps

    low, high = among.min(), among.max()
    share = (value - low) / (high - low) if high > low else 0.5
    shade = colormaps[GOOD_TO_BAD](1 - share if metric.info.higher_is_better else share)
    red, green, blue = (round(255 * part) for part in shade[:3])
    ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 127 else "white"
    return Text(f" {format_value(value, among)} ", style=f"{ink} on rgb({red},{green},{blue})")


def _extremes(profile: Profile, metric: MetricProfile) -> Table:
    frame = profile.placement_frame()
    rows = frame[frame["metric"] == metric.info.name].sort_values("effect", ascending=False, kind="stable")
    among = rows["effect"].to_numpy()
    count = min(EXTREMES_SHOWN, len(rows))
    high, low = ("best", "worst") if metric.info.higher_is_better else ("dearest", "cheapest")
    table = Table(title=f"Placements, effect on {metric.info.label}", title_justify="left", show_edge=False)
    for heading in (high, "effect", low, "effect"):
        table.add_column(heading, justify="right" if heading == "effect" else "left")
    for (_, top), (_, bottom) in zip(rows[:count].iterrows(), rows[::-1][:count].iterrows(), strict=True):
        table.add_row(top["placement"], _signed(top, among), bottom["placement"], _signed(bottom, among))
    return table


def _signed(row: "pd.Series[float]", among: np.ndarray) -> str:
    value = float(row["effect"])
    sign = "+" if value >= 0 else "-"
    half = (float(row["effect_upper"]) - float(row["effect_lower"])) / 2
    return f"{sign}{format_value(abs(value), among)}" + (f" ± {half:.2g}" if half > 0 else "")
