"""Latency predictors: trained on measured networks, tested on others, saved and loaded."""

from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.cross_validation import FEW_TEST_NETWORKS, CrossValidation, cross_validate
from blockprof.predictors.design import DESIGNS, Design, check_design, choose_networks, choose_rows
from blockprof.predictors.evaluation import Evaluation, IntervalScores, Scores, evaluate
from blockprof.predictors.fitting import fit_blockwise
from blockprof.predictors.gru import FAST, PAPER, GruModel, Recipe, load_gru
from blockprof.predictors.kinds import (
    DEFAULT_KIND,
    PREDICTORS,
    Epoch,
    Fitted,
    PredictorKind,
    TrainingOptions,
    TrainingTask,
    check_options,
    register_predictor,
)
from blockprof.predictors.learning_curve import LearningCurve, curve_sizes, learning_curve
from blockprof.predictors.outlier_rows import Outliers
from blockprof.predictors.prediction import AdditiveCosts, Prediction, Predictor
from blockprof.predictors.saved import load_predictor
from blockprof.predictors.splitting import Split, split_by_network
from blockprof.predictors.training import TrainedPredictor, checkpoint_path, train_predictor

__all__ = [
    "DEFAULT_KIND",
    "DESIGNS",
    "FAST",
    "FEW_TEST_NETWORKS",
    "PAPER",
    "PREDICTORS",
    "AdditiveCosts",
    "BlockwiseModel",
    "CrossValidation",
    "Design",
    "Epoch",
    "Evaluation",
    "Fitted",
    "GruModel",
    "IntervalScores",
    "LearningCurve",
    "Outliers",
    "Prediction",
    "Predictor",
    "PredictorKind",
    "Recipe",
    "Scores",
    "Split",
    "TrainedPredictor",
    "TrainingOptions",
    "TrainingTask",
    "check_design",
    "check_options",
    "checkpoint_path",
    "choose_networks",
    "choose_rows",
    "cross_validate",
    "curve_sizes",
    "evaluate",
    "fit_blockwise",
    "learning_curve",
    "load_blockwise",
    "load_gru",
    "load_predictor",
    "register_predictor",
    "split_by_network",
    "train_predictor",
]
