"""The local store: whatever its folder is called, wherever it has moved, and whatever was killed in it."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import mlflow
import pytest
from codes import coded
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.db.utils import create_sqlalchemy_engine_with_retry
from mlflow.utils.uri import append_to_uri_path
from sqlalchemy import text

from blockprof import tracking
from blockprof.foundation.errors import InputError, TrackingError
from blockprof.foundation.files import staged, sweep, temporary_folder
from blockprof.tracking import store as store_module
from blockprof.tracking.location import artifact_root, registry_uri, sqlite_file, sqlite_uri, tracking_uri
from blockprof.tracking.moving import repair
from blockprof.tracking.processes import is_gone, process_tags

HALF_WRITTEN = """
import sqlite3, sys, time
connection = sqlite3.connect("mlflow.db", isolation_level=None)
connection.execute("PRAGMA cache_size=5")
connection.execute("BEGIN IMMEDIATE")
connection.executemany(
    "INSERT INTO experiments (name, artifact_location, lifecycle_stage, workspace) VALUES (?, ?, 'active', 'default')",
    [(f"half {number}", "x" * 200) for number in range(5000)],
)
print("written", flush=True)
time.sleep(60)
"""
RUN_FOR_EVER = """
import time
from blockprof import tracking
with tracking.start_run("profile", space="pn") as run:
    print(run.id, flush=True)
    time.sleep(120)
"""
names = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc", "Cn"]), min_size=1).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)


def start(script: str, place: Path) -> "subprocess.Popen[str]":
    started = subprocess.Popen(
        [sys.executable, "-c", script], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    return started


def test_what_a_killed_writer_left_half_written_is_undone(store: Path) -> None:
    with start(HALF_WRITTEN, store) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.kill()
    assert (store / "mlflow.db-journal").stat().st_size > 0
    assert tracking.list_predictors("pn") == []
    assert not (store / "mlflow.db-journal").exists()
    with closing(sqlite3.connect(store / "mlflow.db")) as connection:
        assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]
    with tracking.start_run("profile") as run:
        pass
    assert tracking.find_run(run.id).status == "FINISHED"


@settings(max_examples=60)
@given(name=names)
@example(name="per%20cent")
@example(name="100%")
@example(name="a?b#c")
@example(name=" back\\slash; 'quote\" ")
@example(name="\u202eünï 日本")
def test_a_folder_of_any_name_holds_its_own_store(name: str, empty_store: Path) -> None:
    """MLflow itself is the judge: it opens the store by the URI, and puts files where the artifacts' URI says."""
    with tempfile.TemporaryDirectory() as base, pytest.MonkeyPatch.context() as patch:
        place = Path(base, name)
        place.mkdir()
        patch.chdir(place)
        shutil.copy(empty_store, "mlflow.db")
        with closing(sqlite3.connect("mlflow.db")) as connection, connection:
            connection.execute("UPDATE experiments SET name = 'the right one'")
        uri = sqlite_uri(Path("mlflow.db"))
        engine = create_sqlalchemy_engine_with_retry(uri)
        with engine.connect() as opened:
            assert opened.execute(text("SELECT name FROM experiments")).scalar() == "the right one"
        engine.dispose()
        found = sqlite_file(uri)
        assert found is not None
        assert found.samefile(place / "mlflow.db")
        files = get_artifact_repository(append_to_uri_path(artifact_root(), "1", "files"))
        files.log_artifact("mlflow.db")
        assert (place / "mlruns" / "1" / "files" / "mlflow.db").is_file()
        assert os.listdir(base) == [name]
        assert sorted(os.listdir()) == ["mlflow.db", "mlruns"]


