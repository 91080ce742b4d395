"""All commands get ``--out``, ``--json`` and ``--quiet`` here, and end with what to run next. Results go to standard
output, all else to standard error.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blockprof.cli.delivery import Delivery, Tabular, delivering
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.cli import next_steps, render
    from blockprof.output import exporting
else:
    exporting = lazy_import("blockprof.output.exporting")
    next_steps = lazy_import("blockprof.cli.next_steps")
    render = lazy_import("blockprof.cli.render")

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Also write the result as a table: .csv, .parquet or .json.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output, and nothing else there.")
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print the result and errors only: no notes or hints.")
]
TABLE_TOO = "A name that ends in .csv, .parquet or .json is of the result's table instead."
"""Stands in the help of an ``--out`` that is for the command's own files."""


def delivered(name: str, command: Callable[..., object], *, finds: bool) -> Callable[..., None]:
    """A command with the options ``--json`` and ``--quiet`` and, unless it has one of its own, ``--out``.

    A command that ``finds`` something returns the whole of it. Where its own ``--out`` names its files, one that ends
    as a table does is the table's, and the command takes its default.
    """
    own = inspect.signature(command)
    has_own_out = "out" in own.parameters

    @wraps(command)
    def run(*, as_json: bool = False, quiet: bool = False, **given: Any) -> None:
        delivery = Delivery(as_json=as_json, quiet=quiet)
        if finds:
            out = given["out"] if has_own_out else given.pop("out")
            if out is not None and (not has_own_out or exporting.is_table(out)):
                exporting.check_table_path(out)
                delivery.out = out
            if has_own_out and delivery.out:
                given["out"] = None
        with delivering(delivery):
            result = command(**given)
            if isinstance(result, Tabular):
                delivery.give(result, None)
            if delivery.out and delivery.found is not None:
                render.print_aside(f"wrote {delivery.out}")
        next_steps.print_next(name, result, delivery)

    added = [_option("out", OutOption, None)] if finds and not has_own_out else []
    added += [_option("as_json", JsonOption, False)] if finds else []
    added += [_option("quiet", QuietOption, False)]
    parameters = [*own.parameters.values(), *added]
    # Without what it returns, which is imported for the type checker only.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
