"""Boards: measured over a real sshd on loopback, whose way is cut at random moments."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import sshd

from blockprof.evaluators.device import MeasureSpec, measure_networks
from blockprof.evaluators.device.boards import process
from blockprof.evaluators.device.boards.board import Board, parse_board
from blockprof.evaluators.device.boards.bundle import make_bundle
from blockprof.evaluators.device.boards.process import BoardProcess, examine
from blockprof.evaluators.device.environment import read_environment
from blockprof.evaluators.device.lock import machine_lock
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.device.runner import visiting_order
from blockprof.evaluators.runtimes import find_runtime
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.listener import Listener

ONNX_RUNTIME = find_runtime("onnxruntime")
QUICK = MeasureSpec(rounds=2, min_runs=6, max_runs=6, time_limit_s=0.05, anchor_every=2)
NUM = 4
CUTS = int(os.environ.get("BLOCKPROF_CUTS", "3"))
"""How often the way is cut; 20 in the long form."""


class Notes(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_note(self, text: object) -> None:
        self.notes.append(str(text))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of one's own, and temporary files of the board's own beside those of the tests."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield folder


@pytest.fixture(scope="module")
def way(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Cutter]:
    if not sshd.is_there():
        if os.environ.get("CI") == "true":
            pytest.fail("no sshd: apt-get install openssh-server")
        pytest.skip("no sshd: apt-get install openssh-server")
    with sshd.running(tmp_path_factory.mktemp("sshd"), home) as cutter:
        yield cutter


@pytest.fixture
def board(way: sshd.Cutter, tmp_path: Path) -> Board:
    """The machine itself, whose Python there has a temporary folder of its own."""
    place = tmp_path / "there"
    place.mkdir()
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nTMPDIR={place} OMP_NUM_THREADS=1 exec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return Board("board", python=str(program))


def names_and_models(conv_model: Callable[..., bytes]) -> tuple[list[str], list[bytes]]:
    models = [conv_model(channels=24, layers=2 + number) for number in range(NUM)]
    return [f"net {number}" for number in range(NUM)], models


def rows(journal: Path) -> list[dict]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def test_a_board_is_examined(board: Board) -> None:
    found, here = examine(board, ONNX_RUNTIME), read_environment(ONNX_RUNTIME)
    assert found.machine == here.machine
    assert not list(Path(board.python).parent.joinpath("there").glob("blockprof-board-*"))
    absent = replace(ONNX_RUNTIME, title="Absent", needs=("no_such_module",))
    with pytest.raises(InputError, match=r"board: Absent is not installed there \(there is no no_such_module\)"):
        examine(board, absent)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("other", r"other: its host key is not known .*connect once with `ssh other` and compare the key"),
        ("keyless", r"keyless: it takes none of your keys: give it one with `ssh-copy-id keyless`"),
    ],
)
def test_who_is_not_known_is_refused(host: str, said: str, way: sshd.Cutter) -> None:
    with pytest.raises(InputError, match=said):
        examine(Board(host), ONNX_RUNTIME)


def test_what_is_wrong_with_its_python_is_said(board: Board) -> None:
    with pytest.raises(BlockprofError, match=r"its process on board ended with code 127 \(.*/nosuch/python: "):
        examine(Board("board", python="/nosuch/python"), ONNX_RUNTIME)
    old = Path(board.python).with_name("old")
    old.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'numpy'\" >&2; exit 1\n")
    old.chmod(0o755)
    with pytest.raises(BlockprofError, match=r"ended with code 1 \(ModuleNotFoundError: No module named 'numpy'\)"):
        examine(Board("board", python=str(old)), ONNX_RUNTIME)


def test_a_board_that_is_not_there(way: sshd.Cutter) -> None:
    with pytest.raises(BlockprofError, match=r"^127\.0\.0\.1: cannot be reached \(.*\): see that it is on"):
        examine(Board("127.0.0.1", port=1), ONNX_RUNTIME)


def test_outputs_are_those_of_a_process_here(board: Board, conv_model: Callable[..., bytes]) -> None:
    model, notes = conv_model(channels=24), Notes()
    with BoardProcess(board, ONNX_RUNTIME, QUICK, notes.on_note) as there:
        there.load("network", "net", 0, lambda: model)
        (found,) = there.outputs("network", "net")
        sent = list(Path(board.python).parent.glob("there/blockprof-board-*/weights/*"))
        assert len(sent) == 2
        with pytest.raises(BlockprofError, match="net: is no ONNX model that can be read"):
            there.load("network", "net", 1, lambda: b"nonsense")
    with RuntimeProcess(ONNX_RUNTIME, QUICK) as here:
        here.load("network", "net", 0, lambda: model)
        (expected,) = here.outputs("network", "net")
    np.testing.assert_array_equal(found, expected)
    assert not sent[0].exists()
    assert notes.notes == []


def test_a_board_that_measures_already_is_left_alone(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(Path(board.python).parent / "there"))
    with (
        machine_lock(),
        pytest.raises(BlockprofError, match="another measurement runs on the board"),
        BoardProcess(board, ONNX_RUNTIME, QUICK, print),
    ):
        pass


def test_nothing_is_lost_and_nothing_measured_twice_however_often_the_way_is_cut(
    board: Board, way: sshd.Cutter, tmp_path: Path, conv_model: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_PAUSES_S", (0.1,))
    names, models = names_and_models(conv_model)
    spec = MeasureSpec(rounds=2 + 2 * CUTS, min_runs=6, max_runs=400, width=1e-9, time_limit_s=0.3 * (2 + 2 * CUTS))
    journal, rng = tmp_path / "journal", np.random.default_rng(CUTS)
    is_over = threading.Event()
    cuts = []

    def cut() -> None:
        while len(cuts) < CUTS and not is_over.wait(rng.uniform(0, 1.5)):
            before = way.num_bytes
            while way.num_bytes == before and not is_over.wait(0.01):
                pass  # not while there is no way
            time.sleep(rng.uniform(0, 2.0))
            way.cut()
            cuts.append(time.time())

    cutting = threading.Thread(target=cut)

    class Starts(Notes):
        def on_visit(self, visited: object) -> None:
            if not cutting.ident:
                cutting.start()

    notes = Starts()
    try:
        measured = measure_networks(names, models.__getitem__, journal, spec, notes, board=board)
    finally:
        is_over.set()
        cutting.join()
    assert len(cuts) == CUTS
    visits = [row["visit"] for row in rows(journal) if "visit" in row]
    made = [(visit["round"], visit["network"]) for visit in visits if not visit["anchor"]]
    assert made == list(visiting_order(NUM, spec))
    assert sum("is cut" in note for note in notes.notes) == sum("is back" in note for note in notes.notes) > 0
    assert len(measured.latencies_ms) == NUM
    again = measure_networks(names, models.__getitem__, journal, spec, board=board)
    np.testing.assert_array_equal(again.latencies_ms, measured.latencies_ms)
    end = time.monotonic() + 20
    while (left := _processes(board)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not left


def _processes(board: Board) -> list[Path]:
    """What still runs on the board, told by its temporary folder."""
    mark = f"TMPDIR={Path(board.python).parent / 'there'}\0".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += [each] if mark in (each / "environ").read_bytes() else []
    return found


def test_a_board_that_stays_away_ends_it_and_the_next_command_resumes(
    board: Board, way: sshd.Cutter, tmp_path: Path, conv_model: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_PAUSES_S", (0.1,))
    monkeypatch.setattr(process, "RETRY_S", 1.0)
    names, models = names_and_models(conv_model)

    class CutsForGood(Listener):
        def on_visit(self, visited: object) -> None:
            way.refuse = True
            way.cut()

    with pytest.raises(BlockprofError, match=r"board: was not reached again in 0 minutes .*: it resumes"):
        measure_networks(names, models.__getitem__, tmp_path / "journal", QUICK, CutsForGood(), board=board)
    way.refuse = False
    before = rows(tmp_path / "journal")
    measure_networks(names, models.__getitem__, tmp_path / "journal", QUICK, board=board)
    after = rows(tmp_path / "journal")
    assert after[: len(before)] == before
    visits = [row["visit"] for row in after if "visit" in row]
    made = [(visit["round"], visit["network"]) for visit in visits if not visit["anchor"]]
    assert made == list(visiting_order(NUM, QUICK))


@pytest.mark.parametrize(
    ("text", "board_", "name"),
    [
        ("pi", Board("pi"), "pi"),
        ("me@pi.lan", Board("pi.lan", "me"), "pi"),
        ("me@192.168.1.7:2222", Board("192.168.1.7", "me", 2222), "192.168.1.7"),
        ("root@[fe80::1]", Board("[fe80::1]", "root"), "fe80--1"),
    ],
)
def test_addresses(text: str, board_: Board, name: str) -> None:
    assert parse_board(text) == board_
    assert parse_board(text).name == name


@pytest.mark.parametrize("text", ["me@", "a b", "pi:0", "pi:99999", "-oProxyCommand=x@y z", ""])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InputError, match="is no address: write user@board"):
        parse_board(text)


def test_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(InputError, match="a password is not taken") as caught:
        parse_board("me:secret@pi")
    assert "secret" not in str(caught.value)


def test_the_bundle_needs_numpy_and_the_run_time_only(tmp_path: Path) -> None:
    content = make_bundle()
    assert len(content) < 200_000
    assert all(name.endswith(".py") for name in zipfile.ZipFile(BytesIO(content)).namelist())
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(content)
    code = f"""
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {{*sys.stdlib_module_names, "blockprof", "numpy", "onnxruntime"}}:
            raise ImportError(name)
sys.meta_path.insert(0, Nothing())
sys.path.insert(0, {str(bundle)!r})
from blockprof.evaluators.device.boards import remote
import blockprof.evaluators.runtimes.onnxruntime
print(remote.__file__)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(bundle))
