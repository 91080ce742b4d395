"""What the ONNX graphs of all kinds of predictors have in common."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.lazy import lazy_import
from blockprof.spaces import Space

if TYPE_CHECKING:
    import onnx
    from onnx import ModelProto, NodeProto, ValueInfoProto
else:
    onnx = lazy_import("onnx")

Constants = dict[str, NDArray[np.generic]]

OPSET = 17
IR_VERSION = 9


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """A predictor's graph, and how far it may be from the predictor: ``tolerance`` is a share of ``scale_ms``, or of
    each latency where that is None.
    """

    model: "ModelProto"
    tolerance: float
    scale_ms: float | None = None


def find_instances(space: Space) -> "tuple[list[ValueInfoProto], list[NodeProto], Constants]":
    """Inputs, nodes and constants that find (N, L) ``ids`` of block instances, ``space.encode``, of ``blocks``.

    An absent layer has the index behind the last instance and the base's.
    """
    absent = len(space.instances) + 1
    catalogue = space.catalogue()
    num_states = catalogue.layers.shape[1]
    slot_ids = np.concatenate([np.full((space.num_slots, num_states, 1), absent), catalogue.layers], axis=2)
    constants: Constants = {
        "slot_offsets": np.arange(space.num_slots) * num_states * slot_ids.shape[2] + 1,
        "slot_ids": slot_ids.ravel(),
        "one": np.array([1]),
    }
    node = onnx.helper.make_node
    inputs = [onnx.helper.make_tensor_value_info("blocks", onnx.TensorProto.INT64, ["N", space.num_slots])]
    finding = [node("Add", ["blocks", "slot_offsets"], ["places"]), node("Gather", ["slot_ids", "places"], ["ids"])]
    if len(space.stems) > 1:
        inputs.append(onnx.helper.make_tensor_value_info("stem", onnx.TensorProto.INT64, ["N"]))
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
    graph = onnx.helper.make_graph(
        nodes,
        name,
        inputs=[*inputs, onnx.helper.make_tensor_value_info("resolution", onnx.TensorProto.INT64, ["N"])],
        outputs=[
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["N"])
            for name in ("latency_ms", "lower_ms", "upper_ms")
        ],
        initializer=[onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
