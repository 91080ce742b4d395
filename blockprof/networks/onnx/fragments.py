"""Fragments: ONNX graphs of one piece, with one input and one output, at any batch and size."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import torch
    from torch import nn

    from blockprof.networks.onnx import modules
else:
    modules = lazy_import("blockprof.networks.onnx.modules")
    torch = lazy_import("torch")


OPSET = 17
IR_VERSION = 8
INPUT, OUTPUT = "input", "output"
TRACE_SIZE = 16


@dataclass(frozen=True, eq=False)
class Fragment:
    """A piece as ONNX nodes from the value ``input`` to the value ``output``.

    ``weights`` holds the name of each initializer and the rest of it, serialised: a network that has the piece needs
    only to put another name before it.
    """

    nodes: tuple[onnx.NodeProto, ...]
    weights: tuple[tuple[str, bytes], ...]

    @cached_property
    def inner(self) -> "Fragment":
        """Without quantizing what it gives: as it is before another piece, which quantizes what it takes."""
        *nodes, last = self.nodes
        makers = {output: node for node in nodes for output in node.output}
        quantize = makers.get(last.input[0])
        if last.op_type != "DequantizeLinear" or quantize is None or quantize.op_type != "QuantizeLinear":
            return self
        kept = []
        for node in nodes:
            if node is not quantize:
                copy = onnx.NodeProto()
                copy.CopyFrom(node)
                copy.output[:] = [OUTPUT if value == quantize.input[0] else value for value in node.output]
                copy.input[:] = [OUTPUT if value == quantize.input[0] else value for value in node.input]
                kept.append(copy)
        used = {value for node in kept for value in node.input}
        return Fragment(tuple(kept), tuple(weight for weight in self.weights if weight[0] in used))

    @classmethod
    def from_model(cls, model: onnx.ModelProto) -> "Fragment":
        """Take the fragment out of what :func:`export_fragment` made."""
        weights = []
        for tensor in model.graph.initializer:
            name = tensor.name
            tensor.ClearField("name")
            weights.append((name, tensor.SerializeToString()))
        return cls(tuple(model.graph.node), tuple(weights))


def export_fragment(module: "nn.Module", shape: tuple[int, int] | None = None) -> onnx.ModelProto:
    """Export a torch module of one (N, C, H, W) input and one output, batch normalisation folded into convolutions.

    Every value is named after its node and its place there, such as ``conv/depth_conv/conv/Conv.W``, and all constants
    are initializers.

    Args:
        module: in evaluation mode.
        shape: C and H, which is W, of its input, where its graph is of that size alone; without it C is that of its
            first convolution or linear map, and H and W are open.
    """
    channels, size = shape or (modules.input_channels(module), TRACE_SIZE)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that traces is deprecated, and several times as quick as its successor.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (torch.zeros(1, channels, size, size),),
            buffer,  # type: ignore[arg-type]  # this exporter takes buffers
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes=None if shape else {INPUT: {2: "height", 3: "width"}},
        )
    model = onnx.ModelProto.FromString(buffer.getvalue())
    return _rename_values(_constants_as_initializers(model))


def _constants_as_initializers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace Constant nodes, equal ones by one initializer: ONNX Runtime loads fewer of them sooner."""
    graph = model.graph
    constants = {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    kept = [node for node in graph.node if node.op_type != "Constant"]
    for node in kept:
        if node.op_type == "Reshape" and node.input[1] in constants:
            constants[node.input[1]] = _keep_batch(constants[node.input[1]])
    first_of: dict[bytes, str] = {}
    same_as = {name: first_of.setdefault(tensor.SerializeToString(), name) for name, tensor in constants.items()}
    for node in kept:
        node.input[:] = [same_as.get(value, value) for value in node.input]
    for name in first_of.values():
        constants[name].name = name
        graph.initializer.append(constants[name])
    graph.ClearField("node")
    graph.node.extend(kept)
    return model


def _keep_batch(shape: onnx.TensorProto) -> onnx.TensorProto:
    """The traced batch of 1 becomes 0, by which Reshape means the input's."""
    return numpy_helper.from_array(np.concatenate([[0], numpy_helper.to_array(shape)[1:]]))


def _rename_values(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    renamed = {INPUT: INPUT, "": ""}  # an empty name stands for an optional input that is left out
    for node in graph.node:
        schema = onnx.defs.get_schema(node.op_type, OPSET)
        node.name = node.name.strip("/")
        for place, value in enumerate(node.input):
            renamed.setdefault(value, f"{node.name}.{_formal_name(schema.inputs, place)}")
        for place, value in enumerate(node.output):
            name = f"{node.name}.{_formal_name(schema.outputs, place)}"
            renamed[value] = OUTPUT if value == OUTPUT else name
        node.input[:] = [renamed[value] for value in node.input]
        node.output[:] = [renamed[value] for value in node.output]
    for tensor in graph.initializer:
        tensor.name = renamed[tensor.name]
    return model


def _formal_name(formals: Sequence[onnx.defs.OpSchema.FormalParameter], place: int) -> str:
    """What an operator calls its input or output at a place; the last one may be any number, which are then counted."""
    if place < len(formals):
        return formals[place].name
    return f"{formals[-1].name}{place}"
