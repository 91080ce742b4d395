"""Problems and searches by name."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from listening import Heard

import blockprof
from blockprof.api import searching
from blockprof.api.metrics import Evaluation
from blockprof.evaluators.pooling import journal_path
from blockprof.foundation.errors import DataFileError, InputError, MetricError
from blockprof.profiling import HeldOut, Surrogate
from blockprof.reduction import load_preset
from blockprof.searching import Problem
from blockprof.spaces import load_space

PN = load_space("pn")


@pytest.fixture(autouse=True)
def no_store(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without predictors."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(name, raising=False)


def make_problem(space: str, *args: object, seed: int = 0, **kwargs: object) -> Problem:
    return searching.make_problem(Evaluation(load_space(space), seed=seed), *args, **kwargs)


def test_nothing_named_is_accuracy_up_and_npu_down() -> None:
    problem = make_problem("pn")
    assert [(one.metric.info.name, one.maximize) for one in problem.objectives] == [("accuracy", True), ("npu", False)]
    assert problem.reduction.name == "whole space"
    assert problem.limits == ()


def test_resnet50_has_no_npu_to_go_down() -> None:
    with pytest.raises(MetricError, match=r"resnet50.*accuracy|accuracy.*resnet50"):
        make_problem("resnet50")
    problem = make_problem("resnet50", [], ["flops"])
    assert problem.names == ("flops",)


def test_a_metric_with_objective_and_limit_is_loaded_once() -> None:
    problem = make_problem("pn", ["accuracy"], limits={"accuracy": 76, "npu": 9}, reduction="paper-npu")
    assert problem.names == ("accuracy", "npu")
    assert [limit.text for limit in problem.limits] == ["accuracy >= 76 %", "npu <= 9 ms"]
    assert problem.limits[0].metric is problem.objectives[0].metric
    assert problem.reduction.num_networks == load_preset(PN, "paper-npu").num_networks


def test_both_directions_are_refused() -> None:
    with pytest.raises(InputError, match="npu", check=coded("both-directions")):
        make_problem("pn", ["accuracy", "npu"], ["npu"])


def test_what_is_measured_comes_last() -> None:
    damaged = journal_path(PN, 224, 150, 0)
    damaged.parent.mkdir(parents=True)
    damaged.write_text("not a journal\n")
    with pytest.raises(InputError, match="unknown metric 'nosuch'"):
        make_problem("pn", ["ort-cpu"], ["nosuch"])


def test_the_pool_that_a_search_measures_is_of_its_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named where it cannot be read."""
    # Other tests measure at the same time: the lock of a machine of its own.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for seed in (0, 3):
        damaged = journal_path(PN, 224, 150, seed)
        damaged.parent.mkdir(parents=True, exist_ok=True)
        damaged.write_text("not a journal\n")
    heard = Heard()
    with pytest.raises(DataFileError, match=r"pn-r224-n150-seed3\.journal"):
        blockprof.search("pn", ["accuracy"], ["ort-cpu"], seed=3, listener=heard)
    assert len(heard.notes) == 1
    assert "seed3" in heard.notes[0]


def test_a_search_by_name() -> None:
    heard = Heard()
    study = blockprof.search(
        "pn",
        ["accuracy"],
        ["npu"],
        reduction="paper-npu",
        initial=20,
        generations=2,
        children=20,
        seed=1,
        listener=heard,
    )
    result = study.first
    frame = study.frame(result.best)
    assert frame["on_front"].all()
    assert frame.sort_values("npu")["accuracy"].is_monotonic_increasing
    assert "_k7" not in "".join(study.frame()["net_str"])
    assert heard.told == [study]
    with pytest.warns(DeprecationWarning, match=r"blockprof\.search"):
        old = blockprof.search_space("pn", ["accuracy"], ["npu"], initial=20, generations=1, children=20)
    assert len(old.archs) == 40


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
