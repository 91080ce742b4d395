"""Networks of an answer, really measured."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from listening import Heard
from scipy.stats import kendalltau, spearmanr

from blockprof.evaluators.device import MeasureSpec
from blockprof.foundation.errors import InputError, MetricError
from blockprof.metrics.counting import load_count
from blockprof.metrics.reference import load_reference
from blockprof.reduction import Reduction, sample_reduced
from blockprof.searching import Limit, Objective, Problem
from blockprof.searching.verify import compared_columns, spread_along, verification_path, verify
from blockprof.spaces import Architectures, Space, load_space

QUICK = MeasureSpec(rounds=1, min_runs=6, max_runs=6, time_limit_s=0.2)
PN = load_space("pn")


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder and a lock of this test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def problem_of(space: Space, *names: str, limited: tuple[str, ...] = ()) -> Problem:
    def load(name: str):
        return load_count(space, name, 224) if name in ("flops", "macs", "params") else load_reference(space, name)

    objectives = tuple(Objective(load(name), name == "accuracy") for name in names)
    return Problem(Reduction.whole(space), objectives, tuple(Limit(load(name), 1e9) for name in limited))


def front(problem: Problem, n: int) -> tuple[Architectures, np.ndarray]:
    archs = sample_reduced(problem.reduction, n, np.random.default_rng(2))
    return archs, problem.evaluate(archs)


def test_three_networks_of_seven_against_their_latencies(data_folder: Path) -> None:
    problem = problem_of(PN, "accuracy", "npu", "gpu", "flops")
    archs, values = front(problem, 7)
    heard = Heard()
    result = verify(
        problem,
        archs,
        values,
        3,
        resolution=128,
        spec=QUICK,
        listener=heard,
    )
    frame = result.to_frame()
    assert frame.columns.tolist() == ["net_str", "npu", "gpu", "measured_ms", "lower_ms", "upper_ms"]
    assert frame["net_str"].tolist() == archs[np.array([0, 3, 6])].to_strings()
    np.testing.assert_array_equal(frame[["npu", "gpu"]], values[[0, 3, 6], 1:3])
    assert (frame["lower_ms"] <= frame["measured_ms"]).all()
    assert (frame["measured_ms"] <= frame["upper_ms"]).all()
    assert len(heard.visits) == 3
    assert heard.steps
    measured = frame["measured_ms"].to_numpy()
    for name, agreement in zip(("npu", "gpu"), result.agreements, strict=True):
        predicted = frame[name].to_numpy()
        assert agreement.metric.name == name
        assert agreement.spearman == pytest.approx(spearmanr(predicted, measured).statistic)
        assert agreement.kendall == pytest.approx(kendalltau(predicted, measured).statistic)
        assert agreement.ratio == pytest.approx(np.prod(measured / predicted) ** (1 / 3))
        assert agreement.mape_percent == pytest.approx(np.mean(np.abs(predicted - measured) / measured) * 100)
    assert verification_path(result.archs, 128).is_file()
    again = verify(problem, archs, values, 3, resolution=128, spec=QUICK, listener=heard)
    assert again.measured.latencies_ms.tolist() == measured.tolist()
    assert len(heard.visits) == 3


def test_without_a_latency_the_order_is_compared_with_sizes(data_folder: Path) -> None:
    problem = problem_of(load_space("resnet50"), "params", limited=("macs",))
    archs, values = front(problem, 2)
    values[1] = values[0]
    result = verify(problem, archs, values, 9, resolution=128, spec=QUICK)
    (agreement,) = result.agreements
    assert agreement.metric.name == "macs"
    assert np.isnan([agreement.spearman, agreement.kendall, agreement.ratio, agreement.mape_percent]).all()
    assert len(result.to_frame()) == 2


def test_networks_are_spread_evenly() -> None:
    assert spread_along(10, 4).tolist() == [0, 3, 6, 9]
    assert spread_along(3, 7).tolist() == [0, 1, 2]
    assert spread_along(5, 1).tolist() == [0]
    for n in range(1, 40):
        for k in range(1, 45):
            assert len(spread_along(n, k)) == min(n, k)


def test_what_cannot_be_verified(data_folder: Path) -> None:
    problem = problem_of(PN, "accuracy", "npu")
    archs, values = front(problem, 2)
    with pytest.raises(InputError, match="0", check=coded("below-1")):
        verify(problem, archs, values, 0, resolution=128)
    with pytest.raises(InputError, check=coded("no-networks")):
        verify(problem, archs[np.arange(0)], values[:0], 2, resolution=128)
    with pytest.raises(MetricError, match="100", check=coded("no-such-resolution")):
        verify(problem, archs, values, 2, resolution=100)
    with pytest.raises(InputError, match=r"accuracy.*params", check=coded("no-latency")):
        compared_columns(problem_of(PN, "accuracy", "params"))
    assert not data_folder.exists()
