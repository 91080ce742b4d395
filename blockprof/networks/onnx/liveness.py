"""What the tensors of a graph take while it runs: from liveness, in the graph's own order.

A tensor is there from the node that makes it to the last one that reads it. A node's inputs and outputs are there at
once, but for elementwise nodes, which write over an input that nothing reads later, as every run-time lets them, be it
in place or fused into the convolution before. What a kernel needs besides, and how a run-time pads or places tensors,
is its own.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
from onnx import helper, shape_inference

_UNARY = ("Relu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "LeakyRelu", "Elu", "Tanh", "BatchNormalization")
_BINARY = ("Add", "Sub", "Mul", "Div", "PRelu")
_VIEWS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")
IN_PLACE = frozenset((*_UNARY, *_BINARY, *_VIEWS))
"""Operators whose output may lie where an input of its size lay."""


def peak_bytes(model: onnx.ModelProto) -> int:
    """The most bytes that a model's tensors, its input and output included and its weights not, take at once.

    Args:
        model: one whose input has a fixed size.
    """
    return max(sum(sizes.values()) for sizes in _alive(model))


def weight_bytes(tensors: Sequence[onnx.TensorProto]) -> int:
    """The bytes of initializers, without those that say shapes."""
    return sum(
        int(np.prod(tensor.dims, dtype=np.int64)) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        for tensor in tensors
        if tensor.data_type != onnx.TensorProto.INT64
    )


def _alive(model: onnx.ModelProto) -> Iterator[dict[str, int]]:
    """The bytes of each tensor that is there while each node runs, by name."""
    graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    sizes = {value.name: _bytes(value) for value in (*graph.input, *graph.value_info, *graph.output)}
    last = {value: place for place, node in enumerate(graph.node) for value in node.input}
    last |= {value.name: len(graph.node) for value in graph.output}
    alive = {value.name: sizes[value.name] for value in graph.input}
    for place, node in enumerate(graph.node):
        ended = [value for value in dict.fromkeys(node.input) if value in alive and last[value] == place]
        outputs = {value: sizes[value] for value in node.output if value}
        if node.op_type in IN_PLACE:
            taken = next((value for value in ended if alive[value] == sum(outputs.values())), "")
            alive.pop(taken, None)
        alive |= outputs
        yield dict(alive)
        for value in ended:
            alive.pop(value, None)


def _bytes(value: onnx.ValueInfoProto) -> int:
    kind = value.type.tensor_type
    item = helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize
    return int(np.prod([axis.dim_value for axis in kind.shape.dim], dtype=np.int64)) * item
