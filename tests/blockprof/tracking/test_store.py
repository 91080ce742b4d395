"""Stores are checked before any work, quickly, and begun whole."""

import socket
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from codes import coded
from mlflow import MlflowClient

from blockprof import tracking
from blockprof.foundation.errors import InputError, TrackingError
from blockprof.tracking import store as store_module

LIMIT_SECONDS = 15


@pytest.fixture
def _in_time(folder: Path) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < LIMIT_SECONDS


def test_a_check_creates_nothing(folder: Path) -> None:
    tracking.check_store()
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("_in_time")
def test_connection_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(TrackingError, match=rf"^the tracking server {address} does not answer \(.*refused") as caught:
        tracking.check_store()
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("_in_time")
def test_a_server_that_never_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TrackingError, match="timed out", check=coded("server-unreachable")):
            tracking.check_store()


@pytest.mark.usefixtures("_in_time")
def test_a_server_that_answers_a_byte_a_second(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()

        def drip() -> None:
            connection, _ = slow.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 60:
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(1)

        threading.Thread(target=drip, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{slow.getsockname()[1]}")
        with pytest.raises(TrackingError, match="7", check=coded("no-answer-in-time")):
            tracking.check_store()


@pytest.mark.usefixtures("_in_time")
def test_an_unknown_host(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://no-such-host.invalid:5000")
    with pytest.raises(TrackingError, match=r"no-such-host\.invalid.*5000", check=coded("server-unreachable")):
        tracking.check_store()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (200, "answers, but not as an MLflow server"),
        (404, "not as an MLflow server"),
        (401, "MLFLOW_TRACKING_USERNAME"),
    ],
)
def test_another_kind_of_server(folder: Path, monkeypatch: pytest.MonkeyPatch, status: int, message: str) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html>Hello</html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(TrackingError, match=message):
            tracking.check_store()
        server.shutdown()


def test_a_database_server_whose_driver_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://localhost/runs")
    with pytest.raises(TrackingError, match="psycopg", check=coded("mlflow-failed")):
        tracking.check_store()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root can write to")
def test_an_unwritable_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")
    with pytest.raises(TrackingError, match="/proc", check=coded("unwritable-folder")):
        tracking.check_store()


def test_artifacts_that_cannot_be_written(store: Path) -> None:
    (store / "mlruns").write_text("a file where MLflow wants a folder")
    with pytest.raises(TrackingError, match="mlruns", check=coded("unwritable-folder")):
        tracking.check_store()


@pytest.mark.usefixtures("_in_time")
def test_a_locked_database(store: Path) -> None:
    lock = sqlite3.connect(store / "mlflow.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(TrackingError, match=r"mlflow\.db.*locked", check=coded("unwritable-store")):
        tracking.check_store()
    lock.close()


def test_another_programs_database_is_left_alone(folder: Path) -> None:
    with sqlite3.connect(folder / "mlflow.db") as connection:
        connection.execute("CREATE TABLE contacts (name TEXT)")
    connection.close()
    before = (folder / "mlflow.db").read_bytes()
    with pytest.raises(TrackingError, check=coded("not-mlflows")):
        tracking.check_store()
    with pytest.raises(TrackingError, check=coded("not-mlflows")):
        tracking.find_champion("pn", "npu")
    assert (folder / "mlflow.db").read_bytes() == before


def test_a_file_that_is_no_database(folder: Path) -> None:
    (folder / "mlflow.db").write_text("net_id,net_str\n" * 100)
    with pytest.raises(TrackingError, check=coded("not-mlflows")):
        tracking.check_store()


def test_a_file_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{folder}/mlruns")
    with pytest.raises(TrackingError, check=coded("file-store")):
        tracking.check_store()


def test_an_old_file_store_in_the_working_folder(folder: Path) -> None:
    (folder / "mlruns" / "0").mkdir(parents=True)
    (folder / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
    with pytest.raises(TrackingError, check=coded("file-store")):
        tracking.check_store()


def test_a_deleted_experiment(store: Path) -> None:
    client = MlflowClient()
    client.delete_experiment(client.create_experiment("old"))
    with pytest.raises(InputError, match="old", check=coded("deleted-experiment")):
        tracking.check_store("old")


def test_a_store_of_ones_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/elsewhere/runs.db")
    with tracking.start_run("profile") as run:
        pass
    assert (folder / "elsewhere" / "runs.db").is_file()
    assert not (folder / "mlflow.db").exists()
    assert tracking.find_run(run.id).status == "FINISHED"


def test_a_folder_with_a_blank_in_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / "my nets"
    place.mkdir()
    script = (
        "from blockprof import tracking\nwith tracking.start_run('profile') as run:\n    run.log_text('a', 'a.txt')\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=place, check=True)
    assert (place / "mlflow.db").is_file()
    assert [path.name for path in folder.iterdir()] == ["my nets"]


def test_commands_that_start_at_once_share_one_store(folder: Path) -> None:
    script = "from blockprof import tracking\nwith tracking.start_run('profile') as run:\n    print(run.id)\n"
    started = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate() for process in started]
    assert [error for _, error in outputs] == ["", "", ""]
    assert {tracking.find_run(output.strip()).status for output, _ in outputs} == {"FINISHED"}
    assert {path.name for path in folder.iterdir()} <= {"mlflow.db", "mlruns"}


def test_an_empty_file_is_no_store_yet(folder: Path) -> None:
    (folder / "mlflow.db").touch()
    assert tracking.find_champion("pn", "npu") is None
    with tracking.start_run("profile") as run:
        pass
    assert tracking.find_run(run.id).command == "profile"


def test_no_mlflow_where_there_is_nothing_to_fetch(store: Path) -> None:
    script = (
        "import sys\nfrom blockprof import tracking\n"
        "assert tracking.list_predictors('pn') == []\n"
        "assert tracking.find_champion('pn', 'npu') is None\n"
        "sys.exit('mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=store, check=False).returncode == 0


def test_waiting_in_vain_leaves_the_filters_of_warnings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_DEADLINE_SECONDS", 0.05)
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(10)
        ended.set()

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "of the test before")
        with pytest.raises(TrackingError, match=r"asking.*0\.05", check=coded("no-answer-in-time")):
            store_module.within_deadline("asking", work)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "of this test")
        before = list(warnings.filters)
        go_on.set()
        assert ended.wait(10)
        time.sleep(0.05)
        assert warnings.filters == before
