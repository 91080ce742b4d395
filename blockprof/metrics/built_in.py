"""The metrics that come with blockprof, whatever the space."""

from collections.abc import Callable

from blockprof.foundation.errors import MetricError
from blockprof.metrics.counting import COUNTED, is_counted, load_count
from blockprof.metrics.memory import PEAK_MEMORY, WEIGHTS, is_memory_counted, load_peak_memory, load_weights
from blockprof.metrics.metric import Metric
from blockprof.metrics.named import LoadMetric, NamedMetric, register_metric
from blockprof.metrics.reference import ACCURACY, load_reference
from blockprof.spaces import Space

ORT_CPU = "ort-cpu"
"""Measured on this machine, network by network: ``blockprof.evaluators.pooling`` makes a surrogate of it."""


def _is_measured(space: Space, resolution: int) -> Metric:
    raise MetricError(f"{ORT_CPU} is measured, not loaded", remedy="profile it, or use blockprof.measure_surrogate")


def _counting(space: Space, resolution: int) -> str | None:
    if is_counted(space, resolution):
        return None
    return "counting MACs of each block with torchprofile, once for this resolution"


def _reading_graphs(space: Space, resolution: int) -> str | None:
    if is_memory_counted(space, resolution):
        return None
    return "reading tensors off each block's graph, once for this resolution"


def _of_name(load: Callable[[Space, str, int], Metric], name: str) -> LoadMetric:
    return lambda space, resolution: load(space, name, resolution)


for _name in COUNTED:
    register_metric(_name, NamedMetric(_of_name(load_count, _name), note=_counting))
register_metric(PEAK_MEMORY, NamedMetric(load_peak_memory, note=_reading_graphs))
register_metric(WEIGHTS, NamedMetric(load_weights, note=_reading_graphs))
register_metric(ACCURACY, NamedMetric(_of_name(load_reference, ACCURACY)))
register_metric(ORT_CPU, NamedMetric(_is_measured))
