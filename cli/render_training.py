"""What ``train-predictor`` and ``import-predictor`` print."""

from typing import TYPE_CHECKING

import pandas as pd
from rich.table import Table
from rich.text import Text

from blockprof.api.training import Training
from blockprof.cli import render, render_compare
from blockprof.predictors import FEW_TEST_NETWORKS, LearningCurve

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.predictors import CrossValidation, TrainedPredictor
    from blockprof.tracking import RegisteredPredictor

OUTLIERS_SHOWN = 5


def show(result: "Training | LearningCurve | RegisteredPredictor") -> None:
    """Print how good a predictor is, its learning curve, or as what it is registered."""
    if isinstance(result, Training):
        trained, data, folds = result.trained, result.data, result.folds
        print_training(trained, data, folds)
        note_few_tests(result.num_test, folds)
        if not trained.source:
            note_outliers(trained, data, folds)
    elif isinstance(result, LearningCurve):
        render_compare.print_curve(result)
    else:
        print_registered(result)


def print_training(trained: "TrainedPredictor", data: "LatencyData", folds: "CrossValidation | None" = None) -> None:
    """Print how well a predictor does on its test networks, of ``data``, beside its cross-validation and baselines."""
    split, test = trained.split, trained.test
    train, held_back, tested = (data.select(rows) for rows in (split.train, split.dev, split.test))
    origin = (
        f"imported from {trained.source}"
        if trained.source
        else f"trained on {render.count_networks(train)} in {trained.seconds:.2f} s"
    )
    to_test = render.count_networks(tested, " other networks")
    render.print_line(f"{origin}; {to_test} to test, {render.count_networks(held_back, '')} held back")
    table = Table(show_edge=False, pad_edge=False)
    columns = ("", "MAPE %", "RMSE ms", "in 5 %", "in 10 %", "Spearman", "Kendall", "top-10 %")
    for column in columns:
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    crossed = {"10 folds": folds.scores} if folds else {}
    for label, scores in {trained.model.kind: test.scores, **crossed, **test.baselines}.items():
        table.add_row(
            label.replace("flops", "FLOPs").replace("_", " "),
            f"{scores.mape_percent:.2f}",
            f"{scores.rmse_ms:.3g}",
            f"{scores.within_5_percent:.1f}",
            f"{scores.within_10_percent:.1f}",
            f"{scores.spearman:.4f}",
            f"{scores.kendall:.4f}",
            f"{scores.top10_overlap_percent:.0f}",
        )
    render.out.print_table(table)
    render.print_line(
        f"90 % intervals: {test.interval.coverage_percent:.1f} % of the test rows lie inside, "
        f"width {test.interval.width_percent:.1f} % of the latency"
    )
    if folds:
        render.print_line(
            f"10 folds: {folds.data.num_networks:,} networks, each predicted by a predictor of the others; "
            f"{folds.interval.coverage_percent:.1f} % lie inside, width {folds.interval.width_percent:.1f} %"
        )


def note_few_tests(num_networks: int, folds: "CrossValidation | None" = None) -> None:
    """Print on stderr, where the test networks are few, that they tell little, and what tells more."""
    if num_networks < FEW_TEST_NETWORKS:
        more = (
            f"the 10 folds, of all {folds.data.num_networks:,}, tell more" if folds else "measure more to know better"
        )
        render.note(f"scores and coverage of only {num_networks} test networks are rough: {more}")


def note_outliers(trained: "TrainedPredictor", data: "LatencyData", folds: "CrossValidation | None" = None) -> None:
    """Print on stderr which rows of ``data`` are outliers: left out of the fit, or in the scores."""
    rows = trained.outliers.to_frame(trained.model, data)
    split = trained.split
    sizes = {"training": len(split.train), "dev": len(split.dev), "test": len(split.test)}
    for name, size in sizes.items():
        if (found := rows[rows["part"] == name.removesuffix("ing")]).empty:
            continue
        one = len(found) == 1
        count = f"{len(found):,} of {size:,} {name} rows {'is' if one else 'are'}"
        if name == "training":
            render.note(f"{count} left out of the fit, far from what the other rows predict")
        else:
            without = (trained.dev if name == "dev" else trained.test).sound_mape_percent
            them = "it" if one else "them"
            scores = f"the {name} scores include {them}, MAPE without {them}: {without:.2f} %"
            render.note(f"{count} far from the prediction; {scores}")
        _note_rows(found)
    if folds and (number := int(folds.is_outlier.sum())):
        them = "it" if number == 1 else "them"
        rows_are = "row is" if number == 1 else "rows are"
        render.note(
            f"{number:,} {rows_are} far from the prediction of the 10 folds; their scores include {them}, MAPE without "
            f"{them}: {folds.sound_mape_percent:.2f} %"
        )


def _note_rows(rows: pd.DataFrame) -> None:
    for row in rows.head(OUTLIERS_SHOWN).itertuples():
        render.print_aside(f"  row {row.row}: {row.latency_ms:.4g} ms, expected {row.predicted_ms:.4g} ms")
    if len(rows) > OUTLIERS_SHOWN:
        render.print_aside(f"  and {len(rows) - OUTLIERS_SHOWN:,} more (outliers.csv of a logged run has all)")


def print_registered(registered: "RegisteredPredictor") -> None:
    """Print the predictor's name and version, whether it is the champion and why; else how to make it the champion."""
    what = "it is the champion now" if registered.is_champion else "the champion stays"
    named = Text.assemble("registered ", (registered.name, "bold"), f" version {registered.version}, {what}: ")
    render.print_line(named + registered.reason)
    if not registered.is_champion:
        render.print_line("to make it the champion all the same:")
        render.out.print(registered.champion_command, soft_wrap=True)
