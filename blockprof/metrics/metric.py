"""What a metric is; and the additive ones and increasing functions of these, which everything exact rests on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import FloatArray
from blockprof.metrics.link import Link
from blockprof.spaces import Architectures, Catalogue, CostsBy, Space

Origin = Literal["counted", "reference", "table", "predicted", "measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownErrors:
    """How far a metric's values are from what they stand for: in percent of the value where ``relative``, else in the
    metric's unit.

    ``network`` is the mean size of the errors of random networks, ``placement`` that of the mean of a placement's
    networks, in which errors of single networks cancel; 0 where such means have intervals that say more. Of a table
    fitted to a predictor also ``extreme``, the mean size of the errors of networks at the ends of the space, where a
    search goes; the range of these; and ``fitted``, the range of the values, in the metric's unit, that it was fitted
    on.
    """

    relative: bool
    network: float
    placement: float = 0.0
    extreme: float | None = None
    extreme_range: tuple[float, float] | None = None
    fitted: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """As in ``mean error 1.4 % on random networks, 1.8 % on extreme ones (-5.9 to +6.6 %)``."""
        unit = "%" if self.relative else "points"
        said = f"mean error {self.network:.2g} {unit} on random networks"
        if self.extreme is None or self.extreme_range is None:
            return said
        low, high = self.extreme_range
        return f"{said}, {self.extreme:.2g} {unit} on extreme ones ({low:+.2g} to {high:+.2g} {unit})"


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """A metric's name, unit and direction, and where its numbers come from.

    ``origin`` is what the user is told wherever the numbers show: ``counted`` (from the network's structure),
    ``reference`` (the built-in tables), ``table`` (a look-up table of a device), ``predicted`` (a trained predictor),
    ``measured``. ``source`` says it in a few words. ``errors`` says how well the values are known; None where they are
    exact by definition, or where nobody knows. ``model_uri`` is the registered model that they are predicted by.
    """

    name: str
    unit: str
    higher_is_better: bool
    origin: Origin
    source: str
    errors: KnownErrors | None = None
    model_uri: str = ""

    @property
    def label(self) -> str:
        """For axes and table heads: ``npu (ms)``."""
        return f"{self.name} ({self.unit})"

    @property
    def provenance(self) -> str:
        """The source and, where it is known, how far values are from what they stand for."""
        return f"{self.source}; {self.errors.text}" if self.errors else self.source

    def error_of_network(self, level: float) -> float:
        """The mean size of a network's error, in ``unit``, where values are about ``level``; 0 where not known."""
        return self._scaled(self.errors.network, level) if self.errors else 0.0

    def error_of_placement(self, level: float) -> float:
        """The same for the mean of a placement's networks."""
        return self._scaled(self.errors.placement, level) if self.errors else 0.0

    def is_outside(self, values: FloatArray) -> NDArray[np.bool_]:
        """Which values lie outside the range that the metric was fitted on; none where there is no such range."""
        low, high = self.errors.fitted if self.errors and self.errors.fitted else (-np.inf, np.inf)
        return np.asarray((values < low) | (values > high))

    def _scaled(self, error: float, level: float) -> float:
        return error * abs(level) / 100 if self.errors and self.errors.relative else error


class Metric(Protocol):
    """Anything that gives networks of a space a number."""

    @property
    def info(self) -> MetricInfo: ...

    @property
    def space(self) -> Space:
        """The space whose networks it knows."""
        ...

    @property
    def resolution(self) -> int | None:
        """Of the networks' input, in pixels; None where numbers are the same at any."""
        ...

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in ``info.unit``."""
        ...


@dataclass(frozen=True, eq=False)
class AdditiveMetric:
    """A metric that is ``base`` plus a cost for each block instance, or for each placement.

    ``costs`` is (K,), K being ``space.catalogue(by).absent``: one for each of ``space.instances`` where ``by`` is
    ``instance``, and L * B, then one for each stem if they vary, where it is ``placement`` (accuracy depends on the
    layer, not only on the instance). ``covariance`` is (K + 1, K + 1), in ``info.unit`` squared: of a metric fitted to
    networks, the posterior covariance of the costs and, last, of the base; None where these are known. ``resolution``
    is None where the costs are the same at any.
    """

    info: MetricInfo
    space: Space
    base: float
    costs: FloatArray
    by: CostsBy = "instance"
    covariance: FloatArray | None = None
    resolution: int | None = None

    def __repr__(self) -> str:
        return f"<AdditiveMetric {self.info.label} of {self.space.name}, {self.info.origin}: {len(self.costs)} costs>"

    @property
    def score(self) -> "AdditiveMetric":
        """The additive metric that orders networks as this one does: itself."""
        return self

    @property
    def link(self) -> None:
        """It is its own score."""

    def values_of(self, scores: FloatArray) -> FloatArray:
        """(N,): what it is where its score is ``scores`` (N,)."""
        return scores

    def scores_of(self, values: FloatArray) -> FloatArray:
        """(N,): the score where it is ``values`` (N,)."""
        return values

    @property
    def catalogue(self) -> Catalogue:
        """Where along the chain each cost is found."""
        return self.space.catalogue(self.by)

    @cached_property
    def padded_costs(self) -> FloatArray:
        """(K + 1,): the costs, and 0 for what is absent."""
        return np.append(self.costs, 0.0)

    @property
    def slot_costs(self) -> FloatArray:
        """(L, P, B): the cost of each block at each slot, by the width before its unit."""
        return self.padded_costs[self.catalogue.layers]

    @property
    def stem_costs(self) -> FloatArray:
        """(S,): the cost of each stem; 0 where there is only one."""
        return self.padded_costs[self.catalogue.stems]

    @property
    def head_costs(self) -> FloatArray:
        """(W,): the cost of each head; 0 where there is only one."""
        return self.padded_costs[self.catalogue.heads]

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in ``info.unit``."""
        values: FloatArray = self.base + self.padded_costs[self.space.encode(archs, self.by)].sum(axis=1)
        return values


@dataclass(frozen=True, eq=False)
class MonotoneMetric:
    """A metric that is an increasing function of an additive one, as accuracy, which saturates, is of blocks' gains.

    ``score`` is additive, of known costs, in the metric's unit. As ``link`` keeps the order of networks, fronts and
    best networks are those of the score; means and quantiles follow from the score's whole distribution.
    """

    info: MetricInfo
    score: AdditiveMetric
    link: Link

    @property
    def space(self) -> Space:
        return self.score.space

    @property
    def resolution(self) -> int | None:
        return self.score.resolution

    def values_of(self, scores: FloatArray) -> FloatArray:
        """(N,): what it is where its score is ``scores`` (N,)."""
        return self.link(scores)

    def scores_of(self, values: FloatArray) -> FloatArray:
        """(N,): the score where it is ``values`` (N,)."""
        return self.link.inverse(values)

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in ``info.unit``."""
        return self.values_of(self.score.evaluate(archs))


ExactMetric = AdditiveMetric | MonotoneMetric
"""Metrics whose profiles, fronts and best networks are known exactly."""


def as_exact(metric: Metric) -> ExactMetric | None:
    """The metric, where it is an exact one; else None."""
    return metric if isinstance(metric, ExactMetric) else None
