"""Problems and searches by name."""

from dataclasses import replace

import numpy as np
import pytest
from codes import coded

import blockprof
from blockprof.foundation.errors import InputError
from blockprof.metrics import AdditiveMetric, Metric
from blockprof.profiling import HeldOut, Surrogate
from blockprof.reduction import load_preset
from blockprof.searching.by_name import make_problem, ort_cpu_metric
from blockprof.spaces import load_space

PN = load_space("pn")


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without predictors."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_named_is_accuracy_up_and_npu_down() -> None:
    problem = make_problem("pn")
    assert [(one.metric.info.name, one.maximize) for one in problem.objectives] == [("accuracy", True), ("npu", False)]
    assert problem.reduction.name == "whole space"
    assert problem.limits == ()


def test_resnet50_has_no_npu_to_go_down() -> None:
    (accuracy,) = blockprof.load_metrics("resnet50", ["macs"])
    accuracy = replace(accuracy, info=replace(accuracy.info, name="accuracy", higher_is_better=True))
    problem = make_problem("resnet50", expensive={"accuracy": lambda: accuracy})
    assert [one.metric.info.name for one in problem.objectives] == ["accuracy", "flops"]


def test_a_metric_with_objective_and_limit_is_loaded_once() -> None:
    problem = make_problem("pn", ["accuracy"], limits={"accuracy": 76, "npu": 9}, reduction="paper-npu")
    assert problem.names == ("accuracy", "npu")
    assert [limit.text for limit in problem.limits] == ["accuracy >= 76 %", "npu <= 9 ms"]
    assert problem.limits[0].metric is problem.objectives[0].metric
    assert problem.reduction.num_networks == load_preset(PN, "paper-npu").num_networks


def test_both_directions_are_refused() -> None:
    with pytest.raises(InputError, match="npu", check=coded("both-directions")):
        make_problem("pn", ["accuracy", "npu"], ["npu"])


def test_what_is_measured_comes_last_and_says_that_it_predicts() -> None:
    (npu,) = blockprof.load_metrics("pn", ["npu"])
    named = replace(npu.info, name="ort-cpu", origin="measured", source="measured with ONNX Runtime")
    calls = []

    def measure() -> Metric:
        calls.append(1)
        ones = np.ones(20)
        check = HeldOut(("net",) * 20, ones, ones, ones, ones, ones, 1.0)
        size = len(npu.costs) + 1
        surrogate = Surrogate(AdditiveMetric(named, PN, npu.base, npu.costs, covariance=np.eye(size)), 20, check)
        return ort_cpu_metric(surrogate)

    with pytest.raises(InputError, match="nosuch", check=coded("unknown-metric")):
        make_problem("pn", ["nosuch"], ["ort-cpu"], expensive={"ort-cpu": measure})
    assert not calls
    problem = make_problem("pn", ["accuracy"], ["ort-cpu"], expensive={"ort-cpu": measure})
    info = problem.metrics[1].info
    assert info.origin == "predicted"
    assert info.source == "predicted by a surrogate of 20 networks measured with ONNX Runtime"
    assert len(calls) == 1


def test_a_search_by_name() -> None:
    result = blockprof.search_space(
        "pn", ["accuracy"], ["npu"], reduction="paper-npu", initial=20, generations=2, children=20, seed=1
    )
    frame = result.frame(result.best)
    assert frame["on_front"].all()
    assert frame.sort_values("npu")["accuracy"].is_monotonic_increasing
    assert "_k7" not in "".join(result.frame()["net_str"])


def test_metrics_of_ones_own_are_searched_for_as_they_are_profiled() -> None:
    accuracy, npu = blockprof.load_metrics("pn", ["accuracy", "npu"])
    own = replace(npu, info=replace(npu.info, name="board"), base=npu.base + 1)
    problem = make_problem("pn", ["accuracy"], [own], limits={own: 9, "accuracy": 76})
    assert problem.names == ("accuracy", "board")
    assert problem.objectives[1].metric is problem.limits[0].metric is own
    assert blockprof.profile("pn", [own]).metrics[0].info is own.info
    shadowing = replace(npu, base=100.0)
    assert make_problem("pn", [accuracy], [shadowing], limits={"npu": 200}).limits[0].metric is shadowing


def test_two_metrics_of_one_name_are_refused() -> None:
    (npu,) = blockprof.load_metrics("pn", ["npu"])
    with pytest.raises(InputError, match="npu", check=coded("repeated-metric")):
        make_problem("pn", minimize=[npu], limits={replace(npu, base=1.0): 9})


def test_a_surrogate_is_searched_for() -> None:
    (npu,) = blockprof.load_metrics("pn", ["npu"])
    ones = np.ones(20)
    surrogate = Surrogate(npu, 20, HeldOut(("net",) * 20, ones, ones, ones, ones, ones, 1.0))
    (objective,) = make_problem("pn", minimize=[surrogate]).objectives
    assert objective.metric.info.origin == "predicted"
