"""What ``profile`` prints: the answer first, then each metric's tables, then where the numbers come from."""

from math import isnan

import pandas as pd
from rich.table import Table
from rich.text import Text

from blockprof.cli import render
from blockprof.output.answers import profile_answers, with_interval
from blockprof.output.captions import profile_caption
from blockprof.output.charts.profiles import response_heatmap
from blockprof.output.draw_rich import draw_heatmap
from blockprof.profiling import HeldOut, MetricProfile, Profile
from blockprof.profiling.findings import effect_parts

EXTREMES_SHOWN = 5
_TITLES = {"contrast": "against the blocks there", "depth_effect": "layer being there", "effect": "effect"}


def print_profile(profile: Profile) -> None:
    """Print what a profile says in words, then each metric's response heat map and its most and least of placements."""
    space = profile.space
    render.print_line("")
    render.print_line(f"{space.title} ({space.name}) at resolution {profile.resolution}")
    for answer in profile_answers(profile):
        render.print_line("")
        render.print_line(Text(answer.heading, style="bold"))
        for line in answer.lines:
            render.print_line(f"  {line}")
    placements = profile.placement_frame()
    for metric in profile.metrics:
        _print_metric(profile, metric, placements[placements["metric"] == metric.info.name])


def _print_metric(profile: Profile, metric: MetricProfile, rows: pd.DataFrame) -> None:
    if profile.blocks:
        better = "higher" if metric.info.higher_is_better else "lower"
        render.print_line(f"\nresponse of a block: {metric.info.label}, mean over its places ({better} is better)")
        render.out.print_table(draw_heatmap(response_heatmap(profile, metric)))
    if len(effect_parts(rows)) > 1:
        render.print_line(f"\n{metric.info.label}: a block against the mean block there, and its effect in all")
    else:
        render.print_line(f"\neffect of a placement on {metric.info.label}, against random networks")
    render.out.print_table(_extremes(metric, rows))
    if metric.check:
        _print_check(metric, metric.check)
    render.print_line(Text(profile_caption(profile, metric), style="dim"))


def _print_check(metric: MetricProfile, check: HeldOut) -> None:
    """Print how additive a pooled metric is, and what the pool saves; on stderr, that it is not additive."""
    known = "" if isnan(check.repeatability_percent) else f", measured again to {check.repeatability_percent:.2f} %"
    unit = "%" if check.relative else "percentage points"
    render.print_line(
        f"networks left out are predicted to {check.errors_percent.std():.2f} {unit}{known} (standard deviations); "
        f"{check.additive_percent:.1f} % of the variance between networks is additive"
    )
    if metric.num_independent is not None:
        render.print_line(
            f"for effects as sure, independent networks for each placement, as BlockProfile draws them, would be "
            f"{metric.num_independent:,} evaluations"
        )
    if not check.is_additive:
        render.note("this metric is far from additive: its effects are means that say little about single networks")


def _extremes(metric: MetricProfile, rows: pd.DataFrame) -> Table:
    """The placements with the greatest contrasts and the least, with both parts of their effects; all if they are few.

    By effects where contrasts are not known.
    """
    parts = effect_parts(rows)
    by = parts[0]
    ordered = rows.sort_values(by, ascending=False, kind="stable", na_position="last")
    known = ordered[ordered[by].notna()]
    table = Table(show_edge=False, pad_edge=False)
    high, low = ("best", "worst") if metric.info.higher_is_better else ("most expensive", "cheapest")
    is_long = len(known) >= 2 * EXTREMES_SHOWN
    table.add_column(high if is_long else "placement", overflow="fold")
    for part in parts:
        table.add_column(_TITLES[part], justify="right")

    def add(shown: pd.DataFrame) -> None:
        for _, row in shown.iterrows():
            table.add_row(row["placement"], *(_signed(row, part, ordered, metric.known_to) for part in parts))

    if is_long:
        add(known.head(EXTREMES_SHOWN))
        table.add_section()
        table.add_row(Text(low, style="bold"))
        table.add_section()
        add(known.tail(EXTREMES_SHOWN)[::-1])
    else:
        add(ordered)
    return table


def _signed(row: "pd.Series[float]", part: str, rows: pd.DataFrame, known_to: float) -> str:
    value, among = row[part], rows["effect"].to_numpy()
    if isnan(value):
        return ""
    if value == 0:  # the layer is in every network
        return "0"
    return ("+" if value >= 0 else "-") + with_interval(abs(value), row[f"{part}_upper"] - value, among, known_to)
