"""The kinds of predictors that come with blockprof. What takes time to import is imported when it is needed."""

from typing import TYPE_CHECKING

from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.gru.kind import fingerprint_gru, train_gru
from blockprof.predictors.gru.model import GruModel, load_gru
from blockprof.predictors.kinds import Fitted, PredictorKind, TrainingTask, register_predictor

if TYPE_CHECKING:
    from blockprof.predictors.onnx_parts import OnnxGraph


def _train_blockwise(task: TrainingTask) -> Fitted:
    return Fitted(task.screened.model)


def _blockwise_to_onnx(model: BlockwiseModel) -> "OnnxGraph":
    from blockprof.predictors.onnx_blockwise import build_blockwise

    return build_blockwise(model)


def _gru_to_onnx(model: GruModel) -> "OnnxGraph":
    from blockprof.predictors.gru.onnx_graph import build_gru

    return build_gru(model)


register_predictor("blockwise", PredictorKind(_train_blockwise, load_blockwise, to_onnx=_blockwise_to_onnx))
register_predictor(
    "gru",
    PredictorKind(
        train_gru,
        load_gru,
        options=frozenset({"fast", "epochs", "patience", "device"}),
        fingerprint=fingerprint_gru,
        to_onnx=_gru_to_onnx,
    ),
)
