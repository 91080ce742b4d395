"""``blockprof reduce``."""

from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options


def reduce(
    source: Annotated[
        str,
        typer.Option("--from", metavar="RUN", help="Id or name of a run of `blockprof profile` with all placements."),
    ],
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
            help="The profile's metrics that are to be low, repeated or joined with commas; of several, what one of "
            "them keeps is kept.",
            show_default="the one of which lower is better",
        ),
    ] = None,
    trim: Annotated[
        float,
        typer.Option(
            "--trim",
            metavar="PERCENT",
            help="How much of the gain, and of the cost that can be saved, may be given up at the two ends.",
        ),
    ] = 1.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="YAML file to write.", show_default="reduction-<space>-<cost>.yaml"
        ),
    ] = None,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> None:
    """Propose a smaller space from a profile, without the blocks and depths that are not worth what they cost.

    A block is left out of a layer where another one, or a mixture of two others, costs less and is not worse; where it
    is too expensive for what it brings, beside what the same cost buys elsewhere; or where it saves too little for what
    it loses. So are numbers of layers. What the profile's 95 % intervals leave open is kept.

    The file says why of each, and may be edited: `blockprof search --reduction FILE` takes it. Another one that is
    there already is kept as *.old.

    Example: blockprof reduce --from able-panda-12 --cost npu
    """
    import blockprof
    from blockprof.cli import render, render_reduction

    with render.listening(render_reduction.show) as listener:
        blockprof.reduce(
            source,
            gain,
            options.split_names(cost or []),
            trim=trim,
            out=out,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
