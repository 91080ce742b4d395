"""The library's front door: profiles by name, as the command line makes them."""

from collections.abc import Callable, Sequence

from blockprof.metrics import AdditiveMetric, Metric, PredictorFolder
from blockprof.metrics import load_metrics as load_from
from blockprof.profiling import Profile
from blockprof.profiling import profile as profile_metrics
from blockprof.profiling.sampled import Progress
from blockprof.sampling import check_sampler
from blockprof.spaces import Space, load_space, parse_blocks


def load_metrics(
    space: Space | str,
    names: Sequence[str],
    *,
    resolution: int = 224,
    on_count: Callable[[], None] | None = None,
) -> tuple[AdditiveMetric, ...]:
    """Load metrics by name; a latency is the registered champion where there is one, else a block table in the data
    folder, else the reference table.

    Args:
        space: a space, or its name.
        names: such as ``npu``, ``accuracy``, ``macs``, or the metric of a predictor you trained.
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
    metrics: Sequence[str | Metric] = ("npu",),
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
        metrics: names (see :func:`load_metrics`), or metrics of your own.
        blocks: placements such as ``u2.l1.e6k7``; all of the space where None.
        sampler: ``paper`` or ``upstream`` (see ``blockprof.sampling``).
        resolution: of the input, in pixels.
        num_archs: networks sampled a placement; where None, additive metrics are exact.
        seed: of the sampling.
        on_progress: told how many placements of how many are done.

    Raises:
        InputError: what was asked does not exist; the message says what there is.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    by_name = [metric for metric in metrics if isinstance(metric, str)]
    loaded = dict(zip(by_name, load_metrics(chosen, by_name, resolution=resolution), strict=True))
    return profile_metrics(
        chosen,
        [loaded[metric] if isinstance(metric, str) else metric for metric in metrics],
        fixings=parse_blocks(chosen, blocks, resolution) if blocks is not None else None,
        sampler=check_sampler(sampler),
        resolution=resolution,
        num_archs=num_archs,
        seed=seed,
        on_progress=on_progress,
    )
