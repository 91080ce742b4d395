"""Signals at random moments: each ends its command with the shell's code, a KILLED run, and no exception.

``make test-signals`` sends 200; ``BLOCKPROF_SIGNALS`` says how many.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

NUM_SIGNALS = int(os.environ.get("BLOCKPROF_SIGNALS", "6"))
SEED = int(os.environ.get("BLOCKPROF_SIGNALS_SEED", "0"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEADLINE_S = 60
END_S = 5
COMMANDS = (
    "train-predictor -s pn -m npu",
    "profile -s pn -m npu,accuracy",
    "profile -s pn -m gpu,cpu -n 500",
    "search -s pn --seeds 2",
    "fetch-data -s pn -n 200 -m gpu",
    "reduce --from profiled --cost npu",
    "compare profiled {other}",
    "measure -s pn -n 2 -m sig --rounds 2",
    "train-predictor -s pn -m npu --learning-curve",
)


def handles_signals(pid: int) -> bool:
    """Whether the process has come so far as to handle SIGTERM: what comes before is Python's own start."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def begin(process: Callable[..., Any], arguments: list[str]) -> "subprocess.Popen[str]":
    started = process(*arguments)
    while started.poll() is None and not handles_signals(started.pid):
        time.sleep(0.002)
    return started


def status_of(name: str) -> str | None:
    with closing(sqlite3.connect("file:mlflow.db?mode=ro", uri=True, timeout=20)) as store:
        found = store.execute("SELECT status FROM runs WHERE name = ?", (name,)).fetchone()
    return found[0] if found else None


@pytest.fixture(autouse=True)
def signals_not_ignored() -> Iterator[None]:
    """A command inherits what whoever started the tests ignores: a shell, of what it starts in the background."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_signals_at_random_moments(process: Callable[..., Any], cli: Callable[..., Any], in_trained: Path) -> None:
    assert cli("profile", "-s", "pn", "-m", "npu,accuracy", "--name", "other").returncode == 0
    commands = [command.format(other="other").split() for command in COMMANDS]
    rng, seconds, faults, slowest = random.Random(SEED), {}, [], 0.0
    for number in range(NUM_SIGNALS):
        which, sent, name = number % len(commands), rng.choice(SIGNALS), f"signalled-{SEED}-{number}"
        arguments = [*commands[which], "--name", name]
        if which not in seconds:
            began = time.monotonic()
            with begin(process, [*commands[which], "--name", f"whole-{SEED}-{which}"]) as started:
                _, err = started.communicate(timeout=DEADLINE_S)
            assert started.returncode == 0, (commands[which], err)
            seconds[which] = time.monotonic() - began
        with begin(process, arguments) as started:
            time.sleep(rng.uniform(0, seconds[which]))
            is_over = started.poll() is not None
            began = time.monotonic()
            started.send_signal(sent)
            _, err = started.communicate(timeout=DEADLINE_S)
        lasted = time.monotonic() - began
        code, status = started.returncode, status_of(name)
        is_killed = code == 128 + sent and status in (None, "KILLED") and lasted < END_S
        is_done = code == 0 and status == "FINISHED"
        slowest = max(slowest, 0 if is_over else lasted)
        seconds[which] *= 0.8 if is_over else 1  # the machine is less busy than it was
        if not (is_killed or is_done) or "Traceback" in err or "Exception" in err:
            faults.append((arguments, sent.name, code, status, f"{lasted:.1f} s", err))
        print(number, *arguments, sent.name, code, status, f"{lasted:.1f} s", flush=True)
    print(f"{NUM_SIGNALS} signals, {len(faults)} faults, the slowest end after {slowest:.1f} s")
    assert not faults, "\n".join(map(str, faults))


def test_a_signal_that_is_dropped_is_raised_again(process: Callable[..., Any], folder: Path) -> None:
    script = """
import time, weakref
from blockprof import tracking
from blockprof.foundation import interrupts

class Thing: pass

def busy(_):
    end = time.monotonic() + 3
    while time.monotonic() < end: pass

with tracking.start_run("profile", name="dropped") as run:
    thing = Thing()
    ref = weakref.ref(thing, busy)
    print("ready", flush=True)
    del thing   # Python drops what is raised in the callback
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=DEADLINE_S)
    assert started.returncode == 143
    assert status_of("dropped") == "KILLED"


def test_nothing_is_raised_in_a_finaliser(folder: Path) -> None:
    script = """
import time
from blockprof.foundation import interrupts

class Thing:
    def __del__(self):
        print("ready", flush=True)
        end = time.monotonic() + 3
        while time.monotonic() < end: pass

with interrupts.handled():
    Thing()
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        started.send_signal(signal.SIGTERM)
        _, err = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, err) == (143, "")


@pytest.mark.parametrize("sent", SIGNALS)
def test_a_run_that_is_just_begun_is_killed(folder: Path, sent: signal.Signals) -> None:
    """The signal comes while MLflow has made the run, and the command does not know it yet."""
    script = f"""
import os, time
from mlflow import MlflowClient
from blockprof import tracking

create = MlflowClient.create_run
def slow(*arguments, **options):
    made = create(*arguments, **options)
    os.kill(os.getpid(), {int(sent)})
    time.sleep(0.5)
    return made
MlflowClient.create_run = slow
with tracking.start_run("profile", name="begun"):
    time.sleep(60)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=DEADLINE_S, check=False)
    assert done.returncode in (128 + sent, -sent)
    assert status_of("begun") == "KILLED"
