"""The command line, run in this process, which is quick, or as a process of its own, which is what users have."""

import logging
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from blockprof.cli import app
from blockprof.fetching.reference import reference_data
from blockprof.spaces import load_space

HINTS = ("logged to MLflow as run ", "next: ", "wrote ")


class Outcome(subprocess.CompletedProcess[str]):
    """How a command ended. ``hints`` are the lines of stderr that say where its result is, and what to run next;
    ``stderr`` has the others: notes and errors.
    """

    def __init__(self, arguments: object, code: int, out: str, err: str) -> None:
        lines = err.splitlines(keepends=True)
        self.hints = "".join(line for line in lines if line.startswith(HINTS))
        super().__init__(arguments, code, out, "".join(line for line in lines if not line.startswith(HINTS)))


SET_BY_USERS = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_RUN_ID",
    "BLOCKPROF_DATA",
    "BLOCKPROF_MIRROR",
    "FORCE_COLOR",
    "TTY_COMPATIBLE",
)


def _enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for name in SET_BY_USERS:
        patch.delenv(name, raising=False)
    patch.setenv("COLUMNS", "80")
    patch.chdir(folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, nothing set in the environment."""
    _enter(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pn's npu was trained on 300 reference networks, and then profiled: the run ``profiled``."""
    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        _enter(place, patch)
        for line in ("fetch-data -n 300", "train-predictor", "profile -m npu,accuracy --name profiled"):
            outcome = _run_here(*line.split(), "--space", "pn")
            assert outcome.returncode == 0, outcome.stderr
    return place


@pytest.fixture
def in_trained(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as the working folder."""
    _enter(trained, monkeypatch)
    return trained


@pytest.fixture(scope="session")
def cli() -> Callable[..., Outcome]:
    """Runs ``blockprof ARGUMENTS`` in this process, through ``main``, which is what ends errors."""
    return _run_here


def _run_here(*arguments: str | Path) -> Outcome:
    # As in a process of blockprof's own. Here another test may have imported MLflow before it was told to be quiet.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    out, err = StringIO(), StringIO()
    code: int | str | None = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["blockprof", *map(str, arguments)])
        patch.setattr(warnings, "formatwarning", warnings.formatwarning)  # main changes it
        try:
            app.main()
        except SystemExit as end:
            code = end.code
    return Outcome(arguments, int(code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def process() -> Callable[..., "subprocess.Popen[str]"]:
    """Starts ``blockprof ARGUMENTS`` as a process of its own."""

    def start(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [Path(sys.executable).with_name("blockprof"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def rows() -> list[str]:
    """30 networks of pn as rows of a CSV in BlockProfile's layout."""
    data = reference_data(load_space("pn"), "npu", 30, seed=0)
    nets = zip(data.archs.to_strings(), data.latencies_ms.tolist(), strict=True)
    return [f"{number},{net},npu,224,ms,{latency}" for number, (net, latency) in enumerate(nets)]


@pytest.fixture
def refused(folder: Path, cli: Callable[..., Outcome]) -> Callable[..., str]:
    """Runs a command that must end with one line of error and leave no file; gives the line."""

    def run(*arguments: str | Path, code: int = 2) -> str:
        before = sorted(folder.rglob("*"))
        outcome = cli(*arguments)
        assert (outcome.returncode, outcome.stdout) == (code, ""), outcome
        assert outcome.stderr.startswith("error: ")
        assert outcome.stderr.count("\n") == 1
        assert outcome.stderr.endswith("\n")
        assert sorted(folder.rglob("*")) == before
        return outcome.stderr.removeprefix("error: ").strip()

    return run


@pytest.fixture
def complete(cli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What bash is given for a line, as typed up to its end."""

    def run(line: str) -> list[str]:
        monkeypatch.setenv("_BLOCKPROF_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        outcome = cli()
        assert (outcome.returncode, outcome.stderr) == (0, "")
        return outcome.stdout.split()

    return run
