"""The inputs of an ONNX model."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import onnx
else:
    onnx = lazy_import("onnx")


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
    number = onnx.TensorProto
    dtypes = {number.FLOAT: np.float32, number.FLOAT16: np.float16, number.DOUBLE: float}
    inputs = {}
    for value in graph.input:
        if value.name in weights:
            continue
        kind = value.type.tensor_type
        axes = [axis.dim_param or axis.dim_value for axis in kind.shape.dim]
        sizes = [1 if position == 0 and not isinstance(axis, int) else axis for position, axis in enumerate(axes)]
        if kind.elem_type not in dtypes or not all(isinstance(size, int) and size > 0 for size in sizes):
            named = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
            raise BlockprofError(f"its input '{value.name}' is {named} {axes}", remedy="give it a fixed size")
        inputs[value.name] = tuple(sizes), np.dtype(dtypes[kind.elem_type]).name
    return inputs
