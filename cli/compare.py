"""``blockprof compare``."""

from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options


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
            help="Measured networks to compare predictors on; best such that none was trained on.",
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
) -> None:
    """Say which predictor is better, or where two profiles differ, and by how much beyond the noise.

    Predictors are compared on the same rows, with paired 95 % intervals of the differences of their scores. Profiles
    are of one space, of two devices, metrics or times: which blocks and placements change rank beyond their intervals,
    and how far a metric that both have is apart.

    Example: blockprof compare blockprof-pn-npu/1 blockprof-pn-npu@champion
    """
    from blockprof import comparing, tracking
    from blockprof.cli import render, render_compare
    from blockprof.foundation.errors import InputError
    from blockprof.latency_data import read_latency_csv
    from blockprof.output.runs import comparisons
    from blockprof.output.runs.sources import find_sources, load_predictions, load_profiles, unlike_settings

    sources = find_sources(things)
    space, is_profile = sources[0].space, sources[0].kind == "profile"
    if is_profile and data is not None:
        raise InputError("--data is for predictors: leave it out where profiles are compared")
    latencies = read_latency_csv(data, options.load_space(space)) if data else None
    if not no_log:
        tracking.check_store(experiment)
    if is_profile:
        for text in unlike_settings(sources):
            render.note(text)
        profiles = comparing.compare_profiles(load_profiles(sources))
        render_compare.print_profiles(profiles)
    else:
        with render.working("comparing"):
            loaded = load_predictions(sources, latencies, trust_code=trust_code)
            predictors = comparing.compare_predictors(loaded)
        render_compare.print_predictors(predictors)
    if no_log:
        return
    with tracking.start_run("compare", name=name, experiment=experiment, space=space) as run:
        if is_profile:
            comparisons.record_profiles(run, profiles, sources)
        else:
            comparisons.record_predictors(run, predictors, sources, latencies, data)
    render.print_run(run.name, run.id)
