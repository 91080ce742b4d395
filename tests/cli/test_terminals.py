"""Terminals that are narrow, tell no width, or know no ±."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def words(text: str) -> list[str]:
    return [word for word in text.split() if not set(word) <= set("│┃━╇┼─|+-=")]


@pytest.mark.parametrize("columns", ["0", "20", "-1", "many"])
def test_a_narrow_terminal_shows_every_number(
    in_trained: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    commands = ["profile -s pn -m npu,accuracy --no-log", "train-predictor -s pn --no-log", "search -s pn --no-log"]
    for command in commands:
        outputs = []
        for width in ("400", columns):
            monkeypatch.setenv("COLUMNS", width)
            script = "from blockprof.cli.app import main; main()"
            done = subprocess.run(
                [sys.executable, "-c", f"import sys; sys.argv = {['blockprof', *command.split()]}; {script}"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            outputs.append(re.sub(r"in [0-9.]+ s", "", done.stdout))
        wide, narrow = outputs
        assert wide
        assert sorted(NUMBER.findall(wide)) == sorted(NUMBER.findall(narrow)), command
        assert "…" not in narrow.replace("->…", "")


def test_an_ascii_terminal_is_written_to_plainly(in_trained: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("blockprof"), "profile", "-s", "pn", "-m", "npu", "--name", "plain"],
        capture_output=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert " +/- " in done.stdout.decode("ascii")
    assert "as run plain" in done.stderr.decode("ascii")
