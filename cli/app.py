"""The ``blockprof`` command: its sub-commands, and how errors end."""

import inspect
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from blockprof.cli import (
    cache_imagenet,
    compare,
    delivery,
    doctor,
    export,
    fetch_data,
    import_predictor,
    lists,
    measure,
    measure_phone,
    plan,
    predict,
    profile,
    reduce,
    results,
    resume,
    search,
    space,
    store,
    train_predictor,
)
from blockprof.cli.several_values import SeveralValues
from blockprof.cli.terminal import write_plainly
from blockprof.cli.wording import worded
from blockprof.foundation import interrupts
from blockprof.foundation.errors import BlockprofError, DataNote, InputError
from blockprof.foundation.extras import extra_with, lacking
from blockprof.foundation.files import sweep
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import data_folder
from blockprof.foundation.text import masked, printable, shown

if TYPE_CHECKING:
    from importlib import metadata

    from blockprof.cli import render
else:
    metadata = lazy_import("importlib.metadata")
    render = lazy_import("blockprof.cli.render")


INTERRUPTED = 130
"""The exit code that Typer, as a shell, gives to Ctrl-C."""

app = typer.Typer(
    name="blockprof",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={
        "help_option_names": ["-h", "--help"],
        # BlockProfile wrote --num_archs.
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)
export_app = typer.Typer(
    help="Export a run's tables, a predictor or networks to files.\n\nExample: blockprof export run able-panda-12",
    no_args_is_help=True,
)

space_app = typer.Typer(
    help="Design spaces of your own, as files.\n\nExample: blockprof space check my_space.yaml",
    no_args_is_help=True,
)

store_app = typer.Typer(
    help="Maintain the MLflow store of this folder.\n\nExample: blockprof store repair", no_args_is_help=True
)

_state = {"debug": False}


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"blockprof {metadata.version('blockprof')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Profile the building blocks of mobile neural architecture search spaces, tracked in MLflow.

    Example: blockprof profile --space pn --metrics npu
    """
    _state["debug"] = debug
    for folder in (Path.cwd(), data_folder()):
        sweep(folder)


def _add(group: typer.Typer, name: str, command: Callable[..., object], *, finds: bool = True) -> None:
    """Add a command. Its help is its docstring, each paragraph in one line: the terminal breaks it where it ends.

    What a command ``finds`` it returns, to be written by ``--out`` and printed by ``--json``.
    """
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    group.command(name, cls=SeveralValues, help=text)(results.delivered(name, command, finds=finds))


_add(app, "fetch-data", fetch_data.fetch_data)
_add(app, "cache-imagenet", cache_imagenet.cache_imagenet, finds=False)
_add(app, "measure", measure.measure)
_add(app, "measure-phone", measure_phone.measure_phone, finds=False)
_add(app, "train-predictor", train_predictor.train_predictor)
_add(app, "import-predictor", import_predictor.import_predictor)
_add(app, "profile", profile.profile)
_add(app, "predict", predict.predict)
_add(app, "plan", plan.plan)
_add(app, "compare", compare.compare)
_add(app, "reduce", reduce.reduce)
_add(app, "search", search.search)
_add(app, "runs", lists.runs)
_add(app, "predictors", lists.predictors)
_add(app, "resume", resume.resume, finds=False)
_add(app, "doctor", doctor.doctor)
app.add_typer(space_app, name="space")
_add(space_app, "check", space.check, finds=False)
app.add_typer(export_app, name="export")
_add(export_app, "run", export.export_run, finds=False)
_add(export_app, "predictor", export.export_predictor, finds=False)
_add(export_app, "network", export.export_network, finds=False)
_add(export_app, "networks", export.export_networks, finds=False)
app.add_typer(store_app, name="store")
_add(store_app, "repair", store.repair, finds=False)


def main() -> None:
    """Run the command line; an error is one line, exit code 2 for what the user gave, 1 for what failed.

    Ctrl-C ends with 130, SIGTERM with 143 and SIGHUP with 129.
    """
    warnings.formatwarning = _format_warning
    write_plainly()
    with _notes_shown():
        try:
            # Standalone, Typer would show usage errors in a box, and swallow Ctrl-C.
            code = app(prog_name="blockprof", standalone_mode=False)
        except BaseException as error:
            _end_interrupted()
            if not isinstance(error, Exception):
                raise
            if _state["debug"] and not isinstance(error, typer.TyperException):
                typer.echo(shown(traceback.format_exc()), err=True)
                sys.exit(error.exit_code if isinstance(error, BlockprofError) else 1)
            _end_failed(error)
    _end_interrupted()
    if code == INTERRUPTED:
        _end("interrupted", INTERRUPTED)


def _end_interrupted() -> None:
    """End, where a signal came: whatever was raised since, such as by an import that was cut off, is of no interest."""
    if number := interrupts.pending():
        interrupts.heard()
        _end("interrupted" if number.name == "SIGINT" else f"interrupted by {number.name}", 128 + number)


def _end_failed(error: Exception) -> NoReturn:
    if isinstance(error, typer.TyperException):
        _end(_usage(error), error.exit_code)
    if isinstance(error, BlockprofError):
        _end(worded(error), error.exit_code)
    if isinstance(error, ModuleNotFoundError) and error.name and (extra := extra_with(error.name)):
        _end(worded(lacking(extra, "this", error.name)), InputError.exit_code)
    _end(f"{type(error).__name__}: {error} (run `blockprof --debug ...` for the traceback)", 1)


@contextmanager
def _notes_shown() -> Iterator[None]:
    """Print on stderr what the library logs: what it waits for, what it could not do."""

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            render.note(record.getMessage())

    log, notes = logging.getLogger("blockprof"), Notes(logging.WARNING)
    log.addHandler(notes)
    try:
        yield
    finally:
        log.removeHandler(notes)


def _format_warning(message: Warning | str, category: type[Warning], *_args: object, **_options: object) -> str:
    is_note = issubclass(category, DataNote)
    if is_note and delivery.current().quiet:
        return ""
    return f"{'note' if is_note else 'warning'}: {shown(str(message))}\n"


def _usage(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message}: see `{context.command_path} --help`" if message and context else message


def _end(message: str, code: int) -> NoReturn:
    if message:  # there is none where help was shown for want of arguments
        typer.secho(f"error: {printable(masked(' '.join(message.split())))}", err=True, fg="red")
    sys.exit(code)
