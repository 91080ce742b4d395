"""Figures of searches: the front among all networks looked at, and how it grew by generation."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from blockprof.output.charts.profile_figures import GREY, new_figure, write_caption
from blockprof.searching.problem import Problem
from blockprof.searching.result import SearchResult
from blockprof.searching.study import Study

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOUND, FOUND_PALE = "#1f77b4", "#b8d4ea"
WHOLE, WHOLE_PALE = "#e69f00", "#f5ddad"
PANELS_A_ROW = 3
LEGEND_INCHES = 2.6
LOGARITHMIC_FROM = 4.0
"""How many times the least value the greatest one is, at least, where an axis across is logarithmic."""


def caption(study: Study) -> str:
    """What was searched, and where its numbers come from; stands under every figure."""
    problem, first = study.problem, study.first
    space = problem.reduction.space
    sources = [f"{metric.info.label}: {metric.info.provenance}." for metric in problem.metrics]
    within = f" Within {', '.join(limit.text for limit in problem.limits)}." if problem.limits else ""
    last_seed = study.searches[-1].spec.seed
    seeds = f"seed {first.spec.seed}" if len(study.searches) == 1 else f"seeds {first.spec.seed} to {last_seed}"
    how = first.spec.algorithm if study.is_exact else f"{first.spec.algorithm}, {seeds}"
    searched = problem.reduction.name + (" and whole space" if study.whole else "")
    return (
        f"{space.title} ({space.name}) at resolution {study.resolution}, {searched}. {' '.join(sources)}{within} "
        f"Search: {how}."
    )


def front_figure(study: Study) -> "Figure":
    """Draw the front of the first search, or its best few networks, among the networks that it looked at.

    A panel for each pair of objectives; where there is one, it against each other metric, or against the generation.
    The whole space's is drawn too where it was searched.
    """
    pairs = _pairs(study.problem)
    columns = min(len(pairs), PANELS_A_ROW)
    rows = -(-len(pairs) // columns)
    figure = new_figure((LEGEND_INCHES + (6.4 if len(pairs) == 1 else 4.8 * columns), 4.7 * rows))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (across, up) in zip(panels, pairs, strict=False):
        # An exact search lists its answer only: there are no others to draw.
        for result, colours in [] if study.is_exact else _drawn(study):
            _draw_networks(axes, result, across, up, colours)
        for result, colours in _drawn(study):
            _draw_best(axes, result, across, up, colours, joined=study.is_pareto and len(pairs) == 1)
        _draw_limits(axes, study.problem, across, up)
        _label(axes, study, across, up)
    for axes in panels[len(pairs) :]:
        axes.remove()
    entries: dict[str, Artist] = {}
    for axes in panels[: len(pairs)]:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(entries.values()), list(entries), loc="outside right upper", frameon=False, fontsize=9, markerscale=1.6
    )
    figure.suptitle(f"{'Pareto front' if study.is_pareto else 'Best networks'}: {_aims(study.problem)}")
    write_caption(figure, caption(study))
    return figure


def history_figure(study: Study) -> "Figure":
    """Draw the hypervolume, or the best value, by generation: a thin line a seed, a thick one their mean."""
    frame = study.history_frame()
    info = study.problem.objectives[0].metric.info
    column = "hypervolume" if study.is_pareto else f"best_{info.name}"
    figure = new_figure((7.2, 4.6))
    axes = figure.add_subplot()
    for result, (dark, pale) in _drawn(study):
        name = result.problem.reduction.name
        rows = frame[frame["reduction"] == name].pivot(index="generation", columns="seed", values=column)
        # A search that found all there is ends early: it stays where it is.
        rows = rows.ffill()
        if rows.shape[1] > 1:
            axes.plot(rows.index, rows.to_numpy(), color=pale, linewidth=1, zorder=1)
        label = name if rows.shape[1] == 1 else f"{name}, mean of {rows.shape[1]} seeds (thin: each)"
        axes.plot(
            rows.index, rows.mean(axis=1), color=dark, linewidth=2, marker="o", markersize=4, label=label, zorder=2
        )
    axes.set_xlabel("generation")
    axes.set_ylabel(f"hypervolume ({_unit_of_volume(study.problem)})" if study.is_pareto else f"best {info.label}")
    _make_whole(axes)
    axes.set_xlim(-0.3, frame["generation"].max() + 0.3)
    axes.legend(frameon=False, fontsize=9, loc="best")
    axes.grid(axis="y", linewidth=0.4)
    figure.suptitle(f"By generation: {_aims(study.problem)}")
    write_caption(figure, caption(study))
    return figure


def _pairs(problem: Problem) -> list[tuple[int | None, int]]:
    """Which metrics are on the axes of each panel, as columns of the values: across and up, None the generation.

    With two objectives the first is up, as accuracy in the paper's figures.
    """
    objectives = len(problem.objectives)
    if objectives > 1:
        return [(second, first) for first, second in combinations(range(objectives), 2)]
    return [(other, 0) for other in range(1, len(problem.metrics))] or [(None, 0)]


def _drawn(study: Study) -> list[tuple[SearchResult, tuple[str, str]]]:
    """The first search of each space, the whole space's below, with its colours: of what is best, and of the rest."""
    whole = [(study.whole[0], (WHOLE, WHOLE_PALE))] if study.whole else []
    return [*whole, (study.first, (FOUND, FOUND_PALE))]


