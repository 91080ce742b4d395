"""What a run holds, and how it ends."""

import signal
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from blockprof import tracking
from blockprof.foundation.errors import DataFileError, TrackingError


def logged(run: tracking.Run) -> MlflowRun:
    return MlflowClient().get_run(run.id)


def test_a_finished_run(store: Path) -> None:
    with tracking.start_run(
        "profile", name="mine", space="pn", params={"seed": 0}, tags={"blockprof.sampler": "paper"}
    ) as run:
        assert run.name == "mine"
        assert logged(run).info.status == "RUNNING"
    found = logged(run)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "0"}
    assert MlflowClient().get_experiment(found.info.experiment_id).name == "blockprof"
    expected = {
        "blockprof.command": "profile",
        "blockprof.space": "pn",
        "blockprof.sampler": "paper",
        "blockprof.version": version("blockprof"),
        "version.numpy": version("numpy"),
        "version.torch": version("torch"),
    }
    assert expected.items() <= found.data.tags.items()
    assert "blockprof.git_commit" not in found.data.tags
    assert mlflow.active_run() is None


def test_the_git_commit_of_the_working_folder(store: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    with tracking.start_run("profile") as run:
        pass
    assert logged(run).data.tags["blockprof.git_commit"] == commit


def test_metrics_per_block_keep_their_names(store: Path) -> None:
    values = {"npu.response/e6k7": 1.5, "npu.effect/u2.l1.e6k7": -0.25, "npu.effect/u2.l1.e6k7 u3.l2.e3k3": 1e-9}
    values |= {
        f"npu.effect/u{unit}.l{layer}.x{i}": float(i) for unit in range(6) for layer in range(4) for i in range(50)
    }
    assert len(values) > 1000, "more than MLflow takes in one batch"
    with tracking.start_run("profile") as run:
        run.log_metrics(values)
    assert logged(run).data.metrics == values


def test_metrics_by_step(store: Path) -> None:
    with tracking.start_run("search") as run:
        run.log_steps({step: {"hypervolume": step / 4, "front_size": 2 * step} for step in range(600)})
    assert logged(run).data.metrics == {"hypervolume": 599 / 4, "front_size": 1198}
    history = MlflowClient().get_metric_history(run.id, "hypervolume")
    assert [(point.step, point.value) for point in history] == [(step, step / 4) for step in range(600)]


def test_many_and_long_params(store: Path) -> None:
    blocks = "u2.l1.e6k7," * 1000
    with tracking.start_run("profile", params={f"p{i}": i for i in range(150)}) as run:
        run.log_params({"blocks": blocks})
    params = logged(run).data.params
    assert len(params) == 151
    assert len(params["blocks"]) == 6000
    assert blocks.startswith(params["blocks"][:-1])
    assert mlflow.artifacts.load_text(f"runs:/{run.id}/params/blocks.txt") == blocks


def test_figures_and_texts(store: Path) -> None:
    figure = Figure()
    figure.add_subplot().plot([1, 2, 3])
    with tracking.start_run("profile") as run:
        run.log_figure(figure, "figures/npu.png")
        run.log_figure(figure, "figures/npu.svg")
        run.log_text("caption\n", "about.txt")
    files = Path(mlflow.artifacts.download_artifacts(run_id=run.id))
    assert (files / "figures" / "npu.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (files / "figures" / "npu.svg").read_text()
    assert (files / "about.txt").read_text() == "caption\n"


def test_a_dataset(store: Path) -> None:
    frame = pd.DataFrame({"net": ["a", "b"], "resolution": [224, 224], "latency_ms": [1.5, 2.5]})
    with tracking.start_run("train-predictor") as run:
        run.log_dataset(
            frame, source=str(store / "nets.csv"), name="nets", digest="0123456789abcdef" * 4, context="training"
        )
    (found,) = logged(run).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("nets", "0123456789abcdef" * 2)
    assert "nets.csv" in found.dataset.source
    assert "latency_ms" in found.dataset.schema
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


def test_the_experiment(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")
    names = []
    for experiment in (None, "given"):
        with tracking.start_run("profile", experiment=experiment) as run:
            pass
        names.append(MlflowClient().get_experiment(logged(run).info.experiment_id).name)
    assert names == ["from the environment", "given"]


def test_an_active_run_is_logged_to_and_left_open(store: Path) -> None:
    with mlflow.start_run(run_name="outer") as outer:
        with tracking.start_run("profile", name="ignored", params={"seed": 1}) as run:
            assert run.id == outer.info.run_id
        assert mlflow.active_run().info.run_id == outer.info.run_id
        with pytest.raises(ValueError, match="mine"), tracking.start_run("profile"):
            raise ValueError("mine")
        assert logged(run).info.status == "RUNNING"
    found = logged(run)
    assert (found.info.run_name, found.info.status) == ("outer", "FINISHED")
    assert found.data.tags["blockprof.failure"] == "ValueError: mine"
    assert "mlflow.note.content" not in found.data.tags


def test_a_run_that_raises_is_failed(store: Path) -> None:
    with pytest.raises(DataFileError), tracking.start_run("train-predictor") as run:
        raise DataFileError("nets.csv, row 3:\nlatency is NaN")
    found = logged(run)
    assert found.info.status == "FAILED"
    assert found.data.tags["blockprof.failure"] == "DataFileError: nets.csv, row 3: latency is NaN"
    assert found.data.tags["mlflow.note.content"] == "failed: DataFileError: nets.csv, row 3: latency is NaN"
    assert mlflow.active_run() is None


def test_what_mlflow_refuses_is_one_line(store: Path) -> None:
    with (
        pytest.raises(TrackingError, match=r"^logging metrics failed: .*u1[+]u2") as caught,
        tracking.start_run("a") as run,
    ):
        run.log_metrics({"u1+u2": 1.0})
    assert "\n" not in str(caught.value)
    assert logged(run).info.status == "FAILED"


WAIT = """
import time
from blockprof import tracking
with tracking.start_run("profile") as run:
    print(run.id, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_is_killed(store: Path, number: signal.Signals, exit_code: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WAIT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().decode().strip()
        process.send_signal(number)
        assert process.wait(timeout=20) == exit_code
    found = MlflowClient().get_run(run_id)
    assert found.info.status == "KILLED"
    assert found.data.tags["blockprof.failure"] == f"interrupted by {number.name}"
    assert found.data.tags["mlflow.note.content"] == f"killed: interrupted by {number.name}"


def test_nohup_stays_in_force(store: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with tracking.start_run("profile") as run:
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert logged(run).info.status == "FINISHED"


def test_signals_are_as_before_afterwards(store: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with tracking.start_run("profile"):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_in_a_thread(store: Path) -> None:
    runs = []

    def work() -> None:
        with tracking.start_run("profile") as run:
            runs.append(run)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert logged(runs[0]).info.status == "FINISHED"


def test_nothing_is_printed(folder: Path) -> None:
    script = """
import pandas as pd
from blockprof import tracking
tracking.check_store()
with tracking.start_run("profile") as run:
    run.log_dataset(pd.DataFrame({"n": [1]}), source="n.csv", name="n", digest="1", context="training")
    run.log_frame(pd.DataFrame({"n": [1]}), "n.csv")
tracking.load_frames(tracking.find_run(run.id))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
