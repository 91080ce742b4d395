"""What ``compare`` prints, and learning curves."""

from collections.abc import Hashable
from math import isnan
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.table import Table

from blockprof.cli import render
from blockprof.comparing import ProfileComparison
from blockprof.comparing.places import most_changed
from blockprof.foundation.scores import CONFIDENCE
from blockprof.output.numbers import format_value

if TYPE_CHECKING:
    from blockprof.comparing import MetricPair, PredictorComparison
    from blockprof.comparing.targets import Targets
    from blockprof.predictors import LearningCurve


CHANGES_SHOWN = 10
_SCORES = {
    "mape_percent": ("MAPE %", ".2f"),
    "rmse_ms": ("RMSE ms", ".3g"),
    "within_5_percent": ("in 5 %", ".1f"),
    "within_10_percent": ("in 10 %", ".1f"),
    "spearman": ("Spearman", ".4f"),
}
_ALL_SCORES = _SCORES | {
    "kendall": ("Kendall", ".4f"),
    "top10_overlap_percent": ("top-10 %", ".0f"),
    "coverage_percent": ("in 90 % intervals", ".1f"),
    "width_percent": ("their width %", ".1f"),
}


def show(comparison: "PredictorComparison | ProfileComparison") -> None:
    """Print a comparison of either kind."""
    if isinstance(comparison, ProfileComparison):
        print_profiles(comparison)
    else:
        print_predictors(comparison)


def print_predictors(comparison: "PredictorComparison") -> None:
    """Print every predictor's scores on the same rows, the differences with their intervals, and which is better."""
    render.print_line(f"{len(comparison.rows):,} rows of {comparison.num_networks:,} networks, the same for all")
    table = _table("", *comparison.labels)
    for name, (title, digits) in _ALL_SCORES.items():
        table.add_row(title, *(_cell(value, digits) for value in comparison.scores[name].tolist()))
    render.out.print_table(table)
    render.print_line("\ndifferences, with 95 % intervals (paired bootstrap over networks)")
    for (first, second), rows in comparison.differences.groupby(["first", "second"], sort=False):
        table = _table(f"{second} minus {first}", "difference", "interval", "better", left=(0, 3))
        for row in rows.to_dict("records"):
            title, digits = _SCORES[row["score"]]
            interval = f"{row['lower']:{digits}} to {row['upper']:{digits}}"
            table.add_row(title, f"{row['difference']:+{digits}}", interval, row["better"] or "neither")
        render.out.print_table(table)
        render.print_line("")
    for sentence in comparison.verdicts():
        render.print_line(sentence)


def print_profiles(comparison: "ProfileComparison") -> None:
    """Print what profiles or targets differ in, in words, what that costs, and then the tables of each pair."""
    for text in comparison.left_out:
        render.note(text)
    for pair in comparison.pairs:
        story = pair.story()
        render.print_line(story[0])
        for sentence in story[1:]:
            render.print_line(f"  {sentence}")
    if comparison.targets:
        _print_targets(comparison.targets)
    for pair in comparison.pairs:
        _print_pair(pair)


def _print_targets(targets: "Targets") -> None:
    """Print what choosing for one target costs on another, and what was measured of that."""
    render.print_line("\nregret: the most accurate network for one target within a limit, run on another")
    limits = dict.fromkeys(f"{one.chosen_for} {one.limit_ms:.4g} ms" for one in targets.regrets)
    render.print_line(f"limits: {', '.join(limits)}")
    table = _table("chosen for", "run on", "takes ms", "points lost", "ms lost", left=(0, 1))
    for one in targets.regrets:
        points = _span(one.points, one.points_interval, ".2f")
        lost = _span(one.lost_ms, one.lost_ms_interval, ".3g")
        table.add_row(one.chosen_for, one.run_on, f"{one.ms:.4g}", points, lost)
    render.out.print_table(table)
    render.print_line(
        "points lost: its own network of the same time is as much more accurate; ms lost: its own network of the same "
        "accuracy is as much faster"
    )
    render.print_line(targets.greatest().sentence())
    render.print_line(f"{targets.accuracy.label}: {targets.accuracy.provenance}")
    for sentence in targets.verified_sentences():
        render.print_line(sentence)


def _span(value: float, bounds: tuple[float, float], digits: str) -> str:
    low, high = bounds
    return f"{value:{digits}}" if low == high else f"{value:{digits}} ({low:{digits}} to {high:{digits}})"


