"""The command as a process of its own: what only shows there."""

import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from blockprof.spaces import space_names

DEADLINE_S = 60


def read(database: Path, query: str) -> list[tuple]:
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        return connection.execute(query).fetchall()


def test_a_profile_in_an_empty_folder_is_the_references_and_says_so(process, folder: Path) -> None:
    with process("profile", "--space", "pn", "--metrics", "npu", "--name", "before") as started:
        out, err = started.communicate(timeout=DEADLINE_S)
    assert started.returncode == 0
    assert "\x1b" not in out + err
    assert "npu (ms): reference table, Kirin 9000 NPU; mean error 1.3 % on random networks, 1.8 % on extreme" in out
    assert "Sampler paper, exact.\n" in out
    assert "random networks: 12.42 ms\n" in out
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlruns"]
    ((run_id, status),) = read(folder / "mlflow.db", "SELECT run_uuid, status FROM runs WHERE name = 'before'")
    assert status == "FINISHED"
    assert err == (
        f"logged to MLflow as run before, id {run_id}\n"
        "next: blockprof profile --space pn --metrics npu,accuracy (a gain and a cost: reduce and search weigh them)\n"
    )
    tags = dict(read(folder / "mlflow.db", "SELECT key, value FROM tags"))
    assert tags["blockprof.data_origin"] == "reference"
    assert tags["blockprof.source.npu"] == "reference table, Kirin 9000 NPU"
    assert "blockprof.predictor" not in tags
    (artifacts,) = folder.glob(f"mlruns/*/{run_id}/artifacts")
    assert "reference table" in (artifacts / "about.txt").read_text()
    files = [str(file.relative_to(artifacts)) for file in artifacts.rglob("*.*")]
    assert sum(file.startswith("images/") for file in files) == 4, "each figure, and a small one"
    assert {file for file in files if not file.startswith("images/")} == {
        "about.txt", "placements.csv", "placements.json", "random.csv", "report.html", "responses.csv", "slowdowns.csv",
        "figures/npu_responses.png", "figures/npu_effects.png",
    }  # fmt: skip


def test_an_error_is_one_line(process, folder: Path) -> None:
    with process("profile", "--space", "nosuch") as started:
        out, err = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, out, err) == (
        2,
        "",
        f"error: unknown space 'nosuch': there are {', '.join(space_names())}\n",
    )


def test_an_interrupted_run_is_killed(process, folder: Path) -> None:
    with process("profile", "-s", "pn", "-m", "npu,gpu,cpu,accuracy", "-n", "200000") as started:
        end = time.monotonic() + DEADLINE_S
        while not read(folder / "mlflow.db", "SELECT 1 FROM runs WHERE status = 'RUNNING'"):
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(1)  # the run is begun: let its work begin too
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, out, err) == (130, "", "error: interrupted\n")
    assert read(folder / "mlflow.db", "SELECT status FROM runs") == [("KILLED",)]
    (reason,) = read(folder / "mlflow.db", "SELECT value FROM tags WHERE key = 'blockprof.failure'")
    assert reason == ("interrupted by SIGINT",)
