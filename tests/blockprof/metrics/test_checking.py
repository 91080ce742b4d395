from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

import blockprof
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import MetricError
from blockprof.metrics import AdditiveMetric, Metric, MetricInfo, check_metrics, load_reference
from blockprof.profiling import HeldOut, Surrogate, profile
from blockprof.reduction import Reduction
from blockprof.searching import Limit, Objective, Problem, SearchSpec
from blockprof.searching.study import StudyPlan
from blockprof.spaces import Architectures, Space, load_space

PN, MBV3 = load_space("pn"), load_space("mbv3")


class Own:
    """A metric that is no sum of costs."""

    info = MetricInfo("own", "", True, "measured", "made up")

    def __init__(self, space: Space, resolution: int | None) -> None:
        self.space, self.resolution = space, resolution

    def evaluate(self, archs: Architectures) -> FloatArray:
        return archs.depths.sum(axis=1) ** 2.0


def costs(space: Space, resolution: int | None) -> AdditiveMetric:
    found = np.arange(len(space.instances), dtype=float)
    return AdditiveMetric(MetricInfo("cost", "ms", False, "table", "made up"), space, 1.0, found, resolution=resolution)


def surrogate(space: Space, resolution: int | None) -> Surrogate:
    none = np.empty(0)
    metric = replace(costs(space, resolution), covariance=np.eye(len(space.instances) + 1))
    return Surrogate(metric, 20, HeldOut((), none, none, none, none, none, 1.0))


def saturated(space: Space, resolution: int | None) -> Metric:
    return load_reference(space, "accuracy", resolution or 224)


MADE = {"additive": costs, "monotone": saturated, "own": Own, "surrogate": surrogate}

QUICK = {"algorithm": "random", "initial": 2, "generations": 1, "children": 2}

TAKERS: dict[str, Callable[[Metric, int], object]] = {
    "blockprof.profile": lambda metric, size: blockprof.profile(
        "pn", [metric], resolution=size, num_archs=2, blocks=["u1.l1.e3k3"]
    ),
    "profile": lambda metric, size: profile(PN, [metric], resolution=size, constraints=[], num_archs=2),
    "blockprof.searching": lambda metric, size: blockprof.search("pn", [metric], resolution=size, **QUICK),
    "a limit": lambda metric, size: blockprof.search(
        "pn", ["accuracy"], limits={metric: -1.0 if metric.info.higher_is_better else 1e9}, resolution=size, **QUICK
    ),
    "StudyPlan": lambda metric, size: StudyPlan(
        Problem(Reduction.whole(PN), (Objective(metric, True),)), SearchSpec(), resolution=size
    ),
}


@pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_what_takes_metrics_refuses_those_of_other_networks(
    make: Callable[[Space, int | None], Metric], take: Callable[[Metric, int], object]
) -> None:
    """None is an ``IndexError``, and none is said to be of a resolution that it is not of."""
    with pytest.raises(MetricError) as other_space:
        take(make(MBV3, 224), 224)
    assert other_space.value.code == "metric-of-another-space"
    with pytest.raises(MetricError) as other_resolution:
        take(make(PN, 224), 208)
    assert other_resolution.value.code == "metric-at-another-resolution"
    take(make(PN, 208), 208)
    take(make(deepcopy(PN), 208), 208)


def test_a_problem_is_of_one_space_and_one_resolution() -> None:
    up = Objective(load_reference(PN, "accuracy"), maximize=True)
    with pytest.raises(MetricError) as other_space:
        Problem(Reduction.whole(MBV3), (up,))
    assert other_space.value.code == "metric-of-another-space"
    with pytest.raises(MetricError) as resolutions:
        Problem(Reduction.whole(PN), (up,), (Limit(load_reference(PN, "npu", 208), 5.0),))
    assert str(resolutions.value) == "npu is a metric at resolution 208, not at 224: load it for resolution=224"


def test_metrics_of_any_resolution_fit_each() -> None:
    check_metrics([costs(PN, None), costs(PN, 160), costs(PN, None)], PN, 160)
    with pytest.raises(MetricError):
        check_metrics([costs(PN, None), costs(PN, 160), costs(PN, 192)], PN)


@pytest.mark.parametrize("name", ["npu", "gpu", "cpu", "accuracy", "macs", "flops", "conv_macs"])
def test_loaded_metrics_know_what_they_are_of(name: str) -> None:
    (metric,) = blockprof.load_metrics("pn", [name], resolution=208)
    assert (metric.space, metric.resolution) == (PN, 208)


def test_parameters_are_the_same_at_any_resolution() -> None:
    (metric,) = blockprof.load_metrics("pn", ["params"], resolution=208)
    assert metric.resolution is None
