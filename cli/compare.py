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
            "blockprof-pn-npu/2 or blockprof-pn-npu@champion; with --space names of metrics, such as npu or "
            "openvino-int8; with --data also others' models: models:/NAME/VERSION.",
        ),
    ],
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            "-s",
            metavar="NAME",
            help=f"Compare metrics by name, of this design space: {options.SPACES}.",
            show_default=False,
            autocompletion=options.complete_space,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="CSV",
            help="Measured networks to compare predictors on; ideally none was trained on them.",
            show_default="the networks that all their runs left out",
        ),
    ] = None,
    metric: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--metric",
            metavar="A B",
            help="Of two profiles: which metric of the first to compare with which of the second.",
            show_default="those of like kind",
        ),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="NAME=MS",
            help="What a network chosen for a target may take, such as npu=4.0. Repeated or joined with commas.",
            show_default="the mean of random networks",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Measure the networks that the regret is about, on the targets that run here."),
    ] = False,
    resolution: options.ResolutionOption = 224,
    seed: options.SeedOption = 0,
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
    """Compare predictors, profiles or targets, and report the differences beyond the noise.

    Predictors of one metric are compared on the same rows, with paired 95 % intervals of the differences of their
    scores. Profiles are of one space, of two devices, metrics or times: which blocks change rank at their places beyond
    their intervals, and how far a metric that both have is apart.

    Of targets (latencies by name, predictors of different metrics, profiles of these) also the regret: the most
    accurate network for one within a limit, run on another, against what that one's own network of the same time, or
    of the same accuracy, would be.

    Example: blockprof compare blockprof-pn-npu/1 blockprof-pn-npu@champion

    Example: blockprof compare npu gpu cpu --space pn --limit npu=8
    """
    with render.listening(render_compare.show) as listener:
        return blockprof.compare(
            things,
            data,
            space=space,
            metric=metric,
            limits=options.parse_limits(limits or []),
            verify=verify,
            resolution=resolution,
            seed=seed,
            trust_code=trust_code,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
