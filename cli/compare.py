"""``blockprof compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.cli import options
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.cli import render, render_compare
else:
    render = lazy_import("blockprof.cli.render")
    render_compare = lazy_import("blockprof.cli.render_compare")

if TYPE_CHECKING:
    from blockprof.comparing import PredictorComparison, ProfileComparison


def compare(
    things: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...",
            help="Two or more runs of train-predictor or of profile, by id or name, or registered predictors such as "
            "blockprof-pn-npu/2 or blockprof-pn-npu@champion; with --data also others' models: models:/NAME/VERSION.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="CSV",
            help="Measured networks to compare predictors on; ideally none was trained on them.",
            show_default="the networks that all their runs left out",
        ),
    ] = None,
    trust_code: Annotated[
        bool,
        typer.Option(
            "--trust-code", help="Run the code of models that are not blockprof's. Its own are read as numbers."
        ),
    ] = False,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "PredictorComparison | ProfileComparison":
    """Compare predictors, or profiles, and report the differences beyond the noise.

    Predictors are compared on the same rows, with paired 95 % intervals of the differences of their scores. Profiles
    are of one space, of two devices, metrics or times: which blocks and placements change rank beyond their intervals,
    and how far a metric that both have is apart.

    Example: blockprof compare blockprof-pn-npu/1 blockprof-pn-npu@champion
    """
    with render.listening(render_compare.show) as listener:
        return blockprof.compare(
            things,
            data,
            trust_code=trust_code,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
