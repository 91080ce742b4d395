"""The paper's predictor as an ONNX graph, with ONNX's own GRU."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.predictors.gru.features import operator_table, shape_table
from blockprof.predictors.gru.model import GruModel
from blockprof.predictors.onnx_parts import Constants, OnnxGraph, find_instances, make_model
from blockprof.predictors.runtime import Singles, embed

if TYPE_CHECKING:
    import onnx
else:
    onnx = lazy_import("onnx")


TOLERANCE = 1e-5


def build_gru(model: GruModel) -> OnnxGraph:
    """The graph: embedded blocks are looked up by instance and resolution, absent layers moved behind the others."""
    space, weights = model.space, model.weights
    num_ids = len(space.instances) + 2  # the last one is that of an absent layer
    hidden = weights["gru.weight_hh_l0"].shape[1]
    inputs, finding, constants = find_instances(space)
    node = onnx.helper.make_node
    head_varies = "head" not in space.fixed_parts
    if head_varies:  # the head is no part of the chain
        constants |= {"zero": np.array([0]), "minus_one": np.array([-1])}
        finding.append(node("Slice", ["ids", "zero", "minus_one", "one"], ["chain_ids"]))
    chain_ids = "chain_ids" if head_varies else "ids"
    num_steps = space.num_slots + int("stem" not in space.fixed_parts)
    constants |= {
        "known_resolutions": model.resolutions.astype(np.int64),
        "absent": np.array(num_ids - 1),
        "steps": np.arange(num_steps),
        "num_steps": np.array([num_steps]),
        "num_ids": np.array(num_ids),
        "embedded": _embedded(model, num_ids),
        "output_weight": weights["output.weight"].T,
        "output_bias": weights["output.bias"],
        "outer_axes": np.array([0, 2]),
        "max_ms": np.array(model.max_ms),
        "lower_factor": np.array(model.lower_factor),
        "upper_factor": np.array(model.upper_factor),
        "not_a_number": np.array(np.nan),
        "no_latency": np.array(0.0),
        **_direction(model, "", "ahead"),
        **_direction(model, "_reverse", "behind"),
    }
    gru = {"hidden_size": hidden, "linear_before_reset": 1}
    nodes = [
        *finding,
        node("Equal", [chain_ids, "absent"], ["is_absent"]),
        node("Cast", ["is_absent"], ["absence"], to=onnx.TensorProto.INT64),
        node("Mul", ["absence", "num_steps"], ["later"]),
        node("Add", ["later", "steps"], ["ranks"]),
        node("TopK", ["ranks", "num_steps"], ["sorted_ranks", "order"], axis=1, largest=0, sorted=1),
        node("GatherElements", [chain_ids, "order"], ["packed"], axis=1),
        node("ReduceSum", ["absence", "one"], ["num_absent"], keepdims=1),
        node("Sub", ["num_steps", "num_absent"], ["length_column"]),
        node("Unsqueeze", ["resolution", "one"], ["resolution_column"]),
        node("Equal", ["resolution_column", "known_resolutions"], ["same"]),
        node("Cast", ["same"], ["same_float"], to=onnx.TensorProto.FLOAT),
        node("ArgMax", ["same_float"], ["index"], axis=1, keepdims=1),
        node("ReduceMax", ["same_float"], ["any_same"], axes=[1], keepdims=0),
        node("Cast", ["any_same"], ["known"], to=onnx.TensorProto.BOOL),
        node("Mul", ["index", "num_ids"], ["resolution_offset"]),
        node("Add", ["packed", "resolution_offset"], ["table_rows"]),
        node("Gather", ["embedded", "table_rows"], ["by_network"]),
        node("Transpose", ["by_network"], ["by_step"], perm=[1, 0, 2]),
        node("Squeeze", ["length_column", "one"], ["lengths"]),
        node("Cast", ["lengths"], ["lengths_int32"], to=onnx.TensorProto.INT32),
        node("GRU", ["by_step", "ahead_w", "ahead_r", "ahead_b", "lengths_int32"], ["", "ahead_h"], **gru),
        node("Sub", ["length_column", "one"], ["last_step"]),
        node("GatherElements", ["table_rows", "last_step"], ["last_row"], axis=1),
        node("Gather", ["embedded", "last_row"], ["last_by_network"]),
        node("Transpose", ["last_by_network"], ["last_by_step"], perm=[1, 0, 2]),
        node("GRU", ["last_by_step", "behind_w", "behind_r", "behind_b"], ["", "behind_h"], **gru),
        node("Concat", ["ahead_h", "behind_h"], ["both"], axis=2),
        node("MatMul", ["both", "output_weight"], ["weighted"]),
        node("Add", ["weighted", "output_bias"], ["linear"]),
        node("Sigmoid" if model.sigmoid else "Identity", ["linear"], ["share"]),
        node("Cast", ["share"], ["share_double"], to=onnx.TensorProto.DOUBLE),
        node("Mul", ["share_double", "max_ms"], ["latency_column"]),
        node("ReduceSum", ["latency_column", "outer_axes"], ["unbounded"], keepdims=0),
        node("Max", ["unbounded", "no_latency"], ["latency"]),
        node("Where", ["known", "latency", "not_a_number"], ["latency_ms"]),
        node("Mul", ["latency_ms", "lower_factor"], ["lower_ms"]),
        node("Mul", ["latency_ms", "upper_factor"], ["upper_ms"]),
    ]
    graph = make_model(f"blockprof-{space.name}-{model.metric}", inputs, nodes, constants)
    # Its own output, in float32, is a share of its greatest latency.
    return OnnxGraph(graph, TOLERANCE, model.max_ms)


def _embedded(model: GruModel, num_ids: int) -> Singles:
    """(R * num_ids, E): the embedded instances at each known resolution; 0 for the two ids that are none."""
    rows = []
    for resolution in model.resolutions.tolist():
        shapes = shape_table(model.space, resolution) / model.shape_scales
        inputs = embed(model.weights, operator_table(model.space), shapes)
        rows.append(np.pad(inputs, ((0, num_ids - len(inputs)), (0, 0))))
    return np.concatenate(rows)


def _direction(model: GruModel, suffix: str, name: str) -> Constants:
    """A direction's weights with the gates in ONNX's order, update, reset, new; PyTorch begins with reset."""

    def ordered(part: str) -> Singles:
        reset, update, new = np.split(model.weights[f"gru.{part}_l0{suffix}"], 3)
        return np.concatenate([update, reset, new])

    return {
        f"{name}_w": ordered("weight_ih")[None],
        f"{name}_r": ordered("weight_hh")[None],
        f"{name}_b": np.concatenate([ordered("bias_ih"), ordered("bias_hh")])[None],
    }
