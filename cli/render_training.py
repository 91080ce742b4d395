"""What ``train-predictor`` and ``import-predictor`` print."""

from typing import TYPE_CHECKING

from blockprof.api.training import Training
from blockprof.cli import render, render_compare
from blockprof.predictors import LearningCurve

if TYPE_CHECKING:
    from blockprof.tracking import RegisteredPredictor


def show(result: "Training | LearningCurve | RegisteredPredictor") -> None:
    """Print how good a predictor is, its learning curve, or as what it is registered."""
    if isinstance(result, Training):
        trained, data, folds = result.trained, result.data, result.folds
        render.print_training(trained, data, folds)
        render.note_few_tests(result.num_test, folds)
        if not trained.source:
            render.note_outliers(trained, data, folds)
    elif isinstance(result, LearningCurve):
        render_compare.print_curve(result)
    else:
        render.print_registered(result)
