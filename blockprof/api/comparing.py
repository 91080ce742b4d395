"""``blockprof.compare``: predictors, profiles or targets, and by how much they differ beyond the noise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.api import comparing_targets
from blockprof.api.metrics import Evaluation, evaluation_of
from blockprof.comparing import PredictorComparison, ProfileComparison, compare_predictors, compare_profiles
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.output.runs import sources as found
from blockprof.spaces import Space, load_space
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    from blockprof.comparing import ProfileTables
    from blockprof.output.runs import comparisons
    from blockprof.output.runs.sources import Source
    from blockprof.tracking import Run
else:
    comparisons = lazy_import("blockprof.output.runs.comparisons")


def compare(
    things: Sequence[str],
    data: str | Path | None = None,
    *,
    space: Space | str | None = None,
    metric: tuple[str, str] | None = None,
    limits: Mapping[str, float] | None = None,
    verify: bool = False,
    resolution: int = 224,
    seed: int = 0,
    trust_code: bool = False,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> PredictorComparison | ProfileComparison:
    """Say which predictor is better, or where profiles or targets differ, and by how much beyond the noise.

    ``compare(["npu", "gpu"], space="pn").targets.regret_frame()`` says what it costs to choose a network for one
    target and run it on the other.

    Args:
        things: two or more runs of ``train`` or of ``profile``, by id or name, or registered predictors such as
            ``blockprof-pn-npu/2``; with ``data`` also others' models, ``models:/NAME/VERSION``; with ``space`` names of
            metrics, such as ``npu`` or ``openvino-int8``. Predictors of different metrics are compared as targets.
        data: a CSV of measured networks to compare predictors on; those that all their runs left out where None.
        space: of the metrics that are named.
        metric: of two profiles, which metric of the first to compare with which of the second; those of like kind
            where None.
        limits: of targets, by name, what a network chosen for them may take, ms; as long as their mean random network
            where there is none.
        verify: measure the networks that a regret is about, on the targets that run here.
        resolution: of the input, in pixels, for metrics and predictors as targets.
        seed: of what is measured.
        trust_code: run the code of models that are not blockprof's; its own are read as numbers.
        log: where the comparison is logged.
        listener: told of progress, and of the comparison before it is logged.

    Raises:
        InputError: what cannot be found, or cannot be compared.
        DataFileError: the CSV, a table or a journal cannot be used.
        TrackingError: the MLflow store does not answer.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    sources = found.find_sources(things, chosen.name if chosen else None)
    path = None if data is None else Path(data)
    is_predictors = _are_predictors_of_one_metric(sources, has_data=path is not None)
    _check_arguments(is_predictors, path, metric, limits, verify)
    log.check()
    comparison: PredictorComparison | ProfileComparison
    latencies = read_latency_csv(path, load_space(sources[0].space)) if path else None
    if is_predictors:
        listener.on_start("comparing")
        comparison = compare_predictors(found.load_predictions(sources, latencies, trust_code=trust_code))
    else:
        evaluation = evaluation_of(chosen or sources[0].space, resolution, seed, None, None, listener)
        comparison = _compare_targets(sources, evaluation, metric, limits or {}, verify)
    listener.on_result(comparison)
    with log.run("compare", sources[0].space, listener) as record:
        record(lambda run: _record(run, comparison, sources, latencies, path))
    return comparison


def _are_predictors_of_one_metric(sources: "Sequence[Source]", *, has_data: bool) -> bool:
    """Whether predictors are compared by how well they predict."""
    if any(source.kind != "predictor" for source in sources):
        return False
    named = {source.metric for source in sources if source.metric}
    return has_data or len(named) < 2


def _check_arguments(
    is_predictors: bool,
    path: Path | None,
    metric: tuple[str, str] | None,
    limits: Mapping[str, float] | None,
    verify: bool,
) -> None:
    if not is_predictors:
        if path:
            raise InputError(
                Said("{} is for predictors", Argument("data")), remedy="leave it out where profiles are compared"
            )
        return
    for name, value in (("metric", metric), ("limits", limits), ("verify", verify)):
        if value:
            raise InputError(
                Said("{} is for profiles and targets", Argument(name)),
                remedy="leave it out where predictors of one metric are compared",
            )


def _compare_targets(
    sources: "Sequence[Source]",
    evaluation: Evaluation,
    metric: tuple[str, str] | None,
    limits: Mapping[str, float],
    verify: bool,
) -> ProfileComparison:
    listener = evaluation.listener
    if any(source.kind != "profile" for source in sources):
        if metric:
            raise InputError(
                Said("{} is for profiles", Argument("metric")), remedy="leave it out where metrics are compared"
            )
        profiled = comparing_targets.profile_targets(sources, evaluation)
        comparison = compare_profiles([one.tables for one in profiled])
        known = [one.target for one in profiled if one.target]
        targets = known if len(known) == len(profiled) else None
    else:
        for text in found.unlike_settings(sources):
            listener.on_note(text)
        tables = found.load_profiles(sources)
        comparison = compare_profiles(tables, metric)
        names = [_latency_of(each, index, metric) for index, each in enumerate(tables)]
        is_of_targets = None not in names and len(set(names)) > 1
        targets = (
            comparing_targets.recall_targets(sources, tables, [name for name in names if name], evaluation)
            if is_of_targets
            else None
        )
    if targets is None:
        if limits or verify:
            raise InputError(
                "no regret is told: these are not latencies of different targets whose blocks' costs are known",
                remedy=Said("leave {} and {} out", Argument("limits"), Argument("verify")),
            )
        return comparison
    return replace(comparison, targets=comparing_targets.find_targets(targets, evaluation, limits, verify))


def _latency_of(tables: "ProfileTables", index: int, metric: tuple[str, str] | None) -> str | None:
    """The latency of a profile that is compared; None where it has none, or several."""
    if metric:
        return metric[index]
    latencies = [name for name in tables.metrics if tables.kind(name) == (comparing_targets.LATENCY_UNIT, False)]
    return latencies[0] if len(latencies) == 1 else None


def _record(
    run: "Run",
    comparison: PredictorComparison | ProfileComparison,
    sources: "Sequence[Source]",
    latencies: LatencyData | None,
    path: Path | None,
) -> None:
    if isinstance(comparison, ProfileComparison):
        comparisons.record_profiles(run, comparison, sources)
    else:
        comparisons.record_predictors(run, comparison, sources, latencies, path)
