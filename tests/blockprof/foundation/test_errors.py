import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import blockprof
import blockprof.predictors
from blockprof.foundation.errors import (
    Argument,
    BlockprofError,
    Command,
    DataFileError,
    InputError,
    MetricError,
    Place,
    Said,
)

SOURCES = [
    file
    for package in (blockprof, blockprof.predictors)
    for file in sorted(Path(str(package.__file__)).parent.rglob("*.py"))
]
OPTION = re.compile(r"(?<![\w-])--[a-z]")
OF_A_PROGRAM = re.compile(r"--[\w-]+=?|blockprof doctor --install [\w-]+")
"""An option alone is given to another program, and said to nobody; what installs a run-time is typed into a shell."""


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """The texts of a source, but for documentation: strings that are statements."""
    tree = ast.parse(file.read_text())
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def speaks_of_options(text: str) -> bool:
    return bool(OPTION.search(text)) and not OF_A_PROGRAM.fullmatch(text)


def test_the_library_speaks_of_no_options() -> None:
    """Who calls the library typed none: errors speak of arguments, which the command line words as options."""
    assert len(SOURCES) > 100
    found = [f"{file}:{line}: {text}" for file in SOURCES for line, text in texts(file) if speaks_of_options(text)]
    assert not found, "\n".join(found)


def test_the_walk_finds_options(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text('"""As --space."""\nraise ValueError(f"use {1}, or --space pn")\n')
    assert [(line, speaks_of_options(text)) for line, text in texts(source)] == [(2, False), (2, True)]


def test_parts_of_an_error_are_its_message() -> None:
    error = DataFileError(
        "a network of mbv3, not of pn",
        where=Place("nets.csv", 3, "net_str"),
        remedy=Said("use {}", Argument("space", "mbv3")),
        code="other-space",
    )
    assert str(error) == "nets.csv: row 3, column 'net_str': a network of mbv3, not of pn: use space='mbv3'"
    assert (error.code, error.where) == ("other-space", Place("nets.csv", 3, "net_str"))


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        (Argument("seed"), "seed"),
        (Argument("seed", 3), "seed=3"),
        (Argument("fast", True), "fast=True"),
        (Argument("sampler", "upstream"), "sampler='upstream'"),
    ],
)
def test_arguments_are_written_as_python_writes_them(argument: Argument, text: str) -> None:
    assert str(argument) == text


def test_a_code_is_the_kinds_where_none_is_given() -> None:
    assert (InputError("x").code, MetricError("x").code, BlockprofError("x").code) == ("input", "metric", "failed")


def test_an_error_about_an_error_keeps_its_code_and_its_arguments() -> None:
    inner = InputError("too few", remedy=Said("give {}", Argument("data")), code="too-few")
    outer = DataFileError(inner, where="a.csv")
    assert (str(outer), outer.code) == ("a.csv: too few: give data", "too-few")
    assert outer.worded(lambda argument: argument.name.upper()) == "a.csv: too few: give DATA"


def test_a_command_is_for_a_shell() -> None:
    said = Command("blockprof train-predictor", space="pn", cross_validate=True)
    assert str(said) == "`blockprof train-predictor --space pn --cross-validate`"


def test_braces_in_what_is_named_are_no_template() -> None:
    assert (
        str(InputError("not {here}", where="{}.csv", remedy=Said("give {:.1f} of {}", 2.0, "{0}")))
        == "{}.csv: not {here}: give 2.0 of {0}"
    )


def test_a_message_is_one_line_without_passwords() -> None:
    error = BlockprofError("no answer\nat all", where="https://me:secret@host", remedy="wait\x1b[31m")
    assert str(error) == r"https://me:***@host: no answer at all: wait\x1b[31m"


def test_errors_cross_processes() -> None:
    error = InputError("few", where=Place("a.csv", 2), remedy=Said("give {}", Argument("data", "b")), code="too-few")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code) == (InputError, str(error), "too-few")
    assert again.worded(lambda argument: "--it") == "a.csv: row 2: few: give --it"
