"""The blockwise predictor as an ONNX graph."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.lazy import lazy_import
from blockprof.predictors.blockwise import BlockwiseModel
from blockprof.predictors.onnx_parts import OnnxGraph, find_instances, make_model
from blockprof.predictors.runtime import unpack_symmetric

if TYPE_CHECKING:
    import onnx
else:
    onnx = lazy_import("onnx")


TOLERANCE = 1e-9


def build_blockwise(model: BlockwiseModel) -> OnnxGraph:
    """The graph: costs by instance and resolution, summed up, and the interval from their covariance."""
    space = model.space
    size = len(space.instances) + 1
    base, absent = size - 1, size
    base_only: FloatArray = np.eye(size)[base]
    inputs, finding, constants = find_instances(space)
    constants |= {
        "known_resolutions": model.resolutions.astype(np.int64),
        "costs": model.costs.astype(np.float64),
        "covariances": unpack_symmetric(model.covariances.astype(np.float64), size),
        "one_hot_depth": np.array(absent + 1),
        "one_hot_values": np.array([0, 1], dtype=np.float32),
        "base_only": base_only,
        "num_columns": np.array([size]),
        "zero": np.array([0]),
        "one_two": np.array([1, 2]),
        "noise_variance": np.array(model.noise_sd**2),
        "lower_quantile": np.array(model.lower_quantile),
        "upper_quantile": np.array(model.upper_quantile),
        "not_a_number": np.array(np.nan),
        "no_latency": np.array(0.0),
    }
    node = onnx.helper.make_node
    nodes = [
        *finding,
        node("OneHot", ["ids", "one_hot_depth", "one_hot_values"], ["hot"]),
        node("ReduceSum", ["hot", "one"], ["hot_counts"], keepdims=0),
        node("Slice", ["hot_counts", "zero", "num_columns", "one"], ["float_counts"]),
        node("Cast", ["float_counts"], ["block_counts"], to=onnx.TensorProto.DOUBLE),
        node("Add", ["block_counts", "base_only"], ["counts"]),
        node("Unsqueeze", ["resolution", "one"], ["resolution_column"]),
        node("Equal", ["resolution_column", "known_resolutions"], ["same"]),
        node("Cast", ["same"], ["same_float"], to=onnx.TensorProto.FLOAT),
        node("ArgMax", ["same_float"], ["index"], axis=1, keepdims=0),
        node("ReduceMax", ["same_float"], ["any_same"], axes=[1], keepdims=0),
        node("Cast", ["any_same"], ["known"], to=onnx.TensorProto.BOOL),
        node("Gather", ["costs", "index"], ["row_costs"]),
        node("Mul", ["row_costs", "counts"], ["terms"]),
        node("ReduceSum", ["terms", "one"], ["latency"], keepdims=0),
        node("Gather", ["covariances", "index"], ["row_covariances"]),
        node("Unsqueeze", ["counts", "one"], ["row_counts"]),
        node("MatMul", ["row_counts", "row_covariances"], ["projected"]),
        node("Mul", ["projected", "row_counts"], ["variance_terms"]),
        node("ReduceSum", ["variance_terms", "one_two"], ["variance"], keepdims=0),
        node("Where", ["known", "latency", "not_a_number"], ["latency_ms"]),
        node("Mul", ["latency_ms", "latency_ms"], ["latency_squared"]),
        node("Mul", ["latency_squared", "noise_variance"], ["noise"]),
        node("Add", ["noise", "variance"], ["total_variance"]),
        node("Sqrt", ["total_variance"], ["deviation"]),
        node("Mul", ["deviation", "lower_quantile"], ["lower_offset"]),
        node("Add", ["latency_ms", "lower_offset"], ["lower_unbounded"]),
        node("Max", ["lower_unbounded", "no_latency"], ["lower_ms"]),
        node("Mul", ["deviation", "upper_quantile"], ["upper_offset"]),
        node("Add", ["latency_ms", "upper_offset"], ["upper_ms"]),
    ]
    return OnnxGraph(make_model(f"blockprof-{space.name}-{model.metric}", inputs, nodes, constants), TOLERANCE)
