"""Latency predictors: trained on measured networks, tested on others, saved and loaded."""

from blockprof.predictors.blockwise import BlockwiseModel, Prediction, load_blockwise
from blockprof.predictors.design import DESIGNS, Design, check_design, choose_networks, choose_rows
from blockprof.predictors.evaluation import Evaluation, IntervalScores, Scores, evaluate
from blockprof.predictors.fitting import fit_blockwise
from blockprof.predictors.learning_curve import LearningCurve, curve_sizes, learning_curve
from blockprof.predictors.splitting import Split, split_by_network
from blockprof.predictors.training import TrainedPredictor, train_predictor

__all__ = [
    "DESIGNS",
    "BlockwiseModel",
    "Design",
    "Evaluation",
    "IntervalScores",
    "LearningCurve",
    "Prediction",
    "Scores",
    "Split",
    "TrainedPredictor",
    "check_design",
    "choose_networks",
    "choose_rows",
    "curve_sizes",
    "evaluate",
    "fit_blockwise",
    "learning_curve",
    "load_blockwise",
    "split_by_network",
    "train_predictor",
]
