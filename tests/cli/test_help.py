import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from blockprof.cli.app import app
from blockprof.cli.several_values import SPACES
from blockprof.spaces import space_names


def commands(command=None, path=("blockprof",)) -> Iterator[tuple[str, ...]]:
    """The path of every command, and of every group of them."""
    command = command or typer.main.get_command(app)
    yield path
    for name, sub_command in getattr(command, "commands", {}).items():
        yield from commands(sub_command, (*path, name))


COMMANDS = list(commands())


def parse(arguments: list[str]) -> str:
    """Let Typer's own parser read a command line; gives the path of the command that it calls."""
    command, context = typer.main.get_command(app), None
    name, rest = "blockprof", arguments
    while True:
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "commands"):
            return context.command_path
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])


def test_the_commands_are_those_of_the_design() -> None:
    names = {" ".join(path[1:]) for path in COMMANDS}
    assert names == {
        "", "fetch-data", "cache-imagenet", "measure", "measure-phone", "train-predictor", "import-predictor",
        "profile", "compare", "reduce", "resume", "search", "predict", "plan", "doctor", "runs", "predictors",
        "space", "space check",
        "export", "export run", "export predictor", "export network", "export networks",
        "store", "store repair",
    }  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_has_an_example_on_a_line_of_its_own_that_parses(
    path: tuple[str, ...], columns: str, cli, folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = cli(*path[1:], "--help")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    lines = outcome.stdout.splitlines()
    numbers = [number for number, line in enumerate(lines) if "Example:" in line]
    assert numbers
    for number in numbers:
        assert not lines[number - 1].strip()
        assert not lines[number + 1].strip()
        example = re.fullmatch(r" Example: (blockprof .*\S)\s*", lines[number])
        assert example, lines[number]
        assert parse(shlex.split(example[1])[1:]).startswith(" ".join(path))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_shows_all_of_each_option(path: tuple[str, ...], cli, folder) -> None:
    """Nothing is cut at 80 columns, and no text is taken for markup."""
    outcome = cli(*path[1:], "-h")
    assert "…" not in outcome.stdout
    command = typer.main.get_command(app)
    for name in path[1:]:
        command = command.commands[name]
    for parameter in command.params:
        if parameter.hidden:
            continue
        for spelling in parameter.opts:
            assert parameter.param_type_name == "argument" or spelling in outcome.stdout
        shown = re.sub(r"[\s│]+", "", outcome.stdout)
        assert re.sub(r"\s+", "", (parameter.help or "").replace(SPACES, ", ".join(space_names()))) in shown
        if isinstance(parameter.show_default, str):
            assert re.sub(r"\s+", "", f"[default: ({parameter.show_default})]") in shown


@pytest.mark.parametrize("arguments", [[], ["export"]])
def test_without_a_command_help_is_shown(arguments: list[str], cli, folder) -> None:
    outcome = cli(*arguments)
    assert (outcome.returncode, outcome.stderr) == (2, "")
    assert "Example: blockprof" in outcome.stdout


def test_version(cli, folder) -> None:
    assert re.fullmatch(r"blockprof \d+\.\d+\.\d+\S*\n", cli("--version").stdout)
