"""The examples in docs/examples do what they say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import blockprof

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def example(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> ModuleType:
    """An example, in a folder without predictors; skipped where what it shows is not installed."""
    monkeypatch.chdir(folder)
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "BLOCKPROF_DATA"):
        monkeypatch.delenv(variable, raising=False)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_optuna_finds_a_front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    module = example("optuna_search", monkeypatch, tmp_path)
    best = module.search(60).best_trials
    assert best
    nets = [module.network_of(optuna.trial.FixedTrial(one.params)) for one in best]
    said = blockprof.predict("pn", nets, ["accuracy", "npu"]).to_pandas()
    assert said["accuracy"].tolist() == pytest.approx([one.values[0] for one in best])
    assert said["npu"].tolist() == pytest.approx([one.values[1] for one in best])
    assert not any(
        other.values[0] > one.values[0] and other.values[1] < one.values[1] for one in best for other in best
    )


def test_syne_tune_finds_a_network_within_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("syne_tune")
    module = example("syne_tune_search", monkeypatch, tmp_path)
    net, accuracy, latency = module.search(60)
    said = blockprof.predict("pn", net, ["accuracy", "npu"]).to_pandas()
    assert (accuracy, latency) == pytest.approx((said["accuracy"][0], said["npu"][0]))
    assert 0 < latency <= module.LIMIT_MS
