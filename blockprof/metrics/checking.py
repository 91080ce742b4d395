"""Metrics that are of one space and one resolution: what takes metrics asks here whether they fit."""

from collections.abc import Iterable
from typing import Protocol

from blockprof.foundation.errors import Argument, MetricError, Said
from blockprof.metrics.metric import MetricInfo
from blockprof.spaces import Space


class Quantity(Protocol):
    """What says which networks its numbers are of: a metric, a surrogate."""

    @property
    def info(self) -> MetricInfo: ...

    @property
    def space(self) -> Space: ...

    @property
    def resolution(self) -> int | None: ...


def check_metrics(metrics: Iterable[Quantity], space: Space, resolution: int | None = None) -> None:
    """Refuse metrics of another space or resolution.

    Args:
        metrics: what is asked for.
        space: that the networks are of; a copy of it is the same.
        resolution: of their input, in pixels; where None, that of the first metric which has one.

    Raises:
        MetricError: a metric of another space, or of another resolution.
    """
    for metric in metrics:
        name = metric.info.name
        if metric.space != space:
            raise MetricError(
                f"{name} is a metric of {metric.space.name}, not of {space.name}",
                remedy=Said("load it for {}", Argument("space", space.name)),
                code="metric-of-another-space",
            )
        if metric.resolution is None:
            continue
        resolution = metric.resolution if resolution is None else resolution
        if metric.resolution != resolution:
            raise MetricError(
                f"{name} is a metric at resolution {metric.resolution}, not at {resolution}",
                remedy=Said("load it for {}", Argument("resolution", resolution)),
                code="metric-at-another-resolution",
            )
