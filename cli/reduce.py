"""``blockprof reduce``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.cli import options
from blockprof.cli.results import TABLE_TOO
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api.reducing import Reduced
    from blockprof.cli import render, render_reduction
else:
    render = lazy_import("blockprof.cli.render")
    render_reduction = lazy_import("blockprof.cli.render_reduction")


def reduce(
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="RUN", help="Run of `blockprof profile` with all placements: its id, its name, or latest."
        ),
    ],
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            "-s",
            metavar="NAME",
            help="Of --from latest: the newest profile of this space.",
            show_default="any",
            autocompletion=options.complete_space,
        ),
    ] = None,
    gain: Annotated[
        str | None,
        typer.Option(
            "--gain",
            metavar="NAME",
            help="Metric to maximize.",
            show_default="the one of which higher is better",
        ),
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(
            "--cost",
            metavar="NAMES",
            help="Metrics to minimize, repeated or joined with commas; of several, what one of them keeps is kept.",
            show_default="the one of which lower is better",
        ),
    ] = None,
    trim: Annotated[
        float,
        typer.Option(
            "--trim",
            metavar="PERCENT",
            help="Percent of the gain, and of the possible saving, to give up at the two ends.",
        ),
    ] = 1.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help=f"YAML file to write. {TABLE_TOO}",
            show_default="reduction-<space>-<cost>.yaml",
        ),
    ] = None,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "Reduced":
    """Derive a smaller space from a profile, without the blocks and depths that are not worth their cost.

    A block is left out of a layer if another one, or a mixture of two others, costs less and is not worse; if it is too
    expensive for what it gains, compared with what the same cost buys elsewhere; or if it saves too little for what it
    loses. The same goes for depths. Options that could be best within the profile's 95 % intervals are kept.

    The file gives a reason for everything left out, and can be edited. `blockprof search --reduction FILE` takes it. An
    existing file is kept as *.old.

    Example: blockprof reduce --from latest --cost npu
    """
    with render.listening(render_reduction.show) as listener:
        return blockprof.reduce(
            source,
            gain,
            options.split_names(cost or []),
            space=space,
            trim=trim,
            out=out,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
