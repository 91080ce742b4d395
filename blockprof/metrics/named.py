"""Metrics by name: those that come with blockprof, and others', through one registry."""

from collections.abc import Callable
from dataclasses import dataclass

from blockprof.foundation.registry import Registry
from blockprof.metrics.metric import Metric
from blockprof.spaces import Space

LoadMetric = Callable[[Space, int], Metric]


def _everywhere(space: Space) -> bool:
    return True


def _at_once(space: Space, resolution: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class NamedMetric:
    """A metric that can be asked for by name.

    ``load`` takes a space and a resolution, in pixels, and returns the metric, whose ``info.name`` is its name; it
    raises ``MetricError`` where the space or the resolution has none. ``is_in`` says which spaces it is listed for.
    ``note`` is what the user is told before it is loaded, where that takes seconds; else None. Where ``gives_way``, a
    trained predictor or a table in the data folder that has the name comes before it.
    """

    load: LoadMetric
    is_in: Callable[[Space], bool] = _everywhere
    note: Callable[[Space, int], str | None] = _at_once
    gives_way: bool = False


METRICS: Registry[NamedMetric] = Registry("metric", ("blockprof.metrics.built_in",))
"""All metrics by name, but for predictors, tables, and what spaces bring along."""


def register_metric(name: str, metric: NamedMetric) -> NamedMetric:
    """Add a metric that ``profile`` and ``search`` find by ``name``, and return it.

    Raises:
        InputError: another metric has that name.
    """
    return METRICS.register(name, metric)