def _draw_networks(axes: "Axes", result: SearchResult, across: int | None, up: int, colours: tuple[str, str]) -> None:
    x = result.generations if across is None else result.values[:, across]
    label = f"{result.problem.reduction.name}:\nall {len(result.archs):,} networks looked at"
    axes.plot(x, result.values[:, up], ".", color=colours[1], markersize=4, alpha=0.7, label=label, markeredgewidth=0)


def _draw_best(
    axes: "Axes", result: SearchResult, across: int | None, up: int, colours: tuple[str, str], *, joined: bool
) -> None:
    best = result.best
    x = result.generations[best] if across is None else result.values[best, across]
    y = result.values[best, up]
    order = np.argsort(x, kind="stable")
    what = "front" if len(result.problem.objectives) > 1 else "best"
    # A network of the front is the best there is up to the next one.
    is_raised = joined and result.problem.objectives[across or 0].maximize
    axes.plot(
        x[order], y[order], "-o" if joined else "o", color=colours[0], markersize=3.5 if joined else 2.5,
        linewidth=0.9,
        drawstyle="steps-pre" if is_raised else "steps-post",
        label=f"{result.problem.reduction.name}:\n{what}, {len(best):,} networks",
    )  # fmt: skip


def _draw_limits(axes: "Axes", problem: Problem, across: int | None, up: int) -> None:
    column_of = {name: column for column, name in enumerate(problem.names)}
    for limit in problem.limits:
        column = column_of[limit.metric.info.name]
        if column == across:
            axes.axvline(limit.bound, color=GREY, linewidth=0.9, linestyle="--", label=limit.text)
        elif column == up:
            axes.axhline(limit.bound, color=GREY, linewidth=0.9, linestyle="--", label=limit.text)


def _label(axes: "Axes", study: Study, across: int | None, up: int) -> None:
    problem = study.problem
    axes.set_ylabel(_with_direction(problem, up))
    axes.yaxis.set_major_formatter(_tick)
    axes.grid(linewidth=0.4)
    if across is None:
        axes.set_xlabel("generation")
        _make_whole(axes)
        return
    label = _with_direction(problem, across)
    values = np.concatenate([result.values[:, across] for result, _ in _drawn(study)])
    if values.min() > 0 and values.max() > LOGARITHMIC_FROM * values.min():
        _make_logarithmic(axes)
        label += " (logarithmic)"
    axes.xaxis.set_major_formatter(_tick)
    axes.set_xlabel(label)


def _make_whole(axes: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _make_logarithmic(axes: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _tick(value: float, _: float) -> str:
    """Millions as ``450M``, as tables have them."""
    return f"{value / 1e6:,.6g}M" if abs(value) >= 1e6 else f"{value:,.6g}"


def _with_direction(problem: Problem, column: int) -> str:
    info = problem.metrics[column].info
    if column >= len(problem.objectives):
        return info.label
    return f"{info.label}, {'maximised' if problem.objectives[column].maximize else 'minimised'}"


def _aims(problem: Problem) -> str:
    return ", ".join(
        f"{objective.metric.info.name} {'maximised' if objective.maximize else 'minimised'}"
        for objective in problem.objectives
    )


def _unit_of_volume(problem: Problem) -> str:
    return " x ".join(objective.metric.info.unit for objective in problem.objectives)
