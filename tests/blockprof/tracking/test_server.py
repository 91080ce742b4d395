"""What the UI and a tracking server show, asked over HTTP."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from codes import coded

from blockprof import predictors, tracking
from blockprof.foundation.errors import TrackingError
from blockprof.latency_data import LatencyData
from blockprof.predictors.serving import MODEL_CODE, carried_files

Serve = Callable[[str, Path], Any]


def ask(address: str, endpoint: str, **body: object) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/{endpoint}",
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def log_everything(folder: Path, data: LatencyData) -> tracking.Run:
    """A run with a predictor, a table, a figure's name and per-block metrics."""
    with tracking.start_run("profile", name="shown", space="pn") as run:
        run.log_metrics({"npu.response/e6k7": 1.5, "npu.effect/u2.l1.e6k7": -0.25})
        run.log_frame(pd.DataFrame({"placement": ["u2.l1.e6k7"], "mean": [0.1 + 0.2]}), "placements.csv")
        tracking.log_predictor(
            run,
            folder,
            MODEL_CODE,
            carried_files("blockwise"),
            metric="npu",
            kind="blockwise",
            num_nets=len(data),
            test=data,
            predict=lambda saved: predictors.load_predictor(saved).predict(data.archs, 224).latency_ms,
            choose=lambda: tracking.Choice(True, "there was none before"),
        )
    return run


def test_the_ui_in_the_folder_shows_the_run(
    store: Path,
    serve: Serve,
    save_predictor: Callable[[LatencyData], Path],
    make_latencies: Callable[..., LatencyData],
) -> None:
    data = make_latencies(40, seed=0)
    run = log_everything(save_predictor(data), data)
    with serve("ui", store) as address:
        with urllib.request.urlopen(address, timeout=20) as page:
            assert b"MLflow" in page.read()
        experiment = ask(address, "experiments/get-by-name?experiment_name=blockprof")["experiment"]["experiment_id"]
        (found,) = ask(address, "runs/search", experiment_ids=[experiment])["runs"]
        assert (found["info"]["run_id"], found["info"]["status"]) == (run.id, "FINISHED")
        metrics = {metric["key"]: metric["value"] for metric in found["data"]["metrics"]}
        assert metrics == {"npu.response/e6k7": 1.5, "npu.effect/u2.l1.e6k7": -0.25}
        history = ask(address, f"metrics/get-history?run_id={run.id}&metric_key=npu.effect/u2.l1.e6k7")
        assert [metric["value"] for metric in history["metrics"]] == [-0.25]
        files = ask(address, f"artifacts/list?run_id={run.id}")["files"]
        assert "placements.csv" in [file["path"] for file in files]
        with urllib.request.urlopen(f"{address}/get-artifact?run_id={run.id}&path=placements.csv", timeout=20) as file:
            assert file.read().decode() == "placement,mean\nu2.l1.e6k7,0.30000000000000004\n"
        champion = ask(address, "registered-models/alias?name=blockprof-pn-npu&alias=champion")["model_version"]
        assert (champion["version"], champion["run_id"]) == ("1", run.id)


@pytest.fixture
def server(tmp_path: Path, serve: Serve, folder: Path, empty_store: Path) -> Iterator[str]:
    """A tracking server that keeps its store in a folder of its own."""
    place = tmp_path / "server"
    place.mkdir()
    (place / "mlflow.db").write_bytes(empty_store.read_bytes())
    with serve("server", place) as address:
        yield address


def test_everything_through_a_tracking_server(
    server: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    save_predictor: Callable[[LatencyData], Path],
    make_latencies: Callable[..., LatencyData],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    tracking.check_store()
    assert tracking.list_predictors("pn") == []
    assert tracking.find_champion("pn", "npu") is None
    data = make_latencies(40, seed=0)
    run = log_everything(save_predictor(data), data)
    record = tracking.find_run("shown")
    assert (record.id, record.command, record.status) == (run.id, "profile", "FINISHED")
    assert tracking.load_frames(record)["placements"]["mean"].tolist() == [0.1 + 0.2]
    assert tracking.list_predictors("pn") == ["npu"]
    champion = tracking.find_champion("pn", "npu")
    assert champion is not None
    predicted = predictors.load_blockwise(champion.folder).predict(data.archs, 224).latency_ms
    np.testing.assert_allclose(predicted, data.latencies_ms, rtol=0.02)
    with pytest.raises(TrackingError, check=coded("mlflow-failed")), tracking.start_run("profile") as failing:
        failing.log_metrics({"a+b": 1.0})
    assert tracking.find_run(failing.id).status == "FAILED"
    assert not (folder / "mlflow.db").exists()
    assert not (folder / "mlruns").exists()
