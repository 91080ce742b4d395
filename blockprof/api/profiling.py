"""``blockprof.profile``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blockprof.api.metrics import Wanted, evaluation_of, name_of, one_or_several
from blockprof.evaluators.pooling import SupernetSpec
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics import Metric, check_metrics, default_metric
from blockprof.profiling import Profile, Surrogate
from blockprof.profiling import profile as profile_metrics
from blockprof.profiling.profile import check_names
from blockprof.spaces import Space, parse_blocks
from blockprof.spaces.sampling import check_sampler
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    from blockprof.output.runs import profiles
    from blockprof.tracking import Run
else:
    profiles = lazy_import("blockprof.output.runs.profiles")


def profile(
    space: Space | str,
    metrics: Sequence[Wanted] | Wanted | None = None,
    *,
    blocks: Sequence[str] | None = None,
    sampler: str = "paper",
    resolution: int = 224,
    num_archs: int | None = None,
    seed: int = 0,
    accuracy_source: str | None = None,
    supernet: SupernetSpec | None = None,
    log_effects: bool = False,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> Profile:
    """Say what each block costs and gains at each place of the network.

    ``profile("pn", ["npu", "accuracy"]).placement_frame()`` has a row for every placement and metric. With
    ``log=blockprof.Log()`` it is logged to MLflow.

    Expensive metrics are pooled: ``ort-cpu`` is measured here on 150 networks (minutes; by
    ``blockprof.measure_surrogate`` with its defaults), ``accuracy`` evaluated in the supernet on 300. A
    surrogate fitted to them is profiled.

    Args:
        space: a space, or its name.
        metrics: one or several: names (see :func:`load_metrics`, and the pooled ones), or metrics and surrogates of
            your own; ``npu``, of ``resnet50`` ``flops``, where None.
        blocks: placements such as ``u2.l1.e6k7``; all of the space where None.
        sampler: ``paper``, ``upstream`` or ``upstream-fig4`` (see ``blockprof.spaces.sampling``).
        resolution: of the input, in pixels.
        num_archs: networks sampled a placement; where None, additive metrics are exact. With a pooled metric among the
            names, it is how many networks are evaluated in all (20 to 150 with ``ort-cpu``), and additive metrics stay
            exact.
        seed: of the sampling, and of the networks that are evaluated.
        accuracy_source: of the name ``accuracy``: ``supernet``, ``ofa-predictor`` or ``reference``; where None, the
            supernet if ``supernet`` is given, else the reference table.
        supernet: how networks are evaluated in the supernet.
        log_effects: log every placement's effect as a metric of the run, not in tables alone.
        log: where the profile is logged.
        listener: told of progress, and the profile before it is logged.

    Raises:
        InputError: what was asked does not exist; the message says what there is.
        TrackingError: the MLflow store does not answer.
        DataFileError: weights, images or a journal that cannot be used.
    """
    evaluation = evaluation_of(space, resolution, seed, accuracy_source, supernet, listener)
    chosen = evaluation.space
    checked_sampler = check_sampler(sampler)
    constraints = parse_blocks(chosen, blocks, resolution) if blocks is not None else None
    metrics = one_or_several([default_metric(chosen)] if metrics is None else metrics)
    check_metrics([metric for metric in metrics if not isinstance(metric, str)], chosen, resolution)
    check_names([name_of(metric) for metric in metrics])
    names = [metric for metric in metrics if isinstance(metric, str)]
    sizes = evaluation.pool_sizes(names, num_archs)
    log.check()
    loaded = evaluation.load(names)
    # Whatever is wrong with what is asked is said before a run begins, and before minutes of measuring.
    pools = evaluation.pools(sizes)
    subject = ",".join(name_of(metric) for metric in metrics)
    with log.run("profile", chosen.name, listener, subject) as record:
        by_name: dict[str, Metric | Surrogate] = {**loaded, **pools.fit()}
        result = profile_metrics(
            chosen,
            [by_name[metric] if isinstance(metric, str) else metric for metric in metrics],
            constraints=constraints,
            sampler=checked_sampler,
            resolution=resolution,
            num_archs=None if sizes else num_archs,
            seed=seed,
            listener=listener,
        )
        listener.on_result(result)
        record(lambda run: _record(run, result, log_effects))
    return result


def _record(run: "Run", profile: Profile, effects: bool) -> None:
    profiles.record_profile(run, profile, effects=effects)
