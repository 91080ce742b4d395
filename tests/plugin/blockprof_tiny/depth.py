"""A metric: how many layers a network has."""

import numpy as np

from blockprof.metrics import AdditiveMetric, MetricInfo, NamedMetric
from blockprof.spaces import Space


def _load(space: Space, resolution: int) -> AdditiveMetric:
    info = MetricInfo("depth", "layers", True, "counted", "counted from the layers")
    return AdditiveMetric(info, space, 0.0, np.ones(space.catalogue("placement").absent), by="placement")


DEPTH = NamedMetric(_load)
