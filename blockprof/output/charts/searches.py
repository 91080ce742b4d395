"""Charts of searches: the front among all networks looked at, and how it grew by generation."""

from itertools import combinations

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.output.captions import search_caption
from blockprof.output.charts.specs import Axis, Chart, Layer, Line, Panel, Points, Rule, Tone
from blockprof.searching.problem import Problem
from blockprof.searching.result import SearchResult
from blockprof.searching.study import Study

PANELS_A_ROW = 3
LEGEND_INCHES = 2.6
LOGARITHMIC_FROM = 4.0
"""How many times the least value the greatest one is, at least, where an axis across is logarithmic."""


def front_chart(study: Study) -> Chart:
    """The front of the first search, or its best few networks, among the networks that it looked at.

    A panel for each pair of objectives; where there is one, it against each other metric, or against the generation.
    The whole space's is there too where it was searched.
    """
    pairs = _pairs(study.problem)
    columns = min(len(pairs), PANELS_A_ROW)
    rows = -(-len(pairs) // columns)
    return Chart(
        f"{'Pareto front' if study.is_pareto else 'Best networks'}: {_aims(study.problem)}",
        tuple(_front_panel(study, across, up, joined=study.is_pareto and len(pairs) == 1) for across, up in pairs),
        size=(LEGEND_INCHES + (6.4 if len(pairs) == 1 else 4.8 * columns), 4.7 * rows),
        caption=search_caption(study),
        columns=columns,
        legend=True,
    )


def history_chart(study: Study) -> Chart:
    """The hypervolume, or the best value, by generation: a thin line a seed, a thick one their mean."""
    frame = study.history_frame()
    info = study.problem.objectives[0].metric.info
    column = "hypervolume" if study.is_pareto else f"best_{info.name}"
    layers: list[Layer] = []
    for result, tone in _drawn(study):
        name = result.problem.reduction.name
        rows = frame[frame["reduction"] == name].pivot(index="generation", columns="seed", values=column)
        # A search that found all there is ends early: it stays where it is.
        rows = rows.ffill()
        generations = rows.index.to_numpy(dtype=float)
        if rows.shape[1] > 1:
            layers += [Line(generations, rows[seed].to_numpy(), tone, pale=True) for seed in rows]
        label = name if rows.shape[1] == 1 else f"{name}, mean of {rows.shape[1]} seeds (thin: each)"
        layers.append(Line(generations, rows.mean(axis=1).to_numpy(), tone, label, marks=True))
    panel = Panel(
        Axis("generation", limits=(-0.3, float(frame["generation"].max()) + 0.3), is_whole=True),
        Axis(f"hypervolume ({_unit_of_volume(study.problem)})" if study.is_pareto else f"best {info.label}"),
        tuple(layers),
        legend="inside",
    )
    return Chart(f"By generation: {_aims(study.problem)}", (panel,), size=(7.2, 4.6), caption=search_caption(study))


def _pairs(problem: Problem) -> list[tuple[int | None, int]]:
    """Which metrics are on the axes of each panel, as columns of the values: across and up, None the generation.

    With two objectives the first is up, as accuracy in the paper's figures.
    """
    objectives = len(problem.objectives)
    if objectives > 1:
        return [(second, first) for first, second in combinations(range(objectives), 2)]
    return [(other, 0) for other in range(1, len(problem.metrics))] or [(None, 0)]


def _drawn(study: Study) -> list[tuple[SearchResult, Tone]]:
    """The first search of each space, the whole space's below."""
    whole: list[tuple[SearchResult, Tone]] = [(study.whole[0], "other")] if study.whole else []
    return [*whole, (study.first, "main")]


def _front_panel(study: Study, across: int | None, up: int, *, joined: bool) -> Panel:
    drawn = _drawn(study)
    # An exact search lists its answer only: there are no others to draw.
    others = [] if study.is_exact else [_networks(result, across, up, tone) for result, tone in drawn]
    best = [_best(result, across, up, tone, joined=joined) for result, tone in drawn]
    return Panel(
        _across(study, across),
        Axis(_with_direction(study.problem, up)),
        (*others, *best, *_limits(study.problem, across, up)),
    )


def _networks(result: SearchResult, across: int | None, up: int, tone: Tone) -> Points:
    name = f"{result.problem.reduction.name}:\nall {len(result.archs):,} networks looked at"
    return Points(_values(result, across), result.values[:, up], tone, name, pale=True, size="medium")


def _best(result: SearchResult, across: int | None, up: int, tone: Tone, *, joined: bool) -> Line | Points:
    best: IntArray = result.best
    x, y = _values(result, across)[best], result.values[best, up]
    what = "front" if len(result.problem.objectives) > 1 else "best"
    name = f"{result.problem.reduction.name}:\n{what}, {len(best):,} networks"
    if not joined:
        return Points(x, y, tone, name, size="small")
    order = np.argsort(x, kind="stable")
    # A network of the front is the best there is up to the next one.
    is_raised = result.problem.objectives[across or 0].maximize
    return Line(x[order], y[order], tone, name, step="next" if is_raised else "last", marks=True, size="small")


def _values(result: SearchResult, across: int | None) -> FloatArray:
    return result.generations.astype(float) if across is None else result.values[:, across]


def _limits(problem: Problem, across: int | None, up: int) -> list[Rule]:
    column_of = {name: column for column, name in enumerate(problem.names)}
    columns = [(limit, column_of[limit.metric.info.name]) for limit in problem.limits]
    return [
        Rule(limit.bound, "x" if column == across else "y", limit.text, is_limit=True)
        for limit, column in columns
        if column in (across, up)
    ]


def _across(study: Study, across: int | None) -> Axis:
    if across is None:
        return Axis("generation", is_whole=True)
    label = _with_direction(study.problem, across)
    values = np.concatenate([result.values[:, across] for result, _ in _drawn(study)])
    is_log = bool(values.min() > 0 and values.max() > LOGARITHMIC_FROM * values.min())
    return Axis(f"{label} (logarithmic)" if is_log else label, is_log=is_log)


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
