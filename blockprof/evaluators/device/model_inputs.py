"""The inputs of an ONNX model."""

from pathlib import Path

import numpy as np
import onnx

from blockprof.foundation.errors import BlockprofError

_DTYPES = {onnx.TensorProto.FLOAT: np.float32, onnx.TensorProto.FLOAT16: np.float16, onnx.TensorProto.DOUBLE: float}


def read_inputs(network: Path | bytes) -> dict[str, tuple[tuple[int, ...], str]]:
    """The shape and type of each input of a model, as a file or serialized; a free batch is 1.

    Raises:
        BlockprofError: it is no model, or its inputs have no fixed size.
    """
    try:
        if isinstance(network, bytes):
            graph = onnx.load_model_from_string(network).graph
        else:
            graph = onnx.load(network, load_external_data=False).graph
    except Exception as error:  # protobuf's own kind, which is private
        raise BlockprofError(f"is no ONNX model that can be read ({error})") from None
    weights = {weight.name for weight in graph.initializer}
    inputs = {}
    for value in graph.input:
        if value.name in weights:
            continue
        kind = value.type.tensor_type
        axes = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
        sizes = [1 if position == 0 and not isinstance(axis, int) else axis for position, axis in enumerate(axes)]
        if kind.elem_type not in _DTYPES or not all(isinstance(size, int) and size > 0 for size in sizes):
            named = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
            raise BlockprofError(f"its input '{value.name}' is {named} {axes}", remedy="give it a fixed size")
        inputs[value.name] = tuple(sizes), np.dtype(_DTYPES[kind.elem_type]).name
    return inputs
