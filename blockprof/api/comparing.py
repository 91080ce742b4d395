"""``blockprof.compare``: predictors, or profiles, and by how much they differ beyond the noise."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.comparing import PredictorComparison, ProfileComparison, compare_predictors, compare_profiles
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.latency_data import LatencyData, read_latency_csv
from blockprof.output.runs import sources as found
from blockprof.spaces import load_space
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    from blockprof.output.runs import comparisons
    from blockprof.output.runs.sources import Source
    from blockprof.tracking import Run
else:
    comparisons = lazy_import("blockprof.output.runs.comparisons")


def compare(
    things: Sequence[str],
    data: str | Path | None = None,
    *,
    trust_code: bool = False,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> PredictorComparison | ProfileComparison:
    """Say which predictor is better, or where two profiles differ, and by how much beyond the noise.

    Args:
        things: two or more runs of ``train`` or of ``profile``, by id or name, or registered predictors such as
            ``blockprof-pn-npu/2``; with ``data`` also others' models, ``models:/NAME/VERSION``.
        data: a CSV of measured networks to compare predictors on; those that all their runs left out where None.
        trust_code: run the code of models that are not blockprof's; its own are read as numbers.
        log: where the comparison is logged.
        listener: told of progress, and of the comparison before it is logged.

    Raises:
        InputError: what cannot be found, or cannot be compared.
        DataFileError: the CSV cannot be used.
        TrackingError: the MLflow store does not answer.
    """
    sources = found.find_sources(things)
    space, is_profile = sources[0].space, sources[0].kind == "profile"
    path = None if data is None else Path(data)
    if is_profile and path:
        raise InputError(
            Said("{} is for predictors", Argument("data")), remedy="leave it out where profiles are compared"
        )
    latencies = read_latency_csv(path, load_space(space)) if path else None
    log.check()
    comparison: PredictorComparison | ProfileComparison
    if is_profile:
        for text in found.unlike_settings(sources):
            listener.on_note(text)
        comparison = compare_profiles(found.load_profiles(sources))
    else:
        listener.on_start("comparing")
        comparison = compare_predictors(found.load_predictions(sources, latencies, trust_code=trust_code))
    listener.on_result(comparison)
    with log.run("compare", space, listener) as record:
        record(lambda run: _record(run, comparison, sources, latencies, path))
    return comparison


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
