"""The conformance suites pass blockprof's own, and find what is wrong with others'."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blockprof.metrics import METRICS, AdditiveMetric, Metric, MetricInfo, NamedMetric
from blockprof.metrics.brought import find_metric
from blockprof.predictors import PREDICTORS, BlockwiseModel, Fitted, TrainingOptions, TrainingTask
from blockprof.reduction import sample_reduced
from blockprof.searching import ALGORITHMS, Algorithm, Budget
from blockprof.searching.algorithm import register_algorithm
from blockprof.searching.archive import Archive
from blockprof.spaces import Architectures, Space, load_space
from blockprof.testing import check_algorithm, check_metric, check_predictor, check_values

PN = load_space("pn")


@pytest.fixture(autouse=True)
def _registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    for registry in (METRICS, PREDICTORS, ALGORITHMS):
        registry.names()
        monkeypatch.setattr(registry, "_things", dict(registry._things))


@pytest.mark.parametrize(("name", "space"), [("npu", "pn"), ("accuracy", "mbv3"), ("params", "pn")])
def test_metrics_of_blockprof_pass(name: str, space: str) -> None:
    chosen = load_space(space)
    found = find_metric(chosen, name)
    assert found is not None
    check_metric(name, found, chosen, 224)


@pytest.mark.parametrize("name", ALGORITHMS.names())
def test_algorithms_of_blockprof_pass(name: str) -> None:
    check_algorithm(name, PN)


@pytest.mark.parametrize(
    ("name", "space", "options"),
    [("blockwise", "pn", None), ("blockwise", "resnet50", None), ("gru", "pn", TrainingOptions(fast=True, epochs=6))],
)
def test_predictors_of_blockprof_pass(name: str, space: str, options: TrainingOptions | None) -> None:
    check_predictor(name, load_space(space), options)


class Odd:
    """A metric with something wrong."""

    info = MetricInfo("odd", "", False, "counted", "made up")
    space = PN
    resolution = None

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def evaluate(self, archs: Architectures) -> np.ndarray:
        depths = (archs.blocks >= 0).sum(axis=1)
        if self.fault == "whole numbers":
            return depths
        if self.fault == "ranks":
            return np.argsort(depths).astype(float)
        if self.fault == "infinite":
            return np.where(depths > 15, np.inf, 1.0)
        return depths.astype(float)[:, None] if self.fault == "shape" else depths.astype(float)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("whole numbers", "not floating-point"),
        ("ranks", "another number among other networks"),
        ("infinite", "no finite number"),
        ("shape", "has shape"),
    ],
)
def test_what_is_wrong_with_a_metric(fault: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_values(Odd(fault), PN)


def test_a_metric_says_what_it_is() -> None:
    with pytest.raises(AssertionError, match="loaded with the name 'odd'"):
        check_metric("even", NamedMetric(lambda space, resolution: Odd()), PN)
    with pytest.raises(AssertionError, match="odd has no unit"):
        check_metric("odd", NamedMetric(lambda space, resolution: Odd()), PN)

    def load(space: Space, resolution: int) -> Metric:
        costs = np.ones(len(space.instances))
        return AdditiveMetric(replace(Odd.info, unit="ms"), space, 1.0, costs, resolution=resolution - 32)

    with pytest.raises(AssertionError, match="odd is of resolution 192"):
        check_metric("odd", NamedMetric(load), PN, 224)
    with pytest.raises(AssertionError, match="odd is a metric of mbv3"):
        check_metric("odd", NamedMetric(lambda space, resolution: load(load_space("mbv3"), 256)), PN, 224)


def drawn(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    yield sample_reduced(archive.problem.reduction, budget.total + 1, rng)


def unseeded(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    yield sample_reduced(archive.problem.reduction, budget.initial, np.random.default_rng())


def fixed(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    yield sample_reduced(archive.problem.reduction, budget.initial, np.random.default_rng(0))


def outside(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    from blockprof.spaces.sampling import sample_architectures

    yield sample_architectures(archive.problem.reduction.space, budget.initial, rng)


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [
        (Algorithm(drawn), "more networks than its budget"),
        (Algorithm(unseeded), "others from the same seed"),
        (Algorithm(fixed), "the same from another seed"),
        (Algorithm(outside), "leaves the reduced space"),
        (Algorithm(fixed, is_exact=True), "exact, but random networks are better"),
    ],
)
def test_what_is_wrong_with_an_algorithm(algorithm: Algorithm, said: str) -> None:
    register_algorithm("wrong", algorithm)
    with pytest.raises(AssertionError, match=said):
        check_algorithm("wrong", PN)


def blockwise(task: TrainingTask) -> BlockwiseModel:
    model = task.screened.model
    return replace(model, kind="wrong")


class Forgetful(BlockwiseModel):
    """Saves half of its costs."""

    def save(self, folder: str | Path) -> None:
        BlockwiseModel.save(replace(self, costs=self.costs * 0.5), folder)


def forgetful(task: TrainingTask) -> BlockwiseModel:
    return Forgetful(**vars(blockwise(task)))


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (lambda task: task.screened.model, "says that it is a 'blockwise'"),
        (lambda task: replace(blockwise(task), costs=blockwise(task).costs * 0), "no better than the mean"),
        (lambda task: replace(blockwise(task), metric="x"), "does not take the metric's name"),
        (lambda task: replace(blockwise(task), lower_quantile=0.1), "outside their intervals"),
        (forgetful, "after it was saved and loaded"),
    ],
)
def test_what_is_wrong_with_a_kind_of_predictors(train, said: str) -> None:
    PREDICTORS.register(
        "wrong", replace(PREDICTORS.get("blockwise"), train=lambda task: Fitted(train(task)), to_onnx=None)
    )
    with pytest.raises(AssertionError, match=said):
        check_predictor("wrong", PN)


def test_a_kind_of_ones_own_that_is_a_sum_of_costs() -> None:
    PREDICTORS.register("wrong", replace(PREDICTORS.get("blockwise"), train=lambda task: Fitted(blockwise(task))))
    check_predictor("wrong", PN)
