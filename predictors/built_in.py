"""The kinds of predictors that come with blockprof. What takes time to import is imported when it is needed."""

from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import
from blockprof.predictors.blockwise import BlockwiseModel, load_blockwise
from blockprof.predictors.gru.kind import fingerprint_gru, train_gru
from blockprof.predictors.gru.model import GruModel, load_gru
from blockprof.predictors.kinds import Fitted, PredictorKind, TrainingTask, register_predictor

if TYPE_CHECKING:
    from blockprof.predictors import onnx_blockwise
    from blockprof.predictors.gru import onnx_graph
    from blockprof.predictors.onnx_parts import OnnxGraph
else:
    onnx_blockwise = lazy_import("blockprof.predictors.onnx_blockwise")
    onnx_graph = lazy_import("blockprof.predictors.gru.onnx_graph")


def _train_blockwise(task: TrainingTask) -> Fitted:
    return Fitted(task.screened.model)


def _blockwise_to_onnx(model: BlockwiseModel) -> "OnnxGraph":
    return onnx_blockwise.build_blockwise(model)


def _gru_to_onnx(model: GruModel) -> "OnnxGraph":
    return onnx_graph.build_gru(model)


register_predictor(
    "blockwise", PredictorKind(_train_blockwise, load_blockwise, uses_dev=False, to_onnx=_blockwise_to_onnx)
)
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
