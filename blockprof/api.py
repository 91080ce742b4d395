"""The library's front door: profiles by name, as the command line makes them."""

from collections.abc import Callable, Sequence

from blockprof.metrics import ORT_CPU, Metric, PredictorFolder
from blockprof.metrics import load_metrics as load_from
from blockprof.pooling import DEFAULT_POOL, measure_surrogate
from blockprof.profiling import Profile, Surrogate
from blockprof.profiling import profile as profile_metrics
from blockprof.profiling.profile import check_names
from blockprof.profiling.sampled import Progress
from blockprof.sampling import check_sampler
from blockprof.spaces import Space, load_space, parse_blocks


def load_metrics(
    space: Space | str,
    names: Sequence[str],
    *,
    resolution: int = 224,
    on_count: Callable[[], None] | None = None,
) -> tuple[Metric, ...]:
    """Load metrics by name; a latency is the registered champion where there is one, else a block table in the data
    folder, else the reference table.

    Args:
        space: a space, or its name.
        names: such as ``npu``, ``accuracy``, ``macs``, or the metric of a predictor you trained. Not ``ort-cpu``, which
            :func:`blockprof.measure_surrogate` measures.
        resolution: of the input, in pixels.
        on_count: called before MACs are counted, which takes seconds the first time.

    Raises:
        InputError: no such space; a metric that does not exist, or not at ``resolution``.
        TrackingError: the MLflow store does not answer.
    """
    from blockprof import tracking

    chosen = load_space(space) if isinstance(space, str) else space

    def find_predictor(metric: str) -> PredictorFolder | None:
        champion = tracking.find_champion(chosen.name, metric)
        return PredictorFolder(f"{champion.name} v{champion.version}", champion.folder) if champion else None

    return load_from(chosen, names, resolution, find_predictor, on_count)


def profile(
    space: Space | str,
    metrics: Sequence[str | Metric | Surrogate] = ("npu",),
    *,
    blocks: Sequence[str] | None = None,
    sampler: str = "paper",
    resolution: int = 224,
    num_archs: int | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> Profile:
    """Say what each block costs and gains at each place of the network.

    ``profile("pn", ["npu", "accuracy"]).placement_frame()`` has a row for every placement and metric. Nothing is
    logged; ``blockprof.recording.record_profile`` logs a profile to a run.

    Args:
        space: a space, or its name.
        metrics: names (see :func:`load_metrics`), ``ort-cpu``, which is measured here on 150 networks (minutes;
            ``blockprof.measure_surrogate`` with its defaults), or metrics and surrogates of your own.
        blocks: placements such as ``u2.l1.e6k7``; all of the space where None.
        sampler: ``paper`` or ``upstream`` (see ``blockprof.sampling``).
        resolution: of the input, in pixels.
        num_archs: networks sampled a placement; where None, additive metrics are exact. With ``ort-cpu`` among the
            names, it is how many networks are measured in all, 20 to 150, and the other metrics stay exact.
        seed: of the sampling, and of the networks that are measured.
        on_progress: told how many placements of how many are done.

    Raises:
        InputError: what was asked does not exist; the message says what there is.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    fixings = parse_blocks(chosen, blocks, resolution) if blocks is not None else None
    checked_sampler = check_sampler(sampler)
    names = [metric for metric in metrics if isinstance(metric, str) and metric != ORT_CPU]
    loaded: dict[str, Metric | Surrogate] = {}
    loaded |= zip(names, load_metrics(chosen, names, resolution=resolution), strict=True)
    if ORT_CPU in metrics:
        # Last, so that whatever is wrong with the rest is said before minutes of measuring.
        check_names([metric if isinstance(metric, str) else metric.info.name for metric in metrics])
        pool_size = DEFAULT_POOL if num_archs is None else num_archs
        loaded[ORT_CPU] = measure_surrogate(chosen, resolution=resolution, num_networks=pool_size, seed=seed)
        num_archs = None
    return profile_metrics(
        chosen,
        [loaded[metric] if isinstance(metric, str) else metric for metric in metrics],
        fixings=fixings,
        sampler=checked_sampler,
        resolution=resolution,
        num_archs=num_archs,
        seed=seed,
        on_progress=on_progress,
    )
