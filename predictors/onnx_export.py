"""A predictor as an ONNX graph, for programs without Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.files import staged
from blockprof.predictors.kinds import PREDICTORS
from blockprof.predictors.prediction import Predictor
from blockprof.spaces import Space
from blockprof.spaces.sampling import sample_architectures

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, ValueInfoProto

Constants = dict[str, NDArray[np.generic]]

OPSET = 17
IR_VERSION = 9
NUM_CHECKED = 1000


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """A predictor's graph, and how far it may be from the predictor: ``tolerance`` is a share of ``scale_ms``, or of
    each latency where that is None.
    """

    model: "ModelProto"
    tolerance: float
    scale_ms: float | None = None


@dataclass(frozen=True, slots=True)
class OnnxCheck:
    """The greatest difference between ONNX Runtime's and the model's predictions of ``num_nets`` random networks, as a
    share of what its graph's tolerance is a share of.
    """

    num_nets: int
    error: float


def write_onnx(model: Predictor, path: Path, seed: int = 0) -> OnnxCheck:
    """Write ``model`` as ONNX and check it: random networks at every resolution, run with ONNX Runtime.

    Inputs: ``blocks`` (N, L), int64, the index of each slot's block in the space's blocks (by expansion ratio, then
    kernel size; in ``resnet50`` by width, then expansion ratio) or -1 where the layer is absent; ``resolution`` (N,),
    int64; in ``resnet50`` also ``stem`` (N,), int64, the index in the space's stems. Outputs: ``latency_ms``,
    ``lower_ms``, ``upper_ms``, each (N,), float64; NaN at a resolution that the model does not know.

    Raises:
        BlockprofError: ONNX Runtime predicts something else.
        InputError: the model's kind has no graph, or the file cannot be written.
    """
    import onnx

    build = PREDICTORS.get(model.kind).to_onnx
    if build is None:
        raise InputError(f"a {model.kind} predictor cannot be exported: its kind has no ONNX graph", code="no-onnx")
    graph = build(model)
    onnx.checker.check_model(graph.model, full_check=True)
    check = _compare(model, graph, np.random.default_rng(seed))
    if not check.error <= graph.tolerance:
        raise BlockprofError(f"the ONNX graph differs from the model by {check.error:.1e}: not written")
    with staged(path.absolute().parent) as folder:
        onnx.save(graph.model, str(folder / path.name))
    return check


def _compare(model: Predictor, graph: OnnxGraph, rng: np.random.Generator) -> OnnxCheck:
    from blockprof.foundation.onnx_runtime import onnxruntime

    session = onnxruntime.InferenceSession(graph.model.SerializeToString(), providers=["CPUExecutionProvider"])
    space = model.space
    archs = sample_architectures(space, NUM_CHECKED, rng)
    resolutions = rng.choice(model.resolutions, NUM_CHECKED)
    feed = {"blocks": archs.blocks.astype(np.int64), "resolution": resolutions.astype(np.int64)}
    if len(space.stems) > 1:
        feed["stem"] = archs.stems.astype(np.int64)
    found = session.run(None, feed)
    expected = model.predict(archs, resolutions)
    pairs = zip(found, (expected.latency_ms, expected.lower_ms, expected.upper_ms), strict=True)
    scale = expected.latency_ms if graph.scale_ms is None else graph.scale_ms
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
