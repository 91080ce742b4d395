import ast
from pathlib import Path

import typer.main

import blockprof
import blockprof.predictors
from blockprof.cli.app import app
from blockprof.cli.wording import worded
from blockprof.foundation.errors import Argument, Command, InputError, Said

SOURCES = [
    file
    for package in (blockprof, blockprof.predictors)
    for file in sorted(Path(str(package.__file__)).parent.rglob("*.py"))
]
COMMANDS = {f"blockprof {name}": command for name, command in typer.main.get_group(app).commands.items()}
OPTIONS = {
    option
    for command in COMMANDS.values()
    for each in getattr(command, "commands", {"": command}).values()
    for parameter in each.params
    for option in parameter.opts
}


def calls(function: type) -> list[ast.Call]:
    return [
        node
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.__name__
    ]


def test_arguments_are_worded_as_options() -> None:
    error = InputError(
        "of such a profile little is known",
        where=Argument("sampler", "upstream"),
        remedy=Said("give {}, {} or {}", Argument("num_archs", 100), Argument("fresh", True), Argument("max_ms")),
    )
    assert worded(error) == (
        "--sampler upstream: of such a profile little is known: give --num-archs 100, --fresh or --max-latency"
    )


def test_every_argument_that_errors_speak_of_is_an_argument_and_an_option() -> None:
    names = {str(ast.literal_eval(call.args[0])) for call in calls(Argument) if isinstance(call.args[0], ast.Constant)}
    assert {"data", "resolution", "max_ms"} <= names
    assert names <= parameters()
    assert {worded(InputError("", where=Argument(name))).removesuffix(": ") for name in names} <= OPTIONS


def parameters() -> set[str]:
    """Of the library's functions and dataclasses."""
    found = set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return found


def test_every_command_that_errors_name_is_there() -> None:
    named = [call for call in calls(Command) if isinstance(call.args[0], ast.Constant)]
    ours = {str(ast.literal_eval(call.args[0])): call.keywords for call in named}
    ours = {program: options for program, options in ours.items() if program.startswith("blockprof ")}
    assert "blockprof fetch-data" in ours
    for program, options in ours.items():
        there = {"--help"} | {option for parameter in COMMANDS[program].params for option in parameter.opts}
        assert {f"--{option.arg}" for option in options if option.arg} <= there
