"""Latency predictors: trained on measured networks, tested on others, saved and loaded."""

from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.cross_validation import FEW_TEST_NETWORKS, CrossValidation, cross_validate
from blockprof.predictors.design import DESIGNS, Design, check_design, choose_networks, choose_rows
from blockprof.predictors.evaluation import Evaluation, IntervalScores, Scores, evaluate
from blockprof.predictors.fitting import fit_blockwise
from blockprof.predictors.gru import FAST, PAPER, GruModel, Recipe, load_gru
from blockprof.predictors.learning_curve import LearningCurve, curve_sizes, learning_curve
from blockprof.predictors.outlier_rows import Outliers
from blockprof.predictors.prediction import Prediction, Predictor
from blockprof.predictors.saved import load_predictor
from blockprof.predictors.splitting import Split, split_by_network
from blockprof.predictors.training import GruOptions, TrainedPredictor, checkpoint_path, train_predictor

__all__ = [
    "DESIGNS",
    "FAST",
    "FEW_TEST_NETWORKS",
    "PAPER",
    "BlockwiseModel",
    "CrossValidation",
    "Design",
    "Evaluation",
    "GruModel",
    "GruOptions",
    "IntervalScores",
    "LearningCurve",
    "Outliers",
    "Prediction",
    "Predictor",
    "Recipe",
    "Scores",
    "Split",
    "TrainedPredictor",
    "check_design",
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
    "split_by_network",
    "train_predictor",
]
