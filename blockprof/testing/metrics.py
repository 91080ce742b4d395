"""Is it a metric that all commands can use? What a package that registers one calls from its own tests."""

import numpy as np

from blockprof.metrics import Metric, NamedMetric
from blockprof.spaces import Space
from blockprof.spaces.sampling import sample_architectures

NUM_NETWORKS = 40


def check_metric(name: str, metric: NamedMetric, space: Space, resolution: int | None = None) -> None:
    """Check a metric by name in one of its spaces, at a resolution in pixels; the space's greatest where None.

    Raises:
        AssertionError: it is not what commands take it for; the message says what is wrong.
    """
    assert metric.is_in(space), f"is_in does not list {name} for {space.name}"
    size = space.resolutions[-1] if resolution is None else resolution
    found = metric.load(space, size)
    assert found.info.name == name, f"{name} is loaded with the name '{found.info.name}'"
    assert found.info.unit, f"{name} has no unit"
    assert found.info.source, f"{name} does not say where its numbers come from"
    assert found.resolution in (None, size), f"{name} is of resolution {found.resolution} where {size} is asked for"
    check_values(found, space)


def check_values(metric: Metric, space: Space) -> None:
    """Check the values that a metric, loaded or made in the process, gives networks.

    Raises:
        AssertionError: as :func:`check_metric`.
    """
    name, rng = metric.info.name, np.random.default_rng(0)
    assert metric.space == space, f"{name} is a metric of {metric.space.name}, not of {space.name}"
    archs = sample_architectures(space, NUM_NETWORKS, rng)
    values = metric.evaluate(archs)
    assert values.shape == (NUM_NETWORKS,), f"{name} has shape {values.shape} of {NUM_NETWORKS} networks"
    assert values.dtype.kind == "f", f"{name} is {values.dtype}, not floating-point"
    assert np.isfinite(values).all(), f"{name} gives some networks no finite number"
    order = rng.permutation(NUM_NETWORKS)[: NUM_NETWORKS // 2]
    same = np.isclose(metric.evaluate(archs[order]), values[order], rtol=1e-6, atol=0)
    assert same.all(), f"{name} gives a network another number among other networks"
    assert metric.evaluate(archs[:0]).shape == (0,), f"{name} does not take a batch of no networks"
