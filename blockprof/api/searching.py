"""``blockprof.search``: searches by name."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from blockprof.api.metrics import Evaluation, Wanted, evaluation_of, name_of, own_metrics
from blockprof.evaluators.pooling import SupernetSpec
from blockprof.foundation.errors import InputError
from blockprof.foundation.extras import check_extra
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics import check_metrics, default_metric
from blockprof.reduction import Reduction, load_reduction
from blockprof.searching.limits import count_forbidden
from blockprof.searching.problem import Limit, Objective, Problem
from blockprof.searching.result import SearchResult, SearchSpec
from blockprof.searching.study import Study, StudyPlan
from blockprof.searching.verify import compared_columns, spread_along, verification_path
from blockprof.searching.verify import verify as measure_some
from blockprof.spaces import Space
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    from blockprof.output.runs import searches
    from blockprof.searching.verify import Verification
    from blockprof.tracking import Run
else:
    searches = lazy_import("blockprof.output.runs.searches")

Limits = Mapping[str, float] | Mapping[Wanted, float]

DEFAULT_MAXIMIZE = ("accuracy",)
"""What is searched for where nothing is named, beside the space's default metric: the paper's first example."""


def search(
    space: Space | str,
    maximize: Sequence[Wanted] = (),
    minimize: Sequence[Wanted] = (),
    *,
    limits: Limits | None = None,
    reduction: Reduction | str | None = None,
    algorithm: str = "evolution",
    initial: int | None = None,
    generations: int | None = None,
    children: int | None = None,
    top_k: int = 10,
    num_seeds: int = 1,
    compares: bool = False,
    verify: int | None = None,
    resolution: int = 224,
    seed: int = 0,
    accuracy_source: str | None = None,
    supernet: SupernetSpec | None = None,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> Study:
    """Find the best networks of a space: the Pareto front of several metrics, or the best few in one.

    ``search("pn", ["accuracy"], ["npu"], reduction="paper-npu").frame()`` has a row for every network that was looked
    at. With ``log=blockprof.Log()`` it is logged to MLflow. A search that was interrupted is resumed by the same call.

    Args:
        space: a space, or its name.
        maximize: metrics to maximise: names (see ``blockprof.load_metrics``), or metrics and surrogates of your own. A
            name that one of these has means that one. ``ort-cpu`` is measured here on 150 networks.
        minimize: metrics to minimise. Where neither is given: accuracy up, npu (of ``resnet50``, flops) down.
        limits: bounds of metrics, in their units: at least that where higher is better, else at most.
        reduction: the part of the space to search: a reduction, or what names one, as for
            ``blockprof.reduction.load_reduction``; all of the space where None.
        algorithm: ``evolution`` (the paper's), ``nsga2``, ``exact``, ``random``, or a registered one.
        initial: random networks to begin with; the paper's number where None, as for the next two.
        generations: how many follow them.
        children: new networks of each generation.
        top_k: how many networks are the answer where there is one objective.
        num_seeds: searches, from seeds counted up from ``seed``, for an interval.
        compares: search the whole space too, to say what the reduction gains.
        verify: how many of the networks found to measure here with ONNX Runtime; none where None.
        resolution: of the input, in pixels.
        seed: of all that is random, and of the networks that are measured for ``ort-cpu``.
        accuracy_source: as for ``blockprof.profile``.
        supernet: how networks are evaluated in the supernet, where accuracy comes from there; each is kept in the data
            folder, and none is evaluated twice.
        log: where the search is logged.
        listener: told of progress, and the study before it is logged.

    Raises:
        InputError: what was asked does not exist, or no network is within the limits; the message says what there is.
        DataFileError: weights, images, a journal or a kept search that cannot be used.
        TrackingError: the MLflow store does not answer.
    """
    evaluation = evaluation_of(space, resolution, seed, accuracy_source, supernet, listener)
    log.check()
    problem = make_problem(evaluation, maximize, minimize, limits, reduction)
    if verify is not None:
        check_extra("measure", "measuring what is found")
        compared_columns(problem)
    spec = SearchSpec(algorithm, initial, generations, children, seed, top_k)
    plan = StudyPlan(problem, spec, resolution, num_seeds, compares)
    listener.on_plan(plan)
    for limit in problem.limits:
        if forbidden := count_forbidden(limit):
            listener.on_note(
                f"{limit.text}: a network within it has none of {forbidden} of the "
                f"{len(evaluation.space.instances)} block instances of {evaluation.space.name}"
            )
    for state in plan.kept_states():
        listener.on_note(f"{state}: resuming a search that was interrupted; remove it to start over")
    subject = ",".join(one.metric.info.name for one in problem.objectives)
    with plan.kept(), log.run("search", evaluation.space.name, listener, subject) as record:
        study = plan.run(listener, keep=True)
        if verify is not None:
            study = replace(study, verification=_verified(study, verify, listener))
        listener.on_result(study)
        record(lambda run: _record(run, study))
    return study


def search_space(space: Space | str, *args: Any, **kwargs: Any) -> SearchResult:
    """The old name of :func:`search`, which returns its first search."""
    warnings.warn("search_space is now blockprof.searching", DeprecationWarning, stacklevel=2)
    return search(space, *args, **kwargs).first


def make_problem(
    evaluation: Evaluation,
    maximize: Sequence[Wanted] = (),
    minimize: Sequence[Wanted] = (),
    limits: Limits | None = None,
    reduction: Reduction | str | None = None,
) -> Problem:
    """Say what is searched for, as :func:`search` is asked; metrics that take minutes come last.

    Raises:
        InputError: no such metric or reduction; a metric that is both maximised and minimised; two of one name;
            a metric of another space or resolution.
        DataFileError, TrackingError, BlockprofError: as ``Evaluation.load_all``.
    """
    if not maximize and not minimize:
        maximize, minimize = DEFAULT_MAXIMIZE, (default_metric(evaluation.space),)
    own = own_metrics([*maximize, *minimize, *(limits or {})])
    check_metrics(own.values(), evaluation.space, evaluation.resolution)
    raised, lowered = [name_of(one) for one in maximize], [name_of(one) for one in minimize]
    bounds = {name_of(one): bound for one, bound in (limits or {}).items()}
    if both := [name for name in raised if name in lowered]:
        raise InputError(f"{both[0]} is both maximised and minimised", remedy="choose one", code="both-directions")
    if reduction is None:
        reduction = Reduction.whole(evaluation.space)
    elif isinstance(reduction, str):
        reduction = load_reduction(evaluation.space, reduction, evaluation.seed)
    by_name = evaluation.load_all([name for name in (*raised, *lowered, *bounds) if name not in own]) | own
    objectives = [Objective(by_name[name], maximize=True) for name in raised]
    objectives += [Objective(by_name[name], maximize=False) for name in lowered]
    return Problem(reduction, tuple(objectives), tuple(Limit(by_name[name], bound) for name, bound in bounds.items()))


def _verified(study: Study, num_networks: int, listener: Listener) -> "Verification":
    """Measure networks of the answer here, or resume or read what was measured."""
    best, size = study.first.best, study.resolution
    archs, values = study.first.archs[best], study.first.values[best]
    journal = verification_path(archs[spread_along(len(best), num_networks)], size)
    if journal.exists():
        listener.on_note(f"{journal}: resuming what was measured before; remove it to measure again")
    return measure_some(study.problem, archs, values, num_networks, resolution=size, listener=listener)


def _record(run: "Run", study: Study) -> None:
    searches.record_search(run, study)
