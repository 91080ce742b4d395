"""``blockprof import-predictor``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import training
    from blockprof.api.training import Training
    from blockprof.cli import render, render_training
else:
    render = lazy_import("blockprof.cli.render")
    render_training = lazy_import("blockprof.cli.render_training")
    training = lazy_import("blockprof.api.training")


def import_predictor(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A _best.pt file of BlockProfile's predictor trainer.")],
    space: options.SpaceOption,
    metric: Annotated[
        str, typer.Option("--metric", "-m", metavar="NAME", help="The name the predictor will have in profile.")
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="CSV",
            help="CSV of networks measured on its device, which tell how good it is.",
            show_default=options.LATENCY_FILES,
        ),
    ] = None,
    max_latency: Annotated[
        float | None,
        typer.Option(
            "--max-latency",
            metavar="MS",
            help="The largest training latency, by which its output is scaled.",
            show_default="that of BlockProfile's own predictors or the CSV's, whichever errs less on the CSV",
        ),
    ] = None,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "Training":
    """Import a predictor that BlockProfile trained: test it and register it.

    The file is read without running any code in it. It predicts what it does in BlockProfile; its 90 % interval comes
    from networks of the CSV, and the test networks are others of them. It may have been trained on either. One that
    predicts them worse than their mean does is refused.

    Example: blockprof import-predictor npu_best.pt --space pn --metric npu
    """
    with render.listening(render_training.show) as listener:
        return training.import_predictor(
            file,
            options.load_space(space),
            metric,
            data,
            max_ms=max_latency,
            seed=seed,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
