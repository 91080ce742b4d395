"""``blockprof import-predictor``."""

from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options


def import_predictor(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A _best.pt of BlockProfile's predictor trainer.")],
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
            help="The greatest latency it was trained on, which its output is a share of.",
            show_default="that of BlockProfile's own predictors or the CSV's, whichever errs less on the CSV",
        ),
    ] = None,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> None:
    """Take over a predictor that BlockProfile trained, test it and register it as train-predictor does.

    The file is read without running any code in it. It predicts what it does in BlockProfile; its 90 % interval comes
    from networks of the CSV, and the test networks are others of them. It may have been trained on either. One that
    predicts them worse than their mean does is refused.

    Example: blockprof import-predictor npu_best.pt --space pn --metric npu
    """
    chosen_space = options.load_space(space)
    options.check_predictor_name(chosen_space, metric)
    from blockprof import predictors, tracking
    from blockprof.cli import render
    from blockprof.output.runs.trainings import record_training
    from blockprof.predictors.gru.importing import compare_maxima, released_maximum
    from blockprof.predictors.gru.importing import import_predictor as read

    if max_latency is None:
        released_maximum(chosen_space, metric)
    path, latencies = options.read_latencies(chosen_space, metric, data)
    with options.naming(path):
        predictors.split_by_network(latencies, seed)
    if max_latency is None:
        best, other = compare_maxima(file, latencies, metric, seed)
        max_latency = best.ms
        render.note(
            f"the greatest latency it was trained on is not in its file: {best.ms:.6g} ms is used, {best.whose}, with "
            f"which it predicts {path} to {best.mape_percent:.2f} % (MAPE); with {other.ms:.6g} ms, {other.whose}, to "
            f"{other.mape_percent:.2f} %; --max-latency sets another"
        )
    imported = read(file, latencies, metric, max_latency, seed)
    num_test = latencies.select(imported.split.test).num_networks
    if no_log:
        render.print_training(imported, latencies)
        render.note_few_tests(num_test)
        return
    tracking.check_store(experiment)
    with tracking.start_run("import-predictor", name=name, experiment=experiment, space=chosen_space.name) as run:
        render.print_training(imported, latencies)
        render.note_few_tests(num_test)
        registered = record_training(run, imported, latencies, path, seed)
    render.print_registered(registered)
    render.print_run(run.name, run.id)
