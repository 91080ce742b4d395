"""``blockprof train-predictor``."""

from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options


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
        typer.Option("--train-size", metavar="N", help="Train on so many networks only, the test rows unchanged."),
    ] = None,
    learning_curve: Annotated[
        bool,
        typer.Option(
            "--learning-curve",
            help="Also train blockwise on 10, 30, 100, ... networks, five draws each: how many to measure.",
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
            help="gru: times to go through the data.",
            show_default="200, or 20 with --fast",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option("--patience", metavar="N", min=1, help="gru: stop after N epochs without a better one."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", "-d", metavar="NAME", help="gru: torch device, such as cuda:0.", show_default="cpu"),
    ] = None,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> None:
    """Train a latency predictor, test it on held-out networks and register it.

    It is registered as blockprof-<space>-<metric>; the alias champion moves to it where its error is lower on networks
    that neither was trained on, either beyond the noise or with more training networks, the champion's among its data.
    `blockprof profile --metrics <metric>` uses the champion.

    Where fewer than 30 test networks are left, a blockwise one is also cross-validated on all networks, unless only
    some are to train on.

    A gru keeps its state in ./blockprof-data after each epoch: after a kill the same command goes on where it was.

    Example: blockprof train-predictor --space pn --metric pixel9 measured.csv
    """
    import blockprof
    from blockprof.cli import render, render_training

    chosen_space = options.load_space(space)
    with render.listening(render_training.show) as listener:
        blockprof.train(
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
