"""What a metric is, and the additive ones, which everything exact rests on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from blockprof.spaces import Architectures, FloatArray, Space

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

    ``costs`` is (len(space.instances),) where ``by`` is ``instance``, and (L * B,) where it is ``placement``
    (accuracy depends on the layer, not only on the instance).
    """

    info: MetricInfo
    space: Space
    base: float
    costs: FloatArray
    by: Literal["instance", "placement"] = "instance"

    @cached_property
    def slot_costs(self) -> FloatArray:
        """(L, B): the cost of each block at each slot."""
        if self.by == "placement":
            return self.costs.reshape(self.space.num_slots, -1)
        slot_costs: FloatArray = self.costs[self.space.instance_ids]
        return slot_costs

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in ``info.unit``."""
        costs = np.append(self.costs, 0.0)
        values: FloatArray = self.base + costs[self.space.encode(archs, self.by)].sum(axis=1)
        return values
