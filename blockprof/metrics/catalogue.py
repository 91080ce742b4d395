"""All metrics by name."""

from collections.abc import Callable, Sequence

from blockprof.foundation.errors import MetricError
from blockprof.metrics.accuracy_source import AccuracySource
from blockprof.metrics.block_table import list_block_tables, load_block_table
from blockprof.metrics.counting import COUNTED, load_count
from blockprof.metrics.lookup import (
    all_published_metrics,
    list_lookup_tables,
    load_lookup_table,
    load_published,
    published_metrics,
)
from blockprof.metrics.metric import Metric
from blockprof.metrics.ofa_predictor import load_ofa_predictor
from blockprof.metrics.predicted import PredictorFolder, load_predicted
from blockprof.metrics.reference import ACCURACY, load_reference, reference_latencies
from blockprof.spaces import Space, registered_spaces

ORT_CPU = "ort-cpu"
"""Measured on this machine, network by network: ``blockprof.evaluators.pooling`` makes a surrogate of it."""

FindPredictor = Callable[[str], PredictorFolder | None]


def load_metrics(
    space: Space,
    names: Sequence[str],
    resolution: int,
    find_predictor: FindPredictor,
    on_count: Callable[[], None] | None = None,
    accuracy_source: AccuracySource = "reference",
) -> tuple[Metric, ...]:
    """Load metrics by name: counted, a registered predictor, a block table, a look-up table, or a reference table.

    All are additive, but for ``accuracy`` from OFA's predictor.

    Args:
        space: the design space.
        names: the metrics' names.
        resolution: of the input, in pixels.
        find_predictor: returns the registered predictor of a metric, or None.
        on_count: told before MACs are counted, which takes seconds the first time.
        accuracy_source: of ``accuracy``; not ``supernet``, in which networks are evaluated, not loaded.

    Raises:
        MetricError: a name that nothing answers to, or a metric that there is not at ``resolution``.
        DataFileError: a table, or OFA's predictor, that cannot be read.
    """
    check_resolution(space, resolution)
    return tuple(
        _load_accuracy(space, resolution, accuracy_source)
        if name == ACCURACY
        else _load(space, name, resolution, find_predictor, on_count)
        for name in names
    )


def built_in_metrics(space: Space) -> tuple[str, ...]:
    """The names of the metrics that come with ``space``; ``accuracy`` needs ImageNet where there is no table of it."""
    return (*COUNTED, *reference_latencies(space), ACCURACY, *published_metrics(space), ORT_CPU)


def all_built_in_metrics() -> tuple[str, ...]:
    """The names of the metrics that come with any space."""
    return tuple(dict.fromkeys(name for space in registered_spaces() for name in built_in_metrics(space)))


def default_metric(space: Space) -> str:
    """What is profiled where no metric is named."""
    return space.assets.default_metric


def check_predictor_name(name: str) -> None:
    """Refuse a predictor's name that always means a built-in metric.

    Raises:
        MetricError: it does.
    """
    if _is_never_predicted(name):
        raise MetricError(f"'{name}' is the name of a built-in metric that no predictor replaces: choose another")


def check_resolution(space: Space, resolution: int) -> None:
    """Refuse a resolution that the space cannot take.

    Raises:
        MetricError: it is not one of ``space.resolutions``.
    """
    allowed = space.resolutions
    if resolution not in allowed:
        raise MetricError(
            f"resolution {resolution}: {space.name} takes {allowed[0]} to {allowed[-1]} in steps of {allowed.step}"
        )


def _is_never_predicted(name: str) -> bool:
    """Whether a name always means the built-in metric.

    Any other is first looked for among the registered predictors, then among the block tables and the folders of
    look-up tables in the data folder.
    """
    return name in (*COUNTED, ACCURACY, *all_published_metrics(), ORT_CPU)


def _load_accuracy(space: Space, resolution: int, source: AccuracySource) -> Metric:
    if source == "supernet":
        raise MetricError(
            f"{ACCURACY} in the supernet is evaluated, not loaded: profile it, or use "
            "blockprof.evaluators.supernet.load_supernet_accuracy"
        )
    if source == "ofa-predictor":
        return load_ofa_predictor(space, resolution)
    return load_reference(space, ACCURACY, resolution)


def _load(
    space: Space,
    name: str,
    resolution: int,
    find_predictor: FindPredictor,
    on_count: Callable[[], None] | None,
) -> Metric:
    if name in COUNTED:
        return load_count(space, name, resolution, on_count)
    if name in all_published_metrics():
        return load_published(space, name, resolution)
    if name == ORT_CPU:
        raise MetricError(f"{ORT_CPU} is measured, not loaded: profile it, or use blockprof.measure_surrogate")
    if predictor := find_predictor(name):
        return load_predicted(predictor, space, name, resolution)
    if table := load_block_table(space, name, resolution) or load_lookup_table(space, name, resolution):
        return table
    if any(name in reference_latencies(one) for one in registered_spaces()):
        return load_reference(space, name, resolution)
    there = dict.fromkeys((*built_in_metrics(space), *list_block_tables(space), *list_lookup_tables(space)))
    raise MetricError(
        f"unknown metric '{name}' for {space.name}: there are {', '.join(there)}, and any that you train with "
        f"`blockprof train-predictor --space {space.name} --metric {name}`"
    )
