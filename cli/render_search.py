"""What ``search`` prints: what was found and what the reduction gains on stdout."""

from collections.abc import Callable
from math import isfinite

import numpy as np
from rich.table import Table
from rich.text import Text

from blockprof.cli import render
from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.metrics import MetricInfo
from blockprof.output.captions import search_caption
from blockprof.output.numbers import format_value
from blockprof.searching.result import SearchResult
from blockprof.searching.study import Estimate, Study
from blockprof.searching.verify import Verification, spread_along

FRONT_SHOWN = 10


def print_study(study: Study, *, with_networks: bool) -> None:
    """Print the best networks, some of a long front, and what the reduction gains.

    ``with_networks`` prints each network's string below the table: nothing else has it where nothing is logged.
    """
    first = study.first
    render.print_line(Text(search_caption(study), style="bold"))
    reduction = study.problem.reduction
    how = "found" if study.is_exact else "looked at"
    render.print_line(
        f"{study.num_evaluated:,} networks {how} in {study.seconds:.2f} s, of {reduction.num_networks:.3g} that "
        f"{reduction.name} has"
    )
    if first.shortfall:
        render.note(first.shortfall)
    places = _shown(study)
    if study.is_pareto:
        some = "" if len(places) == len(first.best) else f", {len(places)} of them spread along it"
        front = "Pareto front, exact for these metrics" if study.is_exact else f"Pareto front of seed {first.spec.seed}"
        render.print_line(f"\n{front}: {len(first.best):,} networks{some}")
    else:
        render.print_line(f"\nthe best {len(first.best)} networks, best first")
    render.out.print_table(_table(first, places))
    if outside := _outside(first, places):
        render.print_line(outside)
    if with_networks:
        nets = first.archs[first.best[places]].to_strings()
        for place, net in zip(places.tolist(), nets, strict=True):
            render.print_line(f"{place + 1}: {net}")
    if study.is_pareto and len(study.searches) > 1:
        render.print_line(f"hypervolume over {len(study.searches)} seeds: {_estimate(Estimate.of(study.hypervolumes))}")
    if study.whole:
        render.print_line(_gain(study))
    if study.verification:
        print_verification(study.verification)


def print_verification(verification: Verification) -> None:
    """Print what was measured beside what the search said, and how well they agree."""
    frame = verification.to_frame()
    render.print_line(
        f"\n{len(frame)} of them measured with ONNX Runtime on {verification.measured.environments[-1].machine.cpu}, "
        "1 thread"
    )
    table = Table(show_edge=False, pad_edge=False)
    for heading in (*(info.label for info in verification.metrics), "measured (ms)", "95 % interval"):
        table.add_column(heading, justify="right")
    measured = frame["measured_ms"].to_numpy()
    for place in range(len(frame)):
        row = frame.iloc[place]
        said = [_value_format(info, frame[info.name].to_numpy())(row[info.name]) for info in verification.metrics]
        bounds = " to ".join(format_value(row[bound], measured) for bound in ("lower_ms", "upper_ms"))
        table.add_row(*said, format_value(row["measured_ms"], measured), bounds)
    render.out.print_table(table)
    for agreement in verification.agreements:
        ranks = (("Spearman", agreement.spearman), ("Kendall", agreement.kendall))
        said = [f"{name} {value:.3f}" for name, value in ranks if isfinite(value)]
        if isfinite(agreement.ratio):
            said.append(f"measured is {agreement.ratio:.3g} times what it says")
        if isfinite(agreement.mape_percent):
            said.append(f"MAPE {agreement.mape_percent:.1f} %")
        origin = f"{agreement.metric.name}, {agreement.metric.source}, against measured"
        render.print_line(f"{origin}: {', '.join(said) or 'too few networks, or all alike'}")


def _shown(study: Study) -> IntArray:
    """The places in ``best`` of the networks to print: all of the best few, some of a front, evenly along it."""
    number = len(study.first.best)
    return spread_along(number, FRONT_SHOWN if study.is_pareto else number)


def _table(result: SearchResult, places: IntArray) -> Table:
    best = result.best
    values = result.values[best]
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("pick", *(metric.info.label for metric in result.problem.metrics), "layers of each unit"):
        table.add_column(heading, justify="right" if heading != "layers of each unit" else "left")
    depths = result.archs[best].depths
    infos = [metric.info for metric in result.problem.metrics]
    formats = [_value_format(info, values[:, column]) for column, info in enumerate(infos)]
    for place in places.tolist():
        cells = [shown(value) for shown, value in zip(formats, values[place], strict=True)]
        table.add_row(str(place + 1), *cells, " ".join(map(str, depths[place])))
    return table


def _value_format(info: MetricInfo, among: FloatArray) -> Callable[[float], str]:
    """How values of a metric are written among others: no finer than they are known, a star where extrapolated."""
    known_to = info.error_of_network(float(np.median(among)))

    def shown(value: float) -> str:
        return format_value(value, among, known_to) + ("*" if info.is_outside(np.array(value)) else "")

    return shown


def _outside(result: SearchResult, places: IntArray) -> str:
    """What a star in the table means; nothing where there is none."""
    values = result.values[result.best[places]]
    infos = [metric.info for metric in result.problem.metrics]
    names = [info.name for info, column in zip(infos, values.T, strict=True) if info.is_outside(column).any()]
    return f"* beyond the values that the fit of {' and of '.join(names)} has seen: an extrapolation" if names else ""


def _gain(study: Study) -> str:
    """What the reduction gains, and whether the seeds tell that it does."""
    name, gain = study.problem.reduction.name, study.gain
    if study.is_pareto:
        what, even = f"hypervolume {_estimate(gain)} times the whole space's", 1.0
    else:
        info = study.problem.objectives[0].metric.info
        what, even = f"best {info.name} {_estimate(gain)} {info.unit} better than the whole space's", 0.0
    if study.is_exact:
        return f"{name}: {what}, both exact"
    if not isfinite(gain.lower):
        return f"{name}: {what}; --seeds 5 says how sure that is"
    verdict = "it gains" if gain.lower > even else "it loses" if gain.upper < even else "no difference that is sure"
    return f"{name}: {what}, over {len(study.searches)} seeds: {verdict}"


def _estimate(estimate: Estimate) -> str:
    if not isfinite(estimate.lower):
        return f"{estimate.mean:.4g}"
    return f"{estimate.mean:.4g} (95 % interval {estimate.lower:.4g} to {estimate.upper:.4g})"
