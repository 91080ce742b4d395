"""What a profile says in words, the answer first: in a terminal, on its report, and in its run's description."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray
from blockprof.output.numbers import format_value
from blockprof.profiling import MetricProfile, Profile
from blockprof.profiling.findings import Findings, find, practical, trades

NAMED = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a metric, or of two together: a heading, and a sentence a line."""

    heading: str
    lines: tuple[str, ...]


def profile_answers(profile: Profile) -> tuple[Answer, ...]:
    """What to avoid, what it costs, what makes no difference; then what costs much and gains little."""
    gains, costs = gains_and_costs(profile)
    bargains = [_of_trade(profile, gain, cost) for gain in gains for cost in costs]
    return (
        *(_of_metric(find(profile, metric)) for metric in profile.metrics),
        *(answer for answer in bargains if answer.lines),
    )


def gains_and_costs(profile: Profile) -> tuple[list[MetricProfile], list[MetricProfile]]:
    """A profile's metrics that are better high, and those that are better low."""
    gains = [metric for metric in profile.metrics if metric.info.higher_is_better]
    return gains, [metric for metric in profile.metrics if not metric.info.higher_is_better]


def _of_metric(findings: Findings) -> Answer:
    metric = findings.metric
    means = metric.statistics.column("mean")
    random = with_interval(float(means[0]), float(metric.statistics.half_widths[0]), means, metric.known_to)
    kind = "interval" if metric.method == "sampled" else "credible interval"
    interval = f" (95 % {kind})" if metric.has_intervals else ""
    heading = f"{metric.info.label}, {metric.info.origin}; random networks: {random} {metric.info.unit}{interval}"
    return Answer(heading, tuple(_lines(findings)))


def _lines(findings: Findings) -> Iterator[str]:
    if findings.placements.empty:
        return
    unit = _unit(findings.metric)
    least = f"under {_size(findings.practical)} {unit}"
    if len(findings.indifferent_places) == findings.num_places:
        where = "any place" if findings.num_places > 1 else findings.indifferent_places[0]
        yield f"which block stands at {where} makes no difference ({least})"
    else:
        yield from _of_axes(findings)
        yield _to_avoid(findings)
        yield from _of_places(findings, least)
    if depth := findings.depth:
        place = max(depth, key=lambda one: abs(depth[one]))
        verb = _verb(findings.metric, depth[place])
        yield f"depth: having {place} at all {verb} {_size(abs(depth[place]))} {unit}, whatever its block"
    random_ms = float(findings.metric.statistics.column("mean")[0])
    for slowdown in findings.metric.slowdowns[:NAMED]:
        yield f"what slows it down: {slowdown.sentence(random_ms)}"


def _of_places(findings: Findings, least: str) -> Iterator[str]:
    none = findings.indifferent_places
    if 2 * len(none) > findings.num_places:
        some = dict.fromkeys(sorted(findings.placements["place"]))
        places = [place for place in some if place not in none]
        yield f"the choice of block makes a difference at {', '.join(places)} only (elsewhere {least})"
    elif none:
        number = f"{len(none)} of {findings.num_places} places"
        yield f"the choice of block makes no difference ({least}) at {number}: {', '.join(none)}"


def _of_axes(findings: Findings) -> Iterator[str]:
    metric, unit = findings.metric, _unit(findings.metric)
    for axis in findings.axes:
        if axis.difference < findings.practical:
            yield f"{axis.axis}: makes no difference on average ({_size(axis.difference)} {unit})"
        elif metric.info.higher_is_better:
            much = _size(axis.difference)
            yield f"{axis.axis}: {axis.best} gains {much} {unit} over {axis.worst} at the same place, on average"
        else:
            much = _size(axis.difference)
            yield f"{axis.axis}: {axis.worst} costs {much} {unit} more than {axis.best} at the same place, on average"


def _to_avoid(findings: Findings) -> str:
    rows, unit = findings.avoid.head(NAMED), _unit(findings.metric)
    if rows.empty:
        return "no block is worse than the others at its place by what matters"
    named = [
        f"{name} ({_with_sign(contrast)}{f' {unit} against the mean block there' if first else ''})"
        for name, contrast, first in zip(
            rows["placement"], rows["contrast"], [True, *[False] * (len(rows) - 1)], strict=True
        )
    ]
    return f"avoid {', '.join(named)}"


def _of_trade(profile: Profile, gain: MetricProfile, cost: MetricProfile) -> Answer:
    heading = f"{gain.info.name} against {cost.info.name}"
    rows = trades(profile, gain, cost)
    if rows.empty:
        return Answer(heading, ())
    poor = rows[(rows["loss"] > 0) & (rows["extra_cost"] >= practical(cost))].head(2)
    rich = rows[(rows["loss"] < 0) & (rows["extra_gain"] >= practical(gain))].tail(1)
    lines = [f"not worth it: {_bargain(row, gain, cost)}" for _, row in poor.iterrows()]
    lines += [f"worth it: {_bargain(row, gain, cost)}" for _, row in rich.iterrows()]
    return Answer(heading, tuple(lines))


def _bargain(row: "pd.Series[float]", gain: MetricProfile, cost: MetricProfile) -> str:
    much = f"{_size(abs(row['extra_gain']))} {_unit(gain)} of {gain.info.name}"
    return (
        f"{row['placement']} costs {_size(row['extra_cost'])} {_unit(cost)} more than {row['instead_of']} and "
        f"{_verb(gain, row['extra_gain'])} {much}"
    )


def _verb(metric: MetricProfile, change: float) -> str:
    if metric.info.higher_is_better:
        return "gains" if change > 0 else "loses"
    return "costs" if change > 0 else "saves"


def _unit(metric: MetricProfile) -> str:
    return "points" if metric.info.unit == "%" else metric.info.unit


def _size(value: float) -> str:
    """Two or three digits of a difference."""
    if value == 0:
        return "0"
    digits = 2 - int(np.floor(np.log10(abs(value))))
    return f"{value:,.{max(0, min(digits, 4))}f}"


def _with_sign(value: float) -> str:
    return ("+" if value >= 0 else "-") + _size(abs(value))


def with_interval(value: float, half: float, among: FloatArray, known_to: float) -> str:
    """A value as it is written among others, with half its interval where it has one."""
    shown = format_value(value, among, known_to)
    return f"{shown} ± {format_value(half, among, known_to)}" if half > 0 else shown
