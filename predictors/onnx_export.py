"""A predictor as an ONNX graph, for programs without Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.files import staged
from blockprof.predictors.blockwise import BlockwiseModel, unpack_symmetric
from blockprof.predictors.gru import GruModel
from blockprof.spaces import Space
from blockprof.spaces.sampling import sample_architectures

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

Constants = dict[str, NDArray[np.generic]]

OPSET = 17
IR_VERSION = 9
NUM_CHECKED = 1000
TOLERANCES = {BlockwiseModel.kind: 1e-9, GruModel.kind: 1e-5}


@dataclass(frozen=True, slots=True)
class OnnxCheck:
    """The greatest difference between ONNX Runtime's and the model's predictions of ``num_nets`` random networks.

    It is over the latency, or a gru's over the greatest latency.
    """

    num_nets: int
    error: float


def write_onnx(model: BlockwiseModel | GruModel, path: Path, seed: int = 0) -> OnnxCheck:
    """Write ``model`` as ONNX and check it: random networks at every resolution, run with ONNX Runtime.

    Inputs: ``blocks`` (N, L), int64, the index of each slot's block in the space's blocks (by expansion ratio, then
    kernel size; in ``resnet50`` by width, then expansion ratio) or -1 where the layer is absent; ``resolution`` (N,),
    int64; in ``resnet50`` also ``stem`` (N,), int64, the index in the space's stems. Outputs: ``latency_ms``,
    ``lower_ms``, ``upper_ms``, each (N,), float64; NaN at a resolution that the model does not know.

    Raises:
        BlockprofError: ONNX Runtime predicts something else.
        InputError: the file cannot be written.
    """
    import onnx

    from blockprof.predictors.gru.onnx_graph import build_gru

    graph = build_gru(model) if isinstance(model, GruModel) else _build(model)
    onnx.checker.check_model(graph, full_check=True)
    check = _compare(model, graph.SerializeToString(), np.random.default_rng(seed))
    if not check.error <= TOLERANCES[model.kind]:
        raise BlockprofError(f"the ONNX graph differs from the model by {check.error:.1e}: not written")
    with staged(path.absolute().parent) as folder:
        onnx.save(graph, str(folder / path.name))
    return check


def _compare(model: BlockwiseModel | GruModel, serialized: bytes, rng: np.random.Generator) -> OnnxCheck:
    from blockprof.foundation.onnx_runtime import onnxruntime

    session = onnxruntime.InferenceSession(serialized, providers=["CPUExecutionProvider"])
    space = model.space
    archs = sample_architectures(space, NUM_CHECKED, rng)
    resolutions = rng.choice(model.resolutions, NUM_CHECKED)
    feed = {"blocks": archs.blocks.astype(np.int64), "resolution": resolutions.astype(np.int64)}
    if len(space.stems) > 1:
        feed["stem"] = archs.stems.astype(np.int64)
    found = session.run(None, feed)
    expected = model.predict(archs, resolutions)
    pairs = zip(found, (expected.latency_ms, expected.lower_ms, expected.upper_ms), strict=True)
    # A gru's own output, in float32, is a share of its greatest latency.
    scale = model.max_ms if isinstance(model, GruModel) else expected.latency_ms
    return OnnxCheck(NUM_CHECKED, max(float(np.abs((got - want) / scale).max()) for got, want in pairs))


def find_instances(space: Space) -> "tuple[list[ValueInfoProto], list[NodeProto], Constants]":
    """Inputs, nodes and constants that find (N, L) ``ids`` of block instances, ``space.encode``, of ``blocks``.

    An absent layer has the index behind the last instance and the base's.
    """
    from onnx import TensorProto, helper

    absent = len(space.instances) + 1
    catalogue = space.catalogue()
    num_states = catalogue.layers.shape[1]
    slot_ids = np.concatenate([np.full((space.num_slots, num_states, 1), absent), catalogue.layers], axis=2)
    constants: Constants = {
        "slot_offsets": np.arange(space.num_slots) * num_states * slot_ids.shape[2] + 1,
        "slot_ids": slot_ids.ravel(),
        "one": np.array([1]),
    }
    node = helper.make_node
    inputs = [helper.make_tensor_value_info("blocks", TensorProto.INT64, ["N", space.num_slots])]
    finding = [node("Add", ["blocks", "slot_offsets"], ["places"]), node("Gather", ["slot_ids", "places"], ["ids"])]
    if len(space.stems) > 1:
        inputs.append(helper.make_tensor_value_info("stem", TensorProto.INT64, ["N"]))
        constants |= {
            "first_slots": np.array([slots.start for slots in space.unit_slots]),
            "units_but_last": np.arange(len(space.units) - 1),
            "last_unit": np.array([len(space.units) - 1]),
            "slot_units": space.slot_unit,
            "blocks_per_width": np.array(space.blocks_per_width),
            "blocks_per_state": np.array(slot_ids.shape[2]),
            "stem_states": space.stem_states,
            "stem_ids": catalogue.stems,
            "head_ids": catalogue.heads,
        }
        finding = [
            node("Gather", ["blocks", "first_slots"], ["first_blocks"], axis=1),
            node("Div", ["first_blocks", "blocks_per_width"], ["widths"]),
            node("Gather", ["widths", "units_but_last"], ["widths_before"], axis=1),
            node("Gather", ["widths", "last_unit"], ["last_width"], axis=1),
            node("Unsqueeze", ["stem", "one"], ["stem_column"]),
            node("Gather", ["stem_states", "stem_column"], ["stem_state"]),
            node("Concat", ["stem_state", "widths_before"], ["unit_states"], axis=1),
            node("Gather", ["unit_states", "slot_units"], ["states"], axis=1),
            node("Mul", ["states", "blocks_per_state"], ["state_offsets"]),
            node("Add", ["blocks", "slot_offsets"], ["slot_places"]),
            node("Add", ["slot_places", "state_offsets"], ["places"]),
            node("Gather", ["slot_ids", "places"], ["layer_ids"]),
            node("Gather", ["stem_ids", "stem_column"], ["stem_id"]),
            node("Gather", ["head_ids", "last_width"], ["head_id"]),
            node("Concat", ["stem_id", "layer_ids", "head_id"], ["ids"], axis=1),
        ]
    return inputs, finding, constants


def _build(model: BlockwiseModel) -> "ModelProto":
    from onnx import TensorProto, helper

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
    node = helper.make_node
    nodes = [
        *finding,
        node("OneHot", ["ids", "one_hot_depth", "one_hot_values"], ["hot"]),
        node("ReduceSum", ["hot", "one"], ["hot_counts"], keepdims=0),
        node("Slice", ["hot_counts", "zero", "num_columns", "one"], ["float_counts"]),
        node("Cast", ["float_counts"], ["block_counts"], to=TensorProto.DOUBLE),
        node("Add", ["block_counts", "base_only"], ["counts"]),
        node("Unsqueeze", ["resolution", "one"], ["resolution_column"]),
        node("Equal", ["resolution_column", "known_resolutions"], ["same"]),
        node("Cast", ["same"], ["same_float"], to=TensorProto.FLOAT),
        node("ArgMax", ["same_float"], ["index"], axis=1, keepdims=0),
        node("ReduceMax", ["same_float"], ["any_same"], axes=[1], keepdims=0),
        node("Cast", ["any_same"], ["known"], to=TensorProto.BOOL),
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
    return make_model(f"blockprof-{space.name}-{model.metric}", inputs, nodes, constants)


def make_model(
    name: str, inputs: "list[ValueInfoProto]", nodes: "list[NodeProto]", constants: Constants
) -> "ModelProto":
    """A model of ``inputs`` and ``resolution`` that gives ``latency_ms``, ``lower_ms`` and ``upper_ms``."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        name,
        inputs=[*inputs, helper.make_tensor_value_info("resolution", TensorProto.INT64, ["N"])],
        outputs=[
            helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N"])
            for name in ("latency_ms", "lower_ms", "upper_ms")
        ],
        initializer=[numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
