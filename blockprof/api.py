"""The library's front door: profiles by name, as the command line makes them."""

from collections.abc import Sequence

from blockprof.evaluators.pooling import SupernetSpec, measure_surrogate, pool_size, pooled_names
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics import (
    ACCURACY,
    ORT_CPU,
    Metric,
    PredictorFolder,
    check_accuracy_source,
    check_metrics,
    choose_accuracy_source,
    default_metric,
)
from blockprof.metrics import load_metrics as load_from
from blockprof.profiling import Profile, Surrogate
from blockprof.profiling import profile as profile_metrics
from blockprof.profiling.profile import check_names
from blockprof.spaces import Space, load_space, parse_blocks
from blockprof.spaces.sampling import check_sampler


def load_metrics(
    space: Space | str,
    names: Sequence[str],
    *,
    resolution: int = 224,
    accuracy_source: str = "reference",
    listener: Listener = SILENT,
) -> tuple[Metric, ...]:
    """Load metrics by name; a latency is the registered champion where there is one, else a block table in the data
    folder, else the reference table. All are additive, but for accuracy from OFA's predictor.

    Args:
        space: a space, or its name.
        names: such as ``npu``, ``accuracy``, ``macs``, or the metric of a predictor you trained. Not ``ort-cpu``, which
            :func:`blockprof.measure_surrogate` measures.
        resolution: of the input, in pixels.
        accuracy_source: of ``accuracy``: ``reference``, or ``ofa-predictor``, which :func:`profile` takes samples of.
        listener: told before MACs are counted, which takes seconds the first time.

    Raises:
        InputError: no such space; a metric that does not exist, or not at ``resolution``.
        TrackingError: the MLflow store does not answer.
    """
    from blockprof import tracking

    chosen = load_space(space) if isinstance(space, str) else space

    def find_predictor(metric: str) -> PredictorFolder | None:
        champion = tracking.find_champion(chosen.name, metric)
        return PredictorFolder(f"{champion.name} v{champion.version}", champion.folder) if champion else None

    return load_from(chosen, names, resolution, find_predictor, listener, check_accuracy_source(accuracy_source))


def profile(
    space: Space | str,
    metrics: Sequence[str | Metric | Surrogate] | None = None,
    *,
    blocks: Sequence[str] | None = None,
    sampler: str = "paper",
    resolution: int = 224,
    num_archs: int | None = None,
    seed: int = 0,
    accuracy_source: str | None = None,
    supernet: SupernetSpec | None = None,
    listener: Listener = SILENT,
) -> Profile:
    """Say what each block costs and gains at each place of the network.

    ``profile("pn", ["npu", "accuracy"]).placement_frame()`` has a row for every placement and metric. Nothing is
    logged; ``blockprof.output.runs.profiles.record_profile`` logs a profile to a run.

    Expensive metrics are pooled: ``ort-cpu`` is measured here on 150 networks (minutes; by
    ``blockprof.measure_surrogate`` with its defaults), ``accuracy`` evaluated in the supernet on 300. A
    surrogate fitted to them is profiled.

    Args:
        space: a space, or its name.
        metrics: names (see :func:`load_metrics`, and the pooled ones), or metrics and surrogates of your own; ``npu``,
            of ``resnet50`` ``flops``, where None.
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
        listener: told of progress.

    Raises:
        InputError: what was asked does not exist; the message says what there is.
        DataFileError: weights, images or a journal that cannot be used.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    fixings = parse_blocks(chosen, blocks, resolution) if blocks is not None else None
    checked_sampler = check_sampler(sampler)
    source = choose_accuracy_source(accuracy_source, has_images=supernet is not None)
    metrics = [default_metric(chosen)] if metrics is None else metrics
    check_metrics([metric for metric in metrics if not isinstance(metric, str)], chosen, resolution)
    names = [metric for metric in metrics if isinstance(metric, str)]
    pooled = pooled_names(names, source)
    cheap = [name for name in names if name not in pooled]
    loaded: dict[str, Metric | Surrogate] = {}
    loaded |= zip(cheap, load_metrics(chosen, cheap, resolution=resolution, accuracy_source=source), strict=True)
    if pooled:
        # Last, so that whatever is wrong with the rest is said before minutes of measuring.
        check_names([metric if isinstance(metric, str) else metric.info.name for metric in metrics])
        sizes = {name: pool_size(name, num_archs) for name in pooled}
        if ACCURACY in pooled:
            from blockprof.evaluators.supernet import load_accuracy_pool

            spec = supernet or SupernetSpec()
            pool = load_accuracy_pool(chosen, spec, resolution=resolution, num_networks=sizes[ACCURACY], seed=seed)
        if ORT_CPU in pooled:
            loaded[ORT_CPU] = measure_surrogate(chosen, resolution=resolution, num_networks=sizes[ORT_CPU], seed=seed)
        if ACCURACY in pooled:
            loaded[ACCURACY] = pool.fit()
        num_archs = None
    return profile_metrics(
        chosen,
        [loaded[metric] if isinstance(metric, str) else metric for metric in metrics],
        fixings=fixings,
        sampler=checked_sampler,
        resolution=resolution,
        num_archs=num_archs,
        seed=seed,
        listener=listener,
    )
