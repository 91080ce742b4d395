"""Searches by name: the library's front door to them, as the command line makes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from blockprof.foundation.errors import InputError
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics import (
    ACCURACY,
    ORT_CPU,
    AdditiveMetric,
    Metric,
    check_metrics,
    choose_accuracy_source,
    default_metric,
)
from blockprof.profiling import Surrogate
from blockprof.reduction import Reduction
from blockprof.searching.problem import Limit, Objective, Problem
from blockprof.spaces import Space, load_space

if TYPE_CHECKING:
    from blockprof.evaluators.pooling import SupernetSpec
    from blockprof.searching.result import SearchResult

Wanted = str | Metric | Surrogate
"""A metric by name, or one of the caller's own, as ``blockprof.profile`` takes them."""

DEFAULT_MAXIMIZE = ("accuracy",)
"""What is searched for where nothing is named, beside the space's default metric: the paper's first example."""


def make_problem(
    space: Space | str,
    maximize: Sequence[Wanted] = (),
    minimize: Sequence[Wanted] = (),
    *,
    limits: Mapping[str, float] | Mapping[Wanted, float] | None = None,
    reduction: Reduction | str | None = None,
    resolution: int = 224,
    seed: int = 0,
    accuracy_source: str = "reference",
    expensive: Mapping[str, Callable[[], Metric]] | None = None,
    listener: Listener = SILENT,
) -> Problem:
    """Say what is searched for.

    Args:
        space: a space, or its name.
        maximize: metrics to maximise: names (see ``blockprof.load_metrics``), or metrics and surrogates of your own. A
            name that one of these has means that one.
        minimize: metrics to minimise. Where neither is given: accuracy up, npu (of ``resnet50``, flops) down.
        limits: bounds of metrics, in their units: at least that where higher is better, else at most.
        reduction: the part of the space to search: a reduction, or what names one, as for
            ``blockprof.reduction.load_reduction``; all of the space where None.
        resolution: of the input, in pixels.
        seed: of a random reduction.
        accuracy_source: of ``accuracy``: ``reference`` or ``ofa-predictor``; ignored where it is one of ``expensive``.
        expensive: what gives metrics that take minutes, by their names: they come last. ``ort-cpu`` is
            ``ort_cpu_metric(blockprof.measure_surrogate(space))`` where it is named and not among them.
        listener: told before MACs are counted, which takes seconds the first time.

    Raises:
        InputError: no such space, metric or reduction; a metric that is both maximised and minimised; two of one name;
            a metric of another space or resolution.
        TrackingError: the MLflow store does not answer.
    """
    from blockprof.api import load_metrics
    from blockprof.reduction import load_reduction

    chosen = load_space(space) if isinstance(space, str) else space
    if not maximize and not minimize:
        maximize, minimize = DEFAULT_MAXIMIZE, (default_metric(chosen),)
    own = _own([*maximize, *minimize, *(limits or {})])
    check_metrics(own.values(), chosen, resolution)
    raised, lowered = [_name(one) for one in maximize], [_name(one) for one in minimize]
    bounds = {_name(one): bound for one, bound in (limits or {}).items()}
    if both := [name for name in raised if name in lowered]:
        raise InputError(f"{both[0]} is both maximised and minimised", remedy="choose one", code="both-directions")
    if reduction is None:
        reduction = Reduction.whole(chosen)
    elif isinstance(reduction, str):
        reduction = load_reduction(chosen, reduction, seed)
    names = [name for name in dict.fromkeys([*raised, *lowered, *bounds]) if name not in own]
    last: Mapping[str, Callable[[], Metric]] = {ORT_CPU: partial(_measured, chosen, resolution), **(expensive or {})}
    at_once = [name for name in names if name not in last]
    loaded = load_metrics(chosen, at_once, resolution=resolution, accuracy_source=accuracy_source, listener=listener)
    by_name = own | dict(zip(at_once, loaded, strict=True)) | {name: last[name]() for name in names if name in last}
    objectives = [Objective(by_name[name], maximize=True) for name in raised]
    objectives += [Objective(by_name[name], maximize=False) for name in lowered]
    return Problem(reduction, tuple(objectives), tuple(Limit(by_name[name], bound) for name, bound in bounds.items()))


