"""A server that goes away: the result is printed and kept, the command ends soon, and its run is logged later, once."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

Serve = Callable[[str, Path], Any]
DEADLINE_S = 120


@pytest.fixture(scope="module")
def server(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            patch.delenv(name, raising=False)
        with serve("server", tmp_path_factory.mktemp("server")) as address:
            yield address


@pytest.fixture
def gate(server: str, proxy: Callable[[str], Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A proxy before the server, which the commands use, in an empty working folder."""
    gate = proxy(server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", gate.address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", folder.name)
    return gate


@pytest.fixture
def client(server: str) -> MlflowClient:
    return MlflowClient(server, server)


def runs(client: MlflowClient, folder: Path) -> list[Any]:
    experiment = client.get_experiment_by_name(folder.name)
    return client.search_runs([experiment.experiment_id]) if experiment else []


def once(part: str, *faults: str) -> Callable[[int, str], str | None]:
    """The ``faults`` for the first requests whose line holds ``part``, one each; then none."""
    left = list(faults)
    return lambda number, line: left.pop(0) if left and part in line else None


def after(part: str, fault: str) -> Callable[[int, str], str | None]:
    """``fault`` from the first request on whose line holds ``part``."""
    begun = False

    def answer(number: int, line: str) -> str | None:
        nonlocal begun
        begun = begun or part in line
        return fault if begun else None

    return answer


