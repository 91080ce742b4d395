"""``blockprof train-predictor``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.cli import options
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api.training import Training
    from blockprof.cli import render, render_training
else:
    render = lazy_import("blockprof.cli.render")
    render_training = lazy_import("blockprof.cli.render_training")


def train_predictor(
    space: options.SpaceOption,
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="CSV",
            help="CSV of measured networks.",
            show_default=options.LATENCY_FILES,
        ),
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            "--metric", "-m", metavar="NAME", help="The name the predictor will have in profile: npu, or any new one."
        ),
    ] = "npu",
    train_size: Annotated[
        int | None,
        typer.Option(
            "--train-size", metavar="N", help="Train on this many networks only; the test rows stay the same."
        ),
    ] = None,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve",
            help="Also train on 10, 30, 100, ... networks, five draws each: how many to measure.",
        ),
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="KIND",
            help="blockwise; gru: the paper's, in half an hour or more; or a registered kind.",
        ),
    ] = "blockwise",
    fast: Annotated[
        bool, typer.Option("--fast", help="gru: larger batches, one cycle of the learning rate, 20 epochs: minutes.")
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            metavar="N",
            min=1,
            help="gru: passes through the data.",
            show_default="200, or 20 with --fast",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option("--patience", metavar="N", min=1, help="gru: stop after N epochs without improvement."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", "-d", metavar="NAME", help="gru: torch device, such as cuda:0.", show_default="cpu"),
    ] = None,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "Training":
    """Train a latency predictor, test it on held-out networks and register it.

    It is registered as blockprof-<space>-<metric>, and `blockprof profile --metrics <metric>` uses the version with the
    alias champion. The alias moves if the new version has a significantly lower error on networks unseen by both;
    within noise, only if its training data is a strict superset of the champion's.

    With fewer than 30 test networks, it is also cross-validated on all networks, which trains ten more, unless
    --train-size is given. A gru saves its state in ./blockprof-data after each epoch: to resume, run the same command
    again.

    Example: blockprof train-predictor --space pn --metric pixel9 measured.csv
    """
    chosen_space = options.load_space(space)
    with render.listening(render_training.show) as listener:
        return blockprof.train(
            chosen_space,
            data,
            metric,
            kind=model,
            options=options.training_options(model, fast, epochs, patience, device),
            train_size=train_size,
            learning_curve=learning_curve,
            seed=seed,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