def search_space(
    space: Space | str,
    maximize: Sequence[Wanted] = (),
    minimize: Sequence[Wanted] = (),
    *,
    limits: Mapping[str, float] | Mapping[Wanted, float] | None = None,
    reduction: Reduction | str | None = None,
    algorithm: str = "evolution",
    initial: int | None = None,
    generations: int | None = None,
    children: int | None = None,
    top_k: int = 10,
    resolution: int = 224,
    seed: int = 0,
    accuracy_source: str | None = None,
    supernet: "SupernetSpec | None" = None,
    listener: Listener = SILENT,
) -> "SearchResult":
    """Find the best networks of a space: the Pareto front of several metrics, or the best few in one.

    ``search_space("pn", ["accuracy"], ["npu"], reduction="paper-npu").frame()`` has a row for every network that was
    looked at. Nothing is logged; ``blockprof.output.runs.searches.record_search`` logs a search to a run.

    Args:
        space: a space, or its name.
        maximize: as for :func:`make_problem`.
        minimize: as for :func:`make_problem`.
        limits: as for :func:`make_problem`.
        reduction: as for :func:`make_problem`.
        algorithm: ``evolution`` (the paper's), ``nsga2``, ``exact``, ``random``, or a registered one.
        initial: random networks to begin with; the paper's number where None, as for the next two.
        generations: how many follow them.
        children: new networks of each generation.
        top_k: how many networks are the answer where there is one objective.
        resolution: of the input, in pixels.
        seed: of all that is random.
        accuracy_source: as for ``blockprof.profile``.
        supernet: how networks are evaluated in the supernet, where accuracy comes from there; each is kept in the data
            folder, and none is evaluated twice.
        listener: Listener = SILENT,

    Raises:
        InputError: what was asked does not exist, or no network is within the limits; the message says what there is.
        TrackingError: the MLflow store does not answer.
    """
    from blockprof.searching.result import SearchSpec
    from blockprof.searching.searching import search

    chosen = load_space(space) if isinstance(space, str) else space
    source = choose_accuracy_source(accuracy_source, has_images=supernet is not None)
    expensive: dict[str, Callable[[], Metric]] = {}
    if source == "supernet":
        expensive[ACCURACY] = partial(_evaluated, chosen, supernet, resolution, seed)
    problem = make_problem(
        chosen,
        maximize,
        minimize,
        limits=limits,
        reduction=reduction,
        resolution=resolution,
        seed=seed,
        accuracy_source=source,
        expensive=expensive,
    )
    spec = SearchSpec(
        algorithm=algorithm, initial=initial, generations=generations, children=children, seed=seed, top_k=top_k
    )
    return search(problem, spec, listener=listener)


def ort_cpu_metric(surrogate: Surrogate) -> AdditiveMetric:
    """The metric of a surrogate, which says of networks that were never measured where its values are from."""
    metric = surrogate.metric
    source = f"predicted by a surrogate of {surrogate.num_networks} networks {metric.info.source}"
    return replace(metric, info=replace(metric.info, origin="predicted", source=source))


def _name(wanted: Wanted) -> str:
    return wanted if isinstance(wanted, str) else wanted.info.name


def _own(wanted: Sequence[Wanted]) -> dict[str, Metric]:
    """The caller's own metrics, by name."""
    own: dict[str, Metric] = {}
    for one in {id(one): one for one in wanted if not isinstance(one, str)}.values():
        if one.info.name in own:
            raise InputError(
                f"there are two metrics called {one.info.name}", remedy="rename one", code="repeated-metric"
            )
        own[one.info.name] = ort_cpu_metric(one) if isinstance(one, Surrogate) else one
    return own


def _measured(space: Space, resolution: int) -> AdditiveMetric:
    from blockprof.evaluators.pooling import measure_surrogate

    return ort_cpu_metric(measure_surrogate(space, resolution=resolution))


def _evaluated(space: Space, supernet: "SupernetSpec | None", resolution: int, seed: int) -> Metric:
    from blockprof.evaluators.pooling import SupernetSpec
    from blockprof.evaluators.supernet import load_kept_accuracy

    return load_kept_accuracy(space, supernet or SupernetSpec(), resolution=resolution, seed=seed)
