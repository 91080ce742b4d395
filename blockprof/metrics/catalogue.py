"""All metrics by name."""

from collections.abc import Callable, Sequence

from blockprof.foundation.errors import Command, MetricError
from blockprof.metrics.accuracy_source import AccuracySource
from blockprof.metrics.block_table import list_block_tables, load_block_table
from blockprof.metrics.counting import COUNTED, load_count
from blockprof.metrics.lookup import (
    I7,
    LOOKUP_METRICS,
    LOOKUP_SPACE,
    list_lookup_tables,
    load_i7,
    load_lookup_table,
    load_note10,
)
from blockprof.metrics.metric import Metric
from blockprof.metrics.ofa_predictor import load_ofa_predictor
from blockprof.metrics.predicted import PredictorFolder, load_predicted
from blockprof.metrics.reference import ACCURACY, REFERENCE_SOURCES, has_reference, load_reference
from blockprof.spaces import Space

ORT_CPU = "ort-cpu"
"""Measured on this machine, network by network: ``blockprof.evaluators.pooling`` makes a surrogate of it."""
BUILT_IN = (*COUNTED, *REFERENCE_SOURCES, *LOOKUP_METRICS, ORT_CPU)
NOT_PREDICTED = frozenset({*COUNTED, ACCURACY, *LOOKUP_METRICS, ORT_CPU})
"""Names that always mean the built-in metric; any other is first looked for among the registered predictors, then among
the block tables and the folders of look-up tables in the data folder.
"""

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
    """The names of ``BUILT_IN`` that ``space`` has; ``accuracy`` needs ImageNet where there is no table of it."""
    tables = (name for name in REFERENCE_SOURCES if name == ACCURACY or has_reference(space, name))
    return (*COUNTED, *tables, *(LOOKUP_METRICS if space.name == LOOKUP_SPACE else ()), ORT_CPU)


def default_metric(space: Space) -> str:
    """What is profiled where no metric is named: ``npu``, or ``flops`` in a space without a reference table of it."""
    return "npu" if has_reference(space, "npu") else "flops"


def check_predictor_name(name: str) -> None:
    """Refuse a predictor's name that always means a built-in metric.

    Raises:
        MetricError: it does.
    """
    if name in NOT_PREDICTED:
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
    if name == "note10":
        return load_note10(space, resolution)
    if name == I7:
        return load_i7(space, resolution)
    if name == ORT_CPU:
        raise MetricError(f"{ORT_CPU} is measured, not loaded: profile it, or use blockprof.measure_surrogate")
    if name not in NOT_PREDICTED:
        if predictor := find_predictor(name):
            return load_predicted(predictor, space, name, resolution)
        if table := load_block_table(space, name, resolution) or load_lookup_table(space, name, resolution):
            return table
    if name in REFERENCE_SOURCES:
        return load_reference(space, name, resolution)
    there = dict.fromkeys((*built_in_metrics(space), *list_block_tables(space), *list_lookup_tables(space)))
    raise MetricError(
        f"unknown metric '{name}' for {space.name}",
        remedy=f"there are {', '.join(there)}, and any that you train with "
        f"{Command('blockprof train-predictor', space=space.name, metric=name)}",
    )
