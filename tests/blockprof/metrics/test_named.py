"""Metrics of one's own: found by name, before or behind predictors and tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from codes import coded
from listening import Heard

import blockprof
from blockprof.foundation.errors import InputError, MetricError
from blockprof.metrics import METRICS, Metric, MetricInfo, NamedMetric, metrics_of
from blockprof.metrics.catalogue import check_predictor_name, load_metrics
from blockprof.spaces import Architectures, Space, load_space

PN, MBV3 = load_space("pn"), load_space("mbv3")


@dataclass(frozen=True)
class Depth:
    """How many layers a network of a space has."""

    space: Space = PN
    resolution: int | None = None
    info: ClassVar[MetricInfo] = MetricInfo("depth", "layers", False, "counted", "counted from the blocks")

    def evaluate(self, archs: Architectures) -> np.ndarray:
        return (archs.blocks >= 0).sum(axis=1).astype(float)


def load_depth(space: Space, resolution: int) -> Metric:
    if space.name != "pn":
        raise MetricError(f"there is no depth of {space.name}")
    return Depth()


def is_pn(space: Space) -> bool:
    return space.name == "pn"


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A metric of one's own, in a folder without predictors."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    METRICS.names()
    monkeypatch.setattr(METRICS, "_things", dict(METRICS._things))


def test_ones_own_metric_is_profiled_and_searched_by_name() -> None:
    blockprof.register_metric("depth", NamedMetric(load_depth, is_in=is_pn))
    profiled = blockprof.profile("pn", ["depth"], blocks=["u1.l4.e3k3"], num_archs=50)
    assert profiled.placement_frame()["effect"][0] > 0.5
    found = blockprof.search("pn", [], ["depth"], limits={"npu": 20}, initial=20, generations=2, children=20)
    # The paper's spaces have 5 units of at least two layers and one of one.
    assert found.first.values[found.best[0], 0] == 11


def test_it_is_listed_for_its_spaces_only() -> None:
    blockprof.register_metric("depth", NamedMetric(load_depth, is_in=is_pn))
    assert "depth" in metrics_of(PN)
    assert "depth" not in metrics_of(MBV3)
    with pytest.raises(MetricError, match="there is no depth of mbv3"):
        blockprof.load_metrics("mbv3", ["depth"])


def test_the_built_in_ones_are_listed_in_order() -> None:
    assert metrics_of(MBV3) == (
        *("macs", "conv_macs", "flops", "params", "peak_memory", "weights", "accuracy", "ort-cpu"),
        *("npu", "gpu", "cpu", "note10", "i7-8700k"),
    )
    assert metrics_of(load_space("resnet50")) == (
        *("macs", "conv_macs", "flops", "params", "peak_memory", "weights", "accuracy", "ort-cpu"),
    )


def test_who_wants_to_know_is_told_before_a_metric_takes_long() -> None:
    heard = Heard()

    def load(space: Space, resolution: int) -> Metric:
        heard.notes.append("loading")
        return Depth()

    def note(space: Space, resolution: int) -> str | None:
        return "counting layers" if resolution == 224 else None

    blockprof.register_metric("depth", NamedMetric(load, note=note))
    for resolution in (224, 208):
        load_metrics(PN, ["depth"], resolution, lambda _: None, heard)
    assert heard.notes == ["counting layers", "loading", "loading"]


def test_a_predictor_does_not_replace_it_unless_it_gives_way() -> None:
    blockprof.register_metric("depth", NamedMetric(load_depth))
    asked: list[str] = []
    load_metrics(PN, ["depth"], 224, asked.append)  # type: ignore[arg-type]
    assert not asked
    with pytest.raises(InputError, check=coded("name-taken")):
        check_predictor_name("depth")
    blockprof.register_metric("shallow", NamedMetric(load_depth, gives_way=True))
    load_metrics(PN, ["shallow"], 224, asked.append)  # type: ignore[arg-type]
    assert asked == ["shallow"]
    check_predictor_name("shallow")
