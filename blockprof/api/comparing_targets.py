"""What ``compare`` finds out of targets: their profiles, and what choosing for one costs on another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from blockprof.api.metrics import Evaluation, pooled_metric
from blockprof.comparing import ProfileTables
from blockprof.comparing.regret import Target, find_front, find_regrets
from blockprof.comparing.targets import Targets
from blockprof.comparing.verifying import runs_here, verify_target
from blockprof.evaluators import pooling
from blockprof.foundation.errors import Argument, BlockprofError, InputError, MetricError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.metrics import ACCURACY, ExactMetric, Metric, PredictorFolder, as_exact
from blockprof.metrics.predicted import load_predicted
from blockprof.profiling import Surrogate
from blockprof.profiling import profile as profile_metrics

if TYPE_CHECKING:
    from blockprof import tracking
    from blockprof.output.runs.sources import Source
else:
    tracking = lazy_import("blockprof.tracking")

LATENCY_UNIT = "ms"
SAME_MEAN = 1e-6
"""Relative: a metric whose random networks have another mean is not the one that was profiled."""
_PREDICTED_BY = re.compile(r"predicted by (?P<name>\S+) v(?P<version>[0-9]+)")


@dataclass(frozen=True, eq=False)
class Profiled:
    """A profile's tables and, where its metric is a latency whose costs are known, the target."""

    tables: ProfileTables
    target: Target | None


def profile_targets(sources: "Sequence[Source]", evaluation: Evaluation) -> list[Profiled]:
    """Profile the metrics that are asked for by name, or as registered predictors; targets that nobody measured yet
    are measured, as ``profile`` does.

    Raises:
        InputError, DataFileError, TrackingError, BlockprofError: as ``blockprof.profile``.
    """
    names = [source.label for source in sources if source.predictor is None]
    sizes = evaluation.pool_sizes(names, None)
    found: dict[str, Metric | Surrogate] = {**evaluation.load(names), **evaluation.pools(sizes).fit()}
    metrics = [
        found[source.label] if source.predictor is None else _stored(source.predictor, evaluation) for source in sources
    ]
    labels = _labels(sources, [metric.info.name for metric in metrics])
    profiled = []
    for label, metric in zip(labels, metrics, strict=True):
        result = profile_metrics(
            evaluation.space,
            [metric],
            resolution=evaluation.resolution,
            seed=evaluation.seed,
            listener=evaluation.listener,
        )
        tables = ProfileTables(
            label, result.random_frame(), result.placement_frame(), result.response_frame(), is_target=True
        )
        known = as_exact(pooled_metric(metric) if isinstance(metric, Surrogate) else metric)
        profiled.append(Profiled(tables, _target(label, known)))
    return profiled


def recall_targets(
    sources: "Sequence[Source]", tables: Sequence[ProfileTables], names: Sequence[str], evaluation: Evaluation
) -> list[Target] | None:
    """The targets that runs of ``profile`` profiled, one a run, by the metrics ``names``; None where they are not all
    there any more, which is said, or are no latencies.
    """
    found = []
    for source, each, name in zip(sources, tables, names, strict=True):
        if each.kind(name) != (LATENCY_UNIT, False):
            return None
        mean = float(each.random.set_index("metric")["mean"][name])
        metric = _recalled(source, name, evaluation)
        target = _target(name, metric) if metric else None
        if target is None or not np.isclose(target.random_ms, mean, rtol=SAME_MEAN, atol=0.0):
            evaluation.listener.on_note(
                f"what {source.label} profiled as {name} is not here any more: no regret is told"
            )
            return None
        found.append(target)
    return [replace(target, name=label) for target, label in zip(found, _labels(sources, names), strict=True)]


def find_targets(
    targets: Sequence[Target], evaluation: Evaluation, limits: Mapping[str, float], verify: bool
) -> Targets | None:
    """What choosing for each target costs on each other one, by the space's accuracy; None where it has none.

    Raises:
        InputError: limits of no target, or that no network meets; ``verify`` where no target runs here.
        DataFileError, BlockprofError: as ``verify_target``.
    """
    accuracy = _accuracy(evaluation)
    listener = evaluation.listener
    if accuracy is None:
        listener.on_note(f"{evaluation.space.name} has no accuracy to choose networks by: no regret is told")
        return None
    here = [target for target in targets if runs_here(target)]
    if verify and not here:
        raise InputError(
            f"none of {', '.join(target.name for target in targets)} is measured on this machine",
            remedy=Said("leave {} out", Argument("verify", True)),
            code="nothing-to-verify",
        )
    fronts = []
    for number, target in enumerate(targets, start=1):
        fronts.append(find_front(target, accuracy))
        listener.on_step("fronts of targets", number, len(targets))
    found = Targets(accuracy.info, tuple(fronts), tuple(find_regrets(fronts, limits)))
    if not verify:
        return found
    for target in targets:
        if target not in here:
            listener.on_note(f"{target.name} is not measured: it is no run-time of this machine")
    verified = [
        verify_target(target, found.regrets, evaluation.resolution, evaluation.seed, listener) for target in here
    ]
    return replace(found, verified=tuple(verified))


def _accuracy(evaluation: Evaluation) -> ExactMetric | None:
    try:
        return as_exact(evaluation.load([ACCURACY])[ACCURACY])
    except MetricError:
        return None


def _target(label: str, metric: Metric | None) -> Target | None:
    exact = as_exact(metric) if metric else None
    return Target(label, exact) if exact and exact.info.unit == LATENCY_UNIT else None


def _stored(predictor: object, evaluation: Evaluation) -> Metric:
    """A registered predictor as a metric.

    Raises:
        InputError: it is another's.
        MetricError: it cannot predict at the resolution.
    """
    if not isinstance(predictor, tracking.StoredPredictor):
        raise InputError("another's model is no sum of blocks' costs", remedy=Said("give {}", Argument("data")))
    folder = PredictorFolder(f"{predictor.name} v{predictor.version}", predictor.folder)
    return load_predicted(folder, evaluation.space, predictor.tags["metric"], evaluation.resolution)


def _recalled(source: "Source", name: str, evaluation: Evaluation) -> Metric | None:
    """The metric that a run profiled; None where it is not there any more."""
    run = source.logged()
    here = evaluation.at(int(run.params.get("resolution", evaluation.resolution)))
    found = _PREDICTED_BY.match(run.tags.get(f"blockprof.source.{name}", ""))
    try:
        if found and tracking.is_predictor_name(f"{found['name']}/{found['version']}"):
            return _stored(tracking.find_predictor(f"{found['name']}/{found['version']}"), here)
        if name in here.pooled([name]):
            return _recalled_pool(run.params, name, here)
        return here.load([name])[name]
    except BlockprofError:
        return None


def _recalled_pool(params: Mapping[str, str], name: str, evaluation: Evaluation) -> Metric | None:
    names, sizes = params["metrics"].split(","), params["num_archs"].split(",")
    size, seed = int(dict(zip(names, sizes, strict=True))[name]), int(params["seed"])
    if not pooling.journal_path(evaluation.space, evaluation.resolution, size, seed, name).exists():
        return None
    return pooled_metric(replace(evaluation, seed=seed).measure(name, size))


def _labels(sources: "Sequence[Source]", names: Sequence[str]) -> list[str]:
    """What targets are called: their metrics' names; where two have the same, the sources' too."""
    return [
        name if names.count(name) == 1 else (source.label if source.predictor else f"{source.label} {name}")
        for source, name in zip(sources, names, strict=True)
    ]
