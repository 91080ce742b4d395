"""A run-time in a process of its own: what it may do there, and what is said of it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import broken_runtimes
import pytest
from broken_runtimes import runtime

from blockprof.evaluators.device import MeasureSpec, measure_networks, process
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.runtimes import find_runtime, register_runtime
from blockprof.foundation.errors import BlockprofError, InputError

QUICK = MeasureSpec(rounds=1, min_runs=6, max_runs=6, time_limit_s=0.2)


def started(found, model, spec=QUICK):
    with RuntimeProcess(found, spec) as running:
        running.load("network", "net 1", 1, lambda: model)
        return running.time("network", "net 1")[1]


@pytest.mark.parametrize(
    ("engine", "changed", "kind", "message"),
    [
        ("NotHere", {}, InputError, "this processor has no fp32"),
        ("CannotConvert", {}, BlockprofError, "CannotConvert cannot convert net 1: no operator 'Frobnicate'"),
        (
            "Crashes",
            {},
            BlockprofError,
            r"Crashes on net 1: its process ended by SIGABRT \(.+\)",
        ),
        ("Quits", {}, BlockprofError, "Quits on net 1: its process ended with code 3"),
        ("Hangs", {"limit_s": 20.0}, BlockprofError, "Hangs on net 1: no answer to 'load' in 20 s: it was ended"),
        (
            "Engine",
            {"engine": "no_such_module:Engine"},
            BlockprofError,
            "Engine cannot start: No module named 'no_such",
        ),
    ],
)
def test_each_failure_is_one_line_and_leaves_nothing(engine, changed, kind, message, conv_model, temporary_folder):
    with pytest.raises(BlockprofError, match=f"^{message}$" if "no_such" not in message else message) as caught:
        started(runtime(getattr(broken_runtimes, engine), **changed), conv_model())
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert list(temporary_folder.iterdir()) == []


def test_what_runs_is_timed(conv_model):
    assert len(started(runtime(broken_runtimes.Engine), conv_model())) == 6


def test_a_failed_run_time_leaves_the_journal_to_the_next_try(model_folder, tmp_path):
    found = register_runtime(runtime(broken_runtimes.Quits, name="quits-while-measuring"))
    path, spec = tmp_path / "journal.jsonl", MeasureSpec(runtime=found.name, rounds=1, min_runs=6)
    with pytest.raises(BlockprofError, match="ended with code 3"):
        measure_networks(["net0"], lambda _: model_folder / "net0.onnx", path, spec)
    assert path.read_bytes().count(b"\n") == 2, "the header and the machine"


def test_models_are_made_once_while_there_is_room(conv_model, monkeypatch):
    built = []

    def build():
        built.append(None)
        return conv_model()

    for room, times in ((10**9, 1), (0, 3)):
        monkeypatch.setattr(process, "KEPT_BYTES", room)
        built.clear()
        with RuntimeProcess(find_runtime("onnxruntime"), QUICK) as running:
            for _ in range(3):
                running.load("network", "net", 1, build)
        assert len(built) == times


@pytest.mark.parametrize("engine", ["Engine", "Hangs", "Writes"])
def test_it_ends_with_the_process_that_started_it(engine, model_folder, temporary_folder):
    """However that one ends, and whatever the run-time does meanwhile."""
    script = (
        "import broken_runtimes, sys\n"
        "from pathlib import Path\n"
        "from blockprof.evaluators.device import MeasureSpec\n"
        "from blockprof.evaluators.device.process import RuntimeProcess\n"
        f"with RuntimeProcess(broken_runtimes.runtime(broken_runtimes.{engine}), MeasureSpec()) as running:\n"
        "    print(running._process.pid, flush=True)\n"
        f"    running.load('network', 'net', 1, lambda: Path({str(model_folder / 'net0.onnx')!r}))\n"
        "    sys.stdin.read()\n"
    )
    path = os.pathsep.join([str(Path(broken_runtimes.__file__).parent), *filter(None, sys.path)])
    pipe = subprocess.PIPE
    starter = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": path}, stdin=pipe, stdout=pipe
    )
    with starter:
        pid = int(starter.stdout.readline())
        starter.kill()
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() and not list(temporary_folder.iterdir()):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid}: {Path(f'/proc/{pid}').exists()}; left: {sorted(temporary_folder.rglob('*'))}")
