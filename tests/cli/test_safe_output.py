"""What users are given, by a file or a store, is not obeyed by their terminal, nor hidden in a report."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import mlflow
import pytest
from rich.table import Table
from rich.text import Text

from blockprof import tracking
from blockprof.cli import render

HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
EVIL = "my\x1b]0;owned\x07 npu\x1b[2J"
SHOWN = r"my\x1b]0;owned\x07 npu\x1b[2J"


def obeyed(text: str) -> set[str]:
    return {character for character in text if not character.isprintable() and character != "\n"}


def test_a_device_a_file_and_a_run_of_evil_names(folder: Path, rows: list[str], cli: Callable) -> None:
    file = f"nets\x1b[8m{EVIL}.csv"
    Path(file).write_text("\n".join([HEADER, *(row.replace(",npu,", f",{EVIL},") for row in rows)]))
    outcome = cli("train-predictor", file, "-s", "pn", "--metric", "x", "--name", f"run {EVIL}")
    assert outcome.returncode == 0, outcome.stderr
    assert obeyed(outcome.stdout + outcome.stderr + outcome.hints) == set()
    assert f"logged to MLflow as run run {SHOWN}" in " ".join(outcome.hints.split())
    run = tracking.find_run(f"run {SHOWN}")
    assert run.tags["blockprof.device"] == SHOWN
    (report,) = folder.glob("mlruns/*/*/artifacts/report.html")
    assert obeyed(report.read_text()) == set()
    assert SHOWN in report.read_text()

    profiled = cli("profile", "-s", "pn", "-m", "x", "--name", EVIL)
    assert (profiled.returncode, obeyed(profiled.stdout + profiled.stderr)) == (0, set())
    assert f"networks of {SHOWN}" in " ".join(profiled.stdout.split())
    missing = cli("train-predictor", f"{EVIL}.csv", "-s", "pn")
    assert missing.returncode == 2
    assert missing.stderr.startswith(f"error: {SHOWN}.csv: there is no such file")


def test_a_run_that_another_named(folder: Path, cli: Callable) -> None:
    with tracking.start_run("profile") as run:
        pass
    mlflow.MlflowClient().update_run(run.id, name=EVIL)
    assert tracking.find_run(run.id).name == SHOWN
    outcome = cli("compare", run.id, run.id)
    assert obeyed(outcome.stderr) == set()


def test_whatever_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = StringIO()
    monkeypatch.setattr(render.out, "_file", sent)  # its property would keep the stream of now
    table = Table(title=EVIL)
    table.add_column(EVIL)
    table.add_row(EVIL)
    for what in (EVIL, Text(EVIL, style="bold"), table, "postgresql://u:s3cret@host/x"):
        render.out.print(what)
    assert obeyed(sent.getvalue()) == set()
    assert "s3cret" not in sent.getvalue()