@pytest.mark.parametrize("name", ["per%20cent", "what? #1 & ünï"])
def test_mlflow_started_in_a_folder_of_such_a_name_shows_its_runs(
    folder: Path, name: str, serve: Callable[[str, Path], AbstractContextManager[str]]
) -> None:
    place = folder / name
    place.mkdir()
    script = (
        "from blockprof import tracking\n"
        "with tracking.start_run('profile', name='r') as run:\n    run.log_text('a', 'a.txt')\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=place, check=True)
    assert os.listdir(folder) == [name]
    assert sorted(os.listdir(place)) == ["mlflow.db", "mlruns"]
    with serve("ui", place) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        run = tracking.find_run("r")
        assert run.status == "FINISHED"
        assert [file.path for file in MlflowClient(address).list_artifacts(run.id)] == ["a.txt"]


def test_a_path_that_mlflow_cannot_open_is_said(folder: Path) -> None:
    with pytest.raises(TrackingError, match=r"b/mlflow\.db", check=coded("path-not-for-mlflow")):
        sqlite_uri(folder / "a?b" / "mlflow.db")


def test_the_default_store_follows_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a b", "ü"):
        (folder / name).mkdir()
        monkeypatch.chdir(folder / name)
        assert sqlite_file(tracking_uri()) == folder / name / "mlflow.db"
        assert sqlite_file(registry_uri()) == folder / name / "mlflow.db"
    for name in ("%1", "%2"):
        (folder / name).mkdir()
    monkeypatch.chdir(folder / "%1")
    assert tracking_uri() == "sqlite:///mlflow.db"
    monkeypatch.chdir(folder / "%2")
    with pytest.raises(TrackingError, match=r"1.*2", check=coded("other-store")):
        tracking_uri()
    mlflow.set_tracking_uri(None)


def test_the_run_of_a_killed_command_is_marked_by_the_next(store: Path) -> None:
    with start(RUN_FOR_EVER, store) as killed, start(RUN_FOR_EVER, store) as alive:
        assert killed.stdout is not None
        assert alive.stdout is not None
        ids = [process.stdout.readline().strip() for process in (killed, alive) if process.stdout]
        killed.kill()
        killed.wait()
        with tracking.start_run("profile"):
            pass
        first, second = (MlflowClient().get_run(run_id) for run_id in ids)
        alive.kill()
    assert (first.info.status, second.info.status) == ("KILLED", "RUNNING")
    assert first.info.end_time is not None
    assert first.data.tags["blockprof.failure"] == f"its process {killed.pid} was killed"
    assert "blockprof.failure" not in second.data.tags


def test_which_processes_are_gone() -> None:
    ours = process_tags()
    assert not is_gone(ours)
    assert not is_gone({})
    assert not is_gone(ours | {"blockprof.host": "another"})
    assert is_gone(ours | {"blockprof.boot_id": "before"})
    assert is_gone(ours | {"blockprof.process_started": "1"})  # another process has its number by now
    assert not is_gone(ours | {"blockprof.pid_namespace": "another container", "blockprof.process_started": "1"})
    with subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read()  # it ends; its number is kept until it is asked after
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT) is None:
            pass
        assert is_gone(ours | {"blockprof.pid": str(child.pid)})
    assert is_gone(ours | {"blockprof.pid": str(child.pid)})


def test_temporary_folders_of_killed_commands_are_swept(folder: Path) -> None:
    script = (
        "import time\nfrom pathlib import Path\nfrom blockprof.foundation.files import staged\n"
        "with staged(Path('out')) as stage:\n    (stage / 'net.onnx').touch()\n"
        "    print('x', flush=True)\n    time.sleep(60)\n"
    )
    with start(script, folder) as killed, start(script, folder) as alive:
        for process in (killed, alive):
            assert process.stdout is not None
            process.stdout.readline()
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        (folder / ".blockprof-mine").mkdir()
        assert len(list(folder.glob(".blockprof-????????????"))) == 2
        sweep(folder)
        (left,) = folder.glob(".blockprof-????????????")
        assert (left / "net.onnx").exists()
        alive.kill()
    with staged(folder / "out") as stage:
        (stage / "a.txt").touch()
    assert {path.name for path in folder.iterdir()} == {".blockprof-mine", "out"}
    with temporary_folder(folder) as temporary:
        assert temporary.parent == folder
    assert not temporary.exists()


