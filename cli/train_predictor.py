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
    from blockprof import predictors, tracking
    from blockprof.cli import render, render_compare
    from blockprof.foundation.paths import data_folder

    chosen_space = options.load_space(space)
    options.check_predictor_name(chosen_space, metric)
    path, latencies = options.read_latencies(chosen_space, metric, data)
    with options.naming(path):
        split = predictors.split_by_network(latencies, seed, train_size)
        if learning_curve:
            predictors.curve_sizes(latencies, split)
    how = options.training_options(model, fast, epochs, patience, device)
    if not no_log:
        tracking.check_store(experiment)
    checkpoint = predictors.checkpoint_path(data_folder(), latencies, metric, model, how, seed, train_size)
    if checkpoint and checkpoint.exists():
        render.note(f"{checkpoint}: resuming what was trained before; remove it to train again")

    def train() -> predictors.TrainedPredictor:
        if checkpoint is None:
            doing = f"training on {render.count_networks(latencies.select(split.train))}"
            with options.naming(path), render.working(doing):
                return predictors.train_predictor(latencies, metric, seed, train_size, model, how)
        with render.listening() as listener:
            return predictors.train_predictor(
                latencies, metric, seed, train_size, model, how, checkpoint, listener=listener
            )

    def draw_curve() -> predictors.LearningCurve | None:
        if not learning_curve:
            return None
        with options.naming(path), render.listening() as listener:
            return predictors.learning_curve(latencies, seed, train_size, listener=listener)

    num_test = latencies.select(split.test).num_networks

    def cross_validate() -> predictors.CrossValidation | None:
        if num_test >= predictors.FEW_TEST_NETWORKS or model != predictors.DEFAULT_KIND or train_size is not None:
            return None
        with options.naming(path), render.listening() as listener:
            # By the same folds whatever the seed: who tries many splits of the same networks finds no better champion.
            return predictors.cross_validate(latencies, listener=listener)

    if no_log:
        trained, folds = train(), cross_validate()
        render.print_training(trained, latencies, folds)
        render.note_few_tests(num_test, folds)
        render.note_outliers(trained, latencies, folds)
        render_compare.print_curve(draw_curve())
    else:
        from blockprof.output.runs import trainings

        with tracking.start_run("train-predictor", name=name, experiment=experiment, space=chosen_space.name) as run:
            trained, folds = train(), cross_validate()
            render.print_training(trained, latencies, folds)
            render.note_few_tests(num_test, folds)
            render.note_outliers(trained, latencies, folds)
            curve = draw_curve()
            render_compare.print_curve(curve)
            if curve:
                trainings.record_learning_curve(run, curve, trained)
            trainings.record_training_report(run, trained, latencies, path, curve, folds)
            registered = trainings.record_training(run, trained, latencies, path, seed, folds)
        render.print_registered(registered)
        render.print_run(run.name, run.id)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
