"""What a metric is, and the additive ones, which everything exact rests on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from blockprof.spaces import Architectures, Catalogue, CostsBy, FloatArray, Space

Origin = Literal["counted", "reference", "table", "predicted", "measured"]


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """A metric's name, unit and direction, and where its numbers come from.

    ``origin`` is what the user is told wherever the numbers show: ``counted`` (from the network's structure),
    ``reference`` (the built-in tables), ``table`` (a look-up table of a device), ``predicted`` (a trained predictor),
    ``measured``. ``source`` says it in a few words.
    """

    name: str
    unit: str
    higher_is_better: bool
    origin: Origin
    source: str

    @property
    def label(self) -> str:
        """For axes and table heads: ``npu (ms)``."""
        return f"{self.name} ({self.unit})"


class Metric(Protocol):
    """Anything that gives networks a number."""

    @property
    def info(self) -> MetricInfo: ...

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in ``info.unit``."""
        ...


@dataclass(frozen=True, eq=False)
class AdditiveMetric:
    """A metric that is ``base`` plus a cost for each block instance, or for each placement.

    ``costs`` is (K,), K being ``space.catalogue(by).absent``: one for each of ``space.instances`` where ``by`` is
    ``instance``, and L * B, then one for each stem if they vary, where it is ``placement`` (accuracy depends on the
    layer, not only on the instance). ``covariance`` is (K + 1, K + 1), in ``info.unit`` squared: of a metric fitted to
    networks, the posterior covariance of the costs and, last, of the base; None where these are known.
    """

    info: MetricInfo
    space: Space
    base: float
    costs: FloatArray
    by: CostsBy = "instance"
    covariance: FloatArray | None = None

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
