"""The paper's latency predictor: a recurrent network over a network's blocks.

``training`` and ``network`` import torch, the others do not.
"""

from blockprof.predictors.gru.model import GruModel, load_gru
from blockprof.predictors.gru.recipe import FAST, PAPER, Recipe

__all__ = ["FAST", "PAPER", "GruModel", "Recipe", "load_gru"]
