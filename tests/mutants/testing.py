"""Runs tests in forks of this process, which has imported what takes long, but nothing of blockprof."""

import os
import signal
import sys
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import hypothesis.extra.numpy
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import scipy.linalg
import scipy.optimize
import scipy.stats
from hypothesis import Phase, settings

HEAVY = (hypothesis.extra.numpy, mlflow.pyfunc, np, pd, scipy.linalg, scipy.optimize, scipy.stats)
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
QUICK_SECONDS = 25.0
"""Tests that take longer are left out."""


@dataclass
class Watch:
    """A plugin of pytest that runs tests in an order, each within its time, and tells how they end.

    ``seconds`` are what tests took without a mutant, by identifier, in the order to run them in: tests that are not in
    it are left out. None: all tests run, and no test has a limit.
    """

    seconds: dict[str, float] | None
    taken: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.seconds is not None:
            order = {name: number for number, name in enumerate(self.seconds)}
            items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.seconds is not None:
            signal.alarm(int(20 + 10 * self.seconds[nodeid]))  # ends the process

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.taken[report.nodeid] = self.taken.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


def run_tests(root: Path, files: list[str], seconds: dict[str, float] | None) -> tuple[dict[str, float], list[str]]:
    """Run the tests of ``files``: seconds that each took, and those that failed; ["time"] where one took too long.

    With ``seconds``, only these tests run, in that order, until one fails.
    """
    fork = get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=_run, args=(root, files, seconds, theirs))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        child.join()
        return {}, ["time" if child.exitcode == -signal.SIGALRM else "crash"]
    finally:
        child.join()
        if child.pid:
            _end_group(child.pid)


def _run(root: Path, files: list[str], seconds: dict[str, float] | None, told: Connection) -> None:
    os.setsid()
    os.chdir(root)
    sys.dont_write_bytecode = seconds is not None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    watch = Watch(seconds)
    arguments = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", "-W", "ignore:Module already imported"]
    code = pytest.main([*arguments, *(["-x"] if seconds is not None else []), *files], plugins=[watch])
    signal.alarm(0)
    # Where the code cannot even be imported, no test has failed.
    told.send((watch.taken, watch.failed or ["collection"] * (code not in (0, 5))))
    told.close()
    os._exit(0)


def _end_group(group: int) -> None:
    """What tests have started and left: the processes of the group that the child has made, and none else."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
