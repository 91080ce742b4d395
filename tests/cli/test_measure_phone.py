"""``blockprof measure-phone`` with a real adb server that has no phone."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


@pytest.fixture
def adb_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """A real adb server, of a port of its own, that has no phone."""
    if shutil.which("adb") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no adb: apt-get install adb")
        pytest.skip("no adb: apt-get install adb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    server = subprocess.Popen(
        ["adb", "-L", f"tcp:{port}", "nodaemon", "server"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.05)
    yield port
    server.terminate()
    server.wait(20)


def test_a_real_server_without_a_phone(adb_server: int, folder: Path, cli, refused) -> None:
    tool = folder / "benchmark_model"
    tool.touch()
    outcome = cli("measure-phone", folder, "--program", tool)
    assert outcome.returncode == 1
    assert outcome.stderr == (
        "error: adb has no phone: connect it, allow USB debugging on it, and see that `adb devices` lists it\n"
    )
    named = cli("measure-phone", folder, "--program", tool, "--phone", "emulator-5554")
    assert named.stderr.startswith("error: adb has no phone 'emulator-5554': connect it")
    assert not (folder / "times.csv").exists()
    assert "nosuch/benchmark_model: there is no such program" in refused(
        "measure-phone", folder, "--program", "nosuch/benchmark_model"
    )
    assert os.environ["ANDROID_ADB_SERVER_PORT"] == str(adb_server)


def test_a_host_that_cannot_be_is_refused(refused) -> None:
    said = refused("measure", "-s", "pn", "--host", "me:secret@pi")
    assert said == "--host: a password is not taken: let the board know your key: `ssh-copy-id`"
    assert refused("measure", "-s", "pn", "--host", "a b") == (
        "--host a b: is no address: write user@board, or user@board:2222"
    )
    assert "--runtime all is for this machine" in refused("measure", "-s", "pn", "--host", "pi", "--runtime", "all")
