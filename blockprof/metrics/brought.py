"""Metrics that spaces bring along, reference tables and published look-up tables, beside the registered ones."""

from functools import partial

from blockprof.metrics.lookup import load_published
from blockprof.metrics.metric import Metric
from blockprof.metrics.named import METRICS, NamedMetric
from blockprof.metrics.reference import load_reference, reference_latencies
from blockprof.spaces import Space, registered_spaces


def find_metric(space: Space, name: str) -> NamedMetric | None:
    """The metric of that name: a registered one, or one that ``space``, or else another space, brings along.

    That of another space says, when it is loaded, which spaces have it. None where nothing has the name.
    """
    spaces = (space, *registered_spaces())
    brought = (found for each in spaces if (found := _brought(each).get(name)))
    return METRICS.find(name) or next(brought, None)


def metrics_of(space: Space) -> tuple[str, ...]:
    """The names of the metrics that ``space`` has; ``accuracy`` needs ImageNet where there is no table of it."""
    registered = (name for name in METRICS.names() if METRICS.get(name).is_in(space))
    return (*registered, *_brought(space))


def all_metrics() -> tuple[str, ...]:
    """The names of the metrics that there are in any space."""
    return tuple(
        dict.fromkeys((*METRICS.names(), *(name for space in registered_spaces() for name in _brought(space))))
    )


def _brought(space: Space) -> dict[str, NamedMetric]:
    references = {
        name: NamedMetric(partial(_load_reference, name), gives_way=True) for name in reference_latencies(space)
    }
    published = {
        table.metric: NamedMetric(partial(_load_published, table.metric)) for table in space.assets.lookup_tables
    }
    return references | published


def _load_reference(name: str, space: Space, resolution: int) -> Metric:
    return load_reference(space, name, resolution)


def _load_published(name: str, space: Space, resolution: int) -> Metric:
    return load_published(space, name, resolution)
