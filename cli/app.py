"""The ``blockprof`` command: its sub-commands, and how errors end."""

import sys
from typing import Annotated

import typer

from blockprof.cli import export, fetch_data, profile, train_predictor
from blockprof.errors import BlockprofError

app = typer.Typer(
    name="blockprof",
    help="Profile the building blocks of mobile neural architecture search spaces, tracked in MLflow.",
    epilog="Start with: blockprof profile --space pn --metrics npu",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("fetch-data")(fetch_data.fetch_data)
app.command("train-predictor")(train_predictor.train_predictor)
app.command("profile")(profile.profile)
app.add_typer(export.app, name="export")

_state = {"debug": False}


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"blockprof {version('blockprof')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Profile the building blocks of mobile neural architecture search spaces, tracked in MLflow."""
    _state["debug"] = debug


def main() -> None:
    """Run the command line; an error is one line, exit code 2 for what the user gave, 1 for what failed."""
    try:
        app()
    except BlockprofError as error:
        _end(str(error), error.exit_code, error)
    except KeyboardInterrupt as error:
        _end("interrupted", 130, error)
    except Exception as error:
        _end(f"{type(error).__name__}: {error} (run `blockprof --debug ...` for the traceback)", 1, error)


def _end(message: str, code: int, error: BaseException) -> None:
    if _state["debug"]:
        raise error
    typer.secho(f"error: {' '.join(message.split())}", err=True, fg="red")
    sys.exit(code)