def test_a_store_that_was_moved_or_copied(store: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with tracking.start_run("profile", name="before") as run:
        run.log_text("a\n1\n", "a.csv")
    new = tmp_path_factory.mktemp("new") / "it's ünï"
    shutil.copytree(store, new)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(new)
        for place in (store, None):  # the original is there, or not: a copy must not write into it
            if place is None:
                shutil.rmtree(store / "mlruns")
            with pytest.raises(TrackingError) as caught:
                tracking.check_store()
            assert str(caught.value) == (
                f"{new}/mlflow.db was moved or copied: it says that its runs' files are in {store}/mlruns, "
                f"but they lie in {new}/mlruns: run `blockprof store repair` to correct that"
            )
            with pytest.raises(TrackingError, check=coded("store-moved")):
                tracking.find_run("before")
        (move,) = repair(tracking_uri())
        assert (move.recorded, move.found) == (store / "mlruns", new / "mlruns")
        assert repair(tracking_uri()) == []
        assert tracking.load_frame(tracking.find_run("before"), "a")["a"].tolist() == [1]
        with tracking.start_run("profile") as again:
            again.log_text("b", "b.txt")
        assert len(list(new.glob(f"mlruns/*/{again.id}/artifacts/b.txt"))) == 1
        mlflow.set_tracking_uri(None)
    assert not (store / "mlruns").exists()


def test_only_a_store_in_a_file_is_repaired(folder: Path) -> None:
    with pytest.raises(InputError, check=coded("no-store")):
        repair(tracking_uri())
    with pytest.raises(InputError, check=coded("not-a-local-store")):
        repair("http://localhost:5000")


def test_a_local_store_has_no_deadline(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine MLflow's imports alone take longer."""
    monkeypatch.setattr(store_module, "_DEADLINE_SECONDS", 0.0)
    tracking.check_store()
    with tracking.start_run("profile") as run:
        pass
    assert tracking.find_run(run.id).status == "FINISHED"


def test_the_clock_of_a_database_server_starts_after_the_imports(folder: Path) -> None:
    script = (
        "import sys\nfrom blockprof.tracking import store\n"
        "def stop(task, work):\n"
        "    print('mlflow.store.tracking.sqlalchemy_store' in sys.modules)\n"
        "store.within_deadline = stop\nstore.check_answers('postgresql://localhost/runs')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    "uri", ["databricks", "databricks://profile", "databricks-uc", "uc", "uc:http://host", "x://y"]
)
def test_stores_that_are_not_supported(folder: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError, match=f"does not log to {uri}: set .* an SQLite file .*postgresql.*http"):
        tracking.check_store()


def test_a_given_run_of_other_params(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tracking.start_run("profile", name="given", params={"seed": 1}) as first:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", first.id)
    with (
        pytest.raises(InputError, match=f"MLFLOW_RUN_ID={first.id} is run 'given' of other params .*'seed'"),
        tracking.start_run("profile", params={"seed": 2}),
    ):
        pass
    failed = MlflowClient().get_run(first.id)
    assert failed.info.status == "FAILED"
    assert "MLFLOW_RUN_ID" in failed.data.tags["blockprof.failure"]
    assert failed.data.tags["mlflow.note.content"].startswith("failed: ")

    monkeypatch.setenv("MLFLOW_RUN_ID", first.id)
    with tracking.start_run("profile", params={"seed": 1}) as again:
        assert again.id == first.id
    mended = MlflowClient().get_run(first.id)
    assert mended.info.status == "FINISHED"
    assert not {"blockprof.failure", "mlflow.note.content"} & mended.data.tags.keys()


def test_a_given_run_that_is_not_there(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with (
        pytest.raises(InputError, match=r"MLFLOW_RUN_ID=0+: .*: unset it, or give the id"),
        tracking.start_run("profile"),
    ):
        pass