def _print_pair(pair: "MetricPair") -> None:
    """Print how far two metrics agree, which blocks change rank at their places, and the responses side by side."""
    if pair.is_equal:
        return
    render.print_line("")
    render.print_line(pair.verdict())
    if len(pair.blocks):
        render.print_line("\nresponse of a block, and its rank (1 is the greatest)")
        render.out.print_table(_ranks(pair, pair.blocks))
    changed, moved = most_changed(pair.places), pair.placements[pair.placements["beyond"] != 0]
    if len(changed):
        shown = f"the {CHANGES_SHOWN} most" if len(changed) > CHANGES_SHOWN else "all"
        render.print_line(
            "\nblocks against the others at their place, in percent of a random network, that change rank there beyond "
            f"their intervals, {shown}"
        )
        render.out.print_table(_ranks(pair, changed.head(CHANGES_SHOWN), in_percent=True))
    elif len(moved):
        most = moved.loc[moved["beyond"].abs().sort_values(ascending=False, kind="stable").index]
        shown = f"the {CHANGES_SHOWN} most" if len(most) > CHANGES_SHOWN else "all"
        render.print_line(f"\neffects that change rank beyond their intervals, {shown}")
        render.out.print_table(_ranks(pair, most.head(CHANGES_SHOWN)))
    if len(pair.differences):
        _print_differences(pair)


def _ranks(pair: "MetricPair", rows: pd.DataFrame, *, in_percent: bool = False) -> Table:
    first_unit, second_unit = ("%", "%") if in_percent else (pair.first_unit, pair.second_unit)
    table = _table("", f"{pair.first} ({first_unit})", "rank", f"{pair.second} ({second_unit})", "rank", "beyond")
    for row in rows.to_dict("records"):
        cells = []
        for side in ("first", "second"):
            among = rows[side].to_numpy(dtype=float)
            half = (row[f"{side}_upper"] - row[f"{side}_lower"]) / 2
            value = format_value(row[side], among)
            cells += [f"{value} ± {format_value(half, among)}" if half > 0 else value, _rank(row, side)]
        table.add_row(row["name"], *cells, f"{row['beyond']:+d}" if row["beyond"] else "")
    return table


def _rank(row: "dict[Hashable, Any]", side: str) -> str:
    rank, least, most = (row[f"{side}_{name}"] for name in ("rank", "rank_least", "rank_most"))
    return f"{rank}" if least == most else f"{rank} ({least}-{most})"


def _print_differences(pair: "MetricPair") -> None:
    """Print how far the same metric is apart in two profiles."""
    rows = pair.differences
    random = rows[rows["kind"] == "random"].iloc[0]
    among = rows["difference"].to_numpy(dtype=float)
    low, middle, high = (format_value(random[name], among) for name in ("lower", "difference", "upper"))
    render.print_line(
        f"\nrandom networks: {pair.second} minus {pair.first} is {middle} {pair.first_unit}"
        + (f" ({low} to {high})" if random["lower"] < random["upper"] else "")
    )
    for kind in ("response", "effect"):
        part = rows[rows["kind"] == kind]
        if len(part):
            apart = int(part["is_beyond_noise"].sum())
            far = part.iloc[int(part["difference"].abs().to_numpy().argmax())]
            at = f", at most by {format_value(abs(far['difference']), among)} {pair.first_unit}, at {far['name']}"
            is_exact = (part["lower"] == part["upper"]).all()
            chance = "" if is_exact else f" ({round((1 - CONFIDENCE) * len(part))} would by chance)"
            render.print_line(
                f"{apart} of {len(part)} {kind}s differ beyond their intervals{chance}{at if apart else ''}"
            )


def _table(*columns: str, left: tuple[int, ...] = (0,)) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index in left else "right", overflow="fold")
    return table


def _cell(value: float, digits: str) -> str:
    return "" if isnan(value) else f"{value:{digits}}"


def print_curve(curve: "LearningCurve | None") -> None:
    """Print the error by number of training networks, and how many to measure; nothing where there is no curve."""
    if curve is None:
        return
    render.print_line(f"\nerror of {curve.kind} by number of training networks, {curve.mape_percent.shape[1]} draws")
    table = Table(show_edge=False, pad_edge=False)
    for column in ("networks", "MAPE %", "lowest", "highest", "in 90 % intervals"):
        table.add_column(column, justify="right", no_wrap=True)
    for size, step in curve.steps().items():
        values = (step[f"learning_curve.{name}"] for name in ("mape_percent", "mape_percent_min", "mape_percent_max"))
        table.add_row(
            f"{size:,}", *(f"{value:.2f}" for value in values), f"{step['learning_curve.coverage_percent']:.1f}"
        )
    render.out.print_table(table)
    render.print_line(curve.advice())
