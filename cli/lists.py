"""``blockprof runs`` and ``blockprof predictors``."""

from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options
from blockprof.cli.several_values import SPACES
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import listing
    from blockprof.api.listing import Predictors, Runs
    from blockprof.cli import render
else:
    listing = lazy_import("blockprof.api.listing")
    render = lazy_import("blockprof.cli.render")

RUNS_SHOWN = 20
_ID_SHOWN = 8

SpaceOption = Annotated[
    str | None,
    typer.Option(
        "--space",
        "-s",
        metavar="NAME",
        help=f"Only those of a design space: {SPACES}.",
        show_default="all",
        autocompletion=options.complete_space,
    ),
]


def runs(
    space: SpaceOption = None,
    command: Annotated[
        str | None,
        typer.Option("--command", metavar="NAME", help="Only those of a command: profile.", show_default="all"),
    ] = None,
    most: Annotated[
        int, typer.Option("--most", "-n", metavar="N", min=1, help="At most so many, the newest first.")
    ] = RUNS_SHOWN,
) -> "Runs":
    """List the runs in the MLflow store, the newest first, with what each is of and where its numbers come from.

    A run's name, its id, or latest for the newest of that command, is what reduce, compare and export take.

    Example: blockprof runs --space pn --command profile
    """
    found = listing.list_runs(command, space, most)
    render.give(found, _print_runs)
    return found


def predictors(space: SpaceOption = None) -> "Predictors":
    """List the registered predictors, every version, the newest of each first.

    profile takes the champion of each by its metric's name; compare and export take a name with a version.

    Example: blockprof predictors --space pn
    """
    found = listing.list_predictors(space)
    render.give(found, _print_predictors)
    return found


def _print_runs(found: "Runs") -> None:
    rows = [
        [str(run[name]) for name in ("name", "command", "space", "what", "origin", "status")]
        + [f"{run['started']:%Y-%m-%d %H:%M}", str(run["id"])[:_ID_SHOWN]]
        for run in found.to_pandas().to_dict("records")
    ]
    if rows:
        render.print_table(
            ("run", "command", "space", "of", "numbers", "status", "started (UTC)", "id"), rows, is_whole=True
        )
    else:
        render.print_line("no runs")


def _print_predictors(found: "Predictors") -> None:
    rows = [
        (
            f"{one['name']}/{one['version']}",
            "champion" if one["is_champion"] else "",
            str(one["kind"]),
            str(one["device"]),
            f"{one['num_networks']:,}",
            f"{one['test_mape_percent']:.2f} %",
            f"{one['registered']:%Y-%m-%d %H:%M}",
        )
        for one in found.to_pandas().to_dict("records")
    ]
    if rows:
        render.print_table(
            ("predictor", "", "kind", "device", "networks", "MAPE", "registered (UTC)"), rows, is_whole=True
        )
    else:
        render.print_line("no predictors")
