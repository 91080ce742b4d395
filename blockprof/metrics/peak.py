"""Metrics that are the greatest of what a network's blocks need, one after another."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.metrics.metric import MetricInfo
from blockprof.spaces import Architectures, Space


@dataclass(frozen=True, eq=False)
class PeakMetric:
    """A metric that is the greatest of ``base`` and of a value for each block instance, as peak memory is.

    ``costs`` is (K,), one for each of ``space.instances``. What every network has, be it the only stem, is in ``base``.
    ``resolution`` is None where the costs are the same at any.
    """

    info: MetricInfo
    space: Space
    base: float
    costs: FloatArray
    resolution: int | None = None

    def __repr__(self) -> str:
        return f"<PeakMetric {self.info.label} of {self.space.name}, {self.info.origin}: {len(self.costs)} costs>"

    @cached_property
    def padded_costs(self) -> FloatArray:
        """(K + 1,): what a network with each instance has at least; last, the base."""
        return np.asarray(np.maximum(np.append(self.costs, self.base), self.base))

    @property
    def slot_costs(self) -> FloatArray:
        """(L, P, B): that of each block at each slot, by the width before its unit."""
        return self.padded_costs[self.space.catalogue().layers]

    @property
    def stem_costs(self) -> FloatArray:
        """(S,): that of each stem; the base where there is only one."""
        return self.padded_costs[self.space.catalogue().stems]

    @property
    def head_costs(self) -> FloatArray:
        """(W,): that of each head; the base where there is only one."""
        return self.padded_costs[self.space.catalogue().heads]

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) values, in ``info.unit``."""
        return np.asarray(self.padded_costs[self.space.encode(archs)].max(axis=1))
