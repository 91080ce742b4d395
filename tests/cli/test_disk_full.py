"""A full disk: said before the work, or with the folder and what to do; nothing is half written."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system of so many MB. Where that is not allowed the test is skipped."""
    mounted = []

    def mount(megabytes: int) -> Path:
        place = tmp_path / "small"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("a file system cannot be mounted here: this takes root, as in CI's container")
        mounted.append(place)
        return place

    yield mount
    os.chdir(tmp_path)
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_too_little_room_is_said_before_the_work(
    folder: Path, small_disk: Callable[[int], Path], cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = small_disk(4)
    monkeypatch.chdir(place)
    outcome = cli("profile", "-s", "pn", "-m", "npu")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == (
        f"error: the disk of {place} has 4.2 MB left, and this command writes about 8 MB there: make room, or use "
        "another folder\n"
    )
    assert list(place.iterdir()) == []


def test_a_disk_that_fills_meanwhile_is_named(
    folder: Path, small_disk: Callable[[int], Path], process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = small_disk(12)
    monkeypatch.chdir(place)
    with process("profile", "-s", "pn", "-m", "npu,gpu,cpu,accuracy", "-n", "2000") as started:
        while not (place / "mlruns").exists() and not (place / "mlflow.db").exists():
            assert started.poll() is None
        with (place / "filler").open("wb") as filler:
            try:
                while True:
                    filler.write(bytes(65536))
                    filler.flush()
            except OSError:
                pass
        _, err = started.communicate(timeout=300)
    assert started.returncode == 1
    last = err.splitlines()[-1]
    assert "make room" in last, err
    assert str(place) in last
    assert "SQL" not in err
    assert ".blockprof-" not in err