def end(started: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = started.communicate(timeout=DEADLINE_S)
    return started.returncode, out, err


@pytest.mark.parametrize("fault", ["drop", "503", "stall"])
def test_a_server_gone_after_the_work_costs_the_budget_not_the_result(
    process: Callable[..., Any], gate: Any, client: MlflowClient, folder: Path, cli: Callable[..., Any], fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if fault != "drop":  # which alone waits for the whole budget of time
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    gate.fault = after("runs/log-batch", fault)
    with process("profile", "-s", "pn", "-m", "npu", "--name", "lost") as started:
        code, out, err = end(started)
    assert code == 1
    assert "random networks: 12.42 ms\n" in out, "the profile is printed before it is logged"
    assert gate.times[-1] - gate.times[gate.requests.index(next(x for x in gate.requests if "log-batch" in x))] < 40
    reason = {"drop": "does not answer", "503": "is ill (status 503)", "stall": "does not answer"}[fault]
    assert f"note: logging params, tags, metrics: the server {gate.address} {reason}" in err
    assert err.splitlines()[-1].startswith(f"error: logging params, tags, metrics failed: the server {gate.address}")
    (run,) = runs(client, folder)
    assert run.info.status == "RUNNING"
    assert f"run {run.info.run_id} could not be marked FAILED and is left RUNNING" in err
    kept = Path("blockprof-data", "outbox", run.info.run_id)
    assert f"kept in {kept}: `blockprof resume` logs it" in err
    assert (kept / "artifacts" / "placements.csv").is_file()

    gate.fault = lambda number, line: None
    outcome = cli("resume")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert f"logged to MLflow as run lost, id {run.info.run_id}" in outcome.hints
    (found,) = runs(client, folder)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["npu.random"] == pytest.approx(12.42, abs=0.01)
    assert found.data.params["metrics"] == "npu"
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {
        "placements.csv",
        "report.html",
        "figures",
    }
    assert list(folder.iterdir()) == [], "nothing is left"


def test_resume_has_nothing_to_do(folder: Path, cli: Callable[..., Any]) -> None:
    outcome = cli("resume")
    assert (outcome.returncode, outcome.stdout) == (
        0,
        "nothing to log: all runs of this data folder are in the store\n",
    )


def test_few_faults_are_waited_for(process: Callable[..., Any], gate: Any, client: MlflowClient, folder: Path) -> None:
    gate.fault = once("runs/create", "lose", "503")
    with process("profile", "-s", "pn", "-m", "npu", "-b", "u2.l1.e6k7") as started:
        code, _, err = end(started)
    assert code == 0, err
    assert "note: beginning a run: " in err
    (run,) = runs(client, folder)
    assert run.info.status == "FINISHED", "the run that was made without an answer is the one that is used"


def test_the_users_number_of_retries_is_that_of_all(
    process: Callable[..., Any], gate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    gate.fault = after("runs/log-batch", "503")
    with process("profile", "-s", "pn", "-m", "npu", "-b", "u2.l1.e6k7") as started:
        assert end(started)[0] == 1
    assert len([line for line in gate.requests if "log-batch" in line]) == 2
    assert not [line for line in gate.requests if "runs/update" in line], "a server that is gone is not asked again"


@pytest.mark.parametrize("part", ["runs/outputs", "model-versions/create", "logged-models HTTP", "/MLmodel"])
def test_a_training_is_registered_once(
    process: Callable[..., Any], gate: Any, client: MlflowClient, folder: Path, cli: Callable[..., Any], part: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    metric = f"m{abs(hash(part)) % 1000}"
    assert cli("fetch-data", "-s", "pn", "-n", "60", "--no-log").returncode == 0
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    csv = "blockprof-data/ofa_pn_npu_reference.csv"
    faults = once(part, "lose")
    gate.fault = lambda number, line: "drop" if fell else fell.append(line) or "lose" if faults(number, line) else None
    fell: list[str] = []
    with process("train-predictor", "-s", "pn", "-m", metric, csv) as started:
        code, out, err = end(started)
    assert code == 1, err
    assert "blockwise" in out
    gate.fault = lambda number, line: None
    outcome = cli("resume")
    assert outcome.returncode == 0, outcome.stderr
    assert (
        f"registered blockprof-pn-{metric} version 1, it is the champion now: there was none before" in outcome.stdout
    )
    (run,) = runs(client, folder)
    assert run.info.status == "FINISHED"
    assert run.data.tags["blockprof.became_champion"] == "True"
    assert "blockprof.failure" not in run.data.tags
    (version,) = client.search_model_versions(f"name = 'blockprof-pn-{metric}'")
    assert version.run_id == run.info.run_id
    models = client.search_logged_models([run.info.experiment_id])
    assert [(model.source_run_id, model.status.name) for model in models] == [(run.info.run_id, "READY")]
    assert {m.key for m in models[0].metrics} == set(run.data.metrics)
    assert cli("profile", "-s", "pn", "-m", metric, "-b", "u2.l1.e6k7").returncode == 0
    assert cli("resume").stdout.startswith("nothing to log")


def test_a_failed_run_is_failed_though_it_is_marked_late(
    process: Callable[..., Any], gate: Any, client: MlflowClient, folder: Path
) -> None:
    gate.fault = once("runs/update", "500", "500")
    with process("fetch-data", "-s", "pn", "--source", "http://127.0.0.1:9/nets.csv", "--sha256", "0" * 64) as started:
        code, _, err = end(started)
    assert code == 1, err
    (run,) = runs(client, folder)
    assert run.info.status == "FAILED"
    assert run.data.tags["blockprof.failure"].startswith("FetchError: ")


def test_one_ctrl_c_ends_whatever_it_waits_for(
    process: Callable[..., Any], gate: Any, client: MlflowClient, folder: Path
) -> None:
    gate.fault = after("runs/log-batch", "stall")
    with process("profile", "-s", "pn", "-m", "npu", "-b", "u2.l1.e6k7") as started:
        limit = time.monotonic() + DEADLINE_S
        while not any("log-batch" in line for line in gate.requests):
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < limit
            time.sleep(0.05)
        began = time.monotonic()
        started.send_signal(signal.SIGINT)
        code, out, err = end(started)
    assert time.monotonic() - began < 5
    assert code == 130
    assert "random networks" in out
    assert err.splitlines()[-1] == "error: interrupted"
    assert "`blockprof resume` logs it" in err


def test_a_training_makes_few_calls(
    process: Callable[..., Any], gate: Any, folder: Path, cli: Callable[..., Any]
) -> None:
    assert cli("fetch-data", "-s", "pn", "-n", "100").returncode == 0
    # The second compares itself with the champion: its files, and what its run says of each network.
    for most in (39, 51):
        gate.requests.clear()
        with process("train-predictor", "-s", "pn", "-m", "few", "blockprof-data/ofa_pn_npu_reference.csv") as started:
            assert end(started)[0] == 0
        assert len(gate.requests) <= most, "\n".join(gate.requests)


@pytest.mark.parametrize("status", ["500", "503"])
def test_an_ill_server_is_named_so(gate: Any, cli: Callable[..., Any], status: str) -> None:
    gate.fault = lambda number, line: status
    outcome = cli("profile", "-s", "pn", "-m", "npu")
    assert outcome.returncode == 1
    assert outcome.stderr == (
        f"error: the tracking server {gate.address} is ill (status {status}): wait until it is well, or set "
        "MLFLOW_TRACKING_URI\n"
    )


def test_a_wrong_registry_is_named(gate: Any, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    outcome = cli("train-predictor", "-s", "pn", "nets.csv")
    assert outcome.returncode in (1, 2)
    outcome = cli("profile", "-s", "pn", "-m", "npu")
    assert outcome.returncode == 1
    assert "the model registry http://127.0.0.1:9 does not answer" in outcome.stderr
    assert "set MLFLOW_REGISTRY_URI" in outcome.stderr
