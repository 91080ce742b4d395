"""Predictors are registered, as champion or not, and work where blockprof is not."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from codes import coded
from mlflow import MlflowClient

from blockprof import predictors, tracking
from blockprof.foundation.errors import InputError
from blockprof.latency_data import LatencyData
from blockprof.predictors.serving import MODEL_CODE, carried_files

Log = Callable[..., tracking.RegisteredPredictor]
MakeLatencies = Callable[..., LatencyData]


def champion_version() -> int | None:
    champion = tracking.find_champion("pn", "npu")
    return champion.version if champion else None


@pytest.fixture
def log(store: Path, save_predictor: Callable[[LatencyData], Path]) -> Log:
    """Trains on the first, and logs and registers with the second as test rows; as the champion, or not."""

    def log_trained(
        train: LatencyData, test: LatencyData, *, is_champion: bool = True, reason: str = "there was none before"
    ) -> tracking.RegisteredPredictor:
        with tracking.start_run("train-predictor", space="pn") as run:
            run.log_metrics({"test.mape_percent": 1.25})
            return tracking.log_predictor(
                run,
                save_predictor(train),
                MODEL_CODE,
                carried_files("blockwise"),
                metric="npu",
                kind="blockwise",
                num_nets=len(train),
                test=test,
                predict=lambda folder: (
                    predictors.load_predictor(folder).predict(test.archs, test.resolutions).latency_ms
                ),
                choose=lambda: tracking.Choice(is_champion, reason, champion_version()),
            )

    return log_trained


def test_a_champion_is_found_and_served(store: Path, log: Log, make_latencies: MakeLatencies) -> None:
    train, test = make_latencies(80, seed=0), make_latencies(20, seed=1)
    registered = log(train, test)
    assert (registered.name, registered.version, registered.is_champion) == ("blockprof-pn-npu", 1, True)
    assert 0 < registered.mape < 1

    champion = tracking.find_champion("pn", "npu")
    assert champion is not None
    assert (champion.name, champion.version) == ("blockprof-pn-npu", 1)
    expected = {"space": "pn", "metric": "npu", "device": "test-npu", "kind": "blockwise", "num_nets": "80"}
    assert expected.items() <= champion.tags.items()
    assert float(champion.tags["test_mape"]) == pytest.approx(registered.mape, abs=1e-4)
    assert champion.tags["test_digest"] == test.digest
    assert json.loads((champion.folder / "model.json").read_text())["kind"] == "blockwise"
    model = predictors.load_blockwise(champion.folder)
    served = mlflow.pyfunc.load_model("models:/blockprof-pn-npu@champion").predict(
        test.to_frame()[["net", "resolution"]]
    )
    np.testing.assert_allclose(served["latency_ms"], model.predict(test.archs, 224).latency_ms, rtol=1e-12)
    assert list(served) == ["latency_ms", "lower_ms", "upper_ms"]
    assert tracking.list_predictors("pn") == ["npu"]
    assert tracking.list_predictors("mbv3") == []


def test_the_model_holds_no_pickle_and_needs_no_blockprof(
    log: Log, make_latencies: MakeLatencies, tmp_path: Path
) -> None:
    registered = log(make_latencies(40, seed=0), make_latencies(10, seed=1))
    files = Path(mlflow.artifacts.download_artifacts(registered.model_uri, dst_path=str(tmp_path / "model")))
    assert not [path for path in files.rglob("*") if path.suffix in (".pkl", ".pickle")]
    assert {line.split("==")[0] for line in (files / "requirements.txt").read_text().split()} == {
        "mlflow",
        "numpy",
        "pandas",
    }
    assert "blockprof" not in (files / "conda.yaml").read_text()
    info = mlflow.models.get_model_info(registered.model_uri)
    assert info.signature.inputs.input_names() == ["net", "net_str", "resolution"]
    assert info.signature.outputs.input_names() == ["latency_ms", "lower_ms", "upper_ms"]
    example = mlflow.pyfunc.load_model(registered.model_uri).input_example
    assert list(example) == ["net", "resolution"]


def test_the_runs_metrics_are_linked_to_the_model(log: Log, make_latencies: MakeLatencies) -> None:
    registered = log(make_latencies(40, seed=0), make_latencies(10, seed=1))
    version = MlflowClient().get_model_version(registered.name, str(registered.version))
    model = MlflowClient().get_logged_model(version.source.removeprefix("models:/"))
    assert {metric.key: metric.value for metric in model.metrics} == {"test.mape_percent": 1.25}


def test_the_alias_moves_only_where_it_is_told_to(log: Log, make_latencies: MakeLatencies) -> None:
    train, test = make_latencies(30, seed=0), make_latencies(10, seed=9)
    log(train, test)
    second = log(train, test, is_champion=False, reason="too few")
    assert (second.version, second.is_champion, second.reason) == (2, False, "too few")
    assert tracking.find_predictor("blockprof-pn-npu").version == 1
    assert tracking.find_predictor("blockprof-pn-npu/2").tags["champion_reason"] == "too few"
    log(train, test, reason="better")
    champion = tracking.find_champion("pn", "npu")
    assert champion is not None
    assert (champion.version, champion.tags["champion_reason"]) == (3, "better")
    assert tracking.find_predictor("models:/blockprof-pn-npu@champion").model_uri == "models:/blockprof-pn-npu/3"


def test_the_command_that_is_given_moves_the_alias(store: Path, log: Log, make_latencies: MakeLatencies) -> None:
    train, test = make_latencies(30, seed=0), make_latencies(10, seed=9)
    log(train, test)
    command = log(train, test, is_champion=False, reason="too few").champion_command
    assert command.startswith("python -c ")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, shell=True, check=True, capture_output=True, env={**os.environ, "PATH": path})
    assert tracking.find_predictor("blockprof-pn-npu").version == 2


def test_what_does_not_predict_is_not_registered(store: Path, log: Log, make_latencies: MakeLatencies) -> None:
    with pytest.raises(InputError, match=r"224.*96", check=coded("no-such-resolution")):
        log(make_latencies(40, seed=0), make_latencies(10, seed=1, resolution=96))
    assert tracking.list_predictors("pn") == []
    assert MlflowClient().search_runs([MlflowClient().get_experiment_by_name("blockprof").experiment_id])[
        0
    ].info.status == ("FAILED")


def test_a_metric_that_cannot_be_a_name(folder: Path) -> None:
    with pytest.raises(InputError, match="a/b", check=coded("not-a-metric-name")):
        tracking.find_champion("pn", "a/b")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("blockprof-pn-gpu", "no predictor 'blockprof-pn-gpu': there are blockprof-pn-npu"),
        ("blockprof-pn-npu/7", "has no such version"),
        ("blockprof-pn-npu@best", "has no such version or alias"),
        ("models:/a/b/c", "no predictor"),
    ],
)
def test_no_such_predictor(log: Log, make_latencies: MakeLatencies, reference: str, message: str) -> None:
    log(make_latencies(40, seed=0), make_latencies(10, seed=1))
    with pytest.raises(InputError, match=message):
        tracking.find_predictor(reference)


def test_each_store_has_its_own_predictor_of_a_name(
    log: Log, make_latencies: MakeLatencies, empty_store: Path, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """In one process, as in a notebook that goes from one project's folder to another's."""
    found = []
    for num in (40, 60):
        folder = tmp_path_factory.mktemp("project")
        shutil.copy(empty_store, folder / "mlflow.db")
        monkeypatch.chdir(folder)
        log(make_latencies(num, seed=0), make_latencies(10, seed=1))
        champion = tracking.find_champion("pn", "npu")
        assert champion is not None
        found.append(predictors.load_blockwise(champion.folder).num_nets)
    assert found == [40, 60]


def test_no_predictor_yet(folder: Path) -> None:
    with pytest.raises(InputError, check=coded("no-such-predictor")):
        tracking.find_predictor("blockprof-pn-npu")
    assert list(folder.iterdir()) == []


def predict_without_blockprof(test: LatencyData) -> pd.DataFrame:
    """Predictions of pn's npu in a second environment: this one's packages as a plain path, whose hook for blockprof is
    then not run.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "other"], check=True)
    (packages,) = Path("other").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = """
import sys, mlflow, pandas as pd
try:
    import blockprof
    sys.exit("blockprof is installed here: the test shows nothing")
except ModuleNotFoundError:
    pass
model = mlflow.pyfunc.load_model("models:/blockprof-pn-npu@champion")
model.predict(pd.read_csv("nets.csv")).to_csv("predicted.csv", index=False)
"""
    test.to_frame()[["net", "resolution"]].to_csv("nets.csv", index=False)
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(["other/bin/python", "-c", script], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pd.read_csv("predicted.csv")


def test_it_predicts_the_same_where_blockprof_is_not_installed(
    store: Path, log: Log, make_latencies: MakeLatencies
) -> None:
    test = make_latencies(20, seed=1)
    log(make_latencies(80, seed=0), test)
    there = predict_without_blockprof(test)
    champion = tracking.find_champion("pn", "npu")
    assert champion is not None
    expected = predictors.load_blockwise(champion.folder).predict(test.archs, 224)
    for column in ("latency_ms", "lower_ms", "upper_ms"):
        np.testing.assert_allclose(there[column], getattr(expected, column), rtol=1e-12)


def test_a_gru_too(store: Path, save_gru: Callable[[LatencyData], Path], make_latencies: MakeLatencies) -> None:
    """It is registered without torch or blockprof among its requirements."""
    test, train = make_latencies(20, seed=1), make_latencies(80, seed=0)
    folder = save_gru(train)
    with tracking.start_run("train-predictor", space="pn") as run:
        registered = tracking.log_predictor(
            run,
            folder,
            MODEL_CODE,
            carried_files("gru"),
            metric="npu",
            kind="gru",
            num_nets=60,
            test=test,
            predict=lambda saved: predictors.load_predictor(saved).predict(test.archs, test.resolutions).latency_ms,
            choose=lambda: tracking.Choice(True, "there was none before"),
        )
    files = Path(mlflow.artifacts.download_artifacts(registered.model_uri))
    assert "torch" not in (files / "requirements.txt").read_text()
    there = predict_without_blockprof(test)
    champion = tracking.find_champion("pn", "npu")
    assert champion is not None
    assert champion.tags["kind"] == "gru"
    expected = predictors.load_gru(champion.folder).predict(test.archs, 224)
    for column in ("latency_ms", "lower_ms", "upper_ms"):
        np.testing.assert_allclose(there[column], getattr(expected, column), rtol=1e-5)
