"""Pieces quantized to int8 after training: once each, calibrated on seeded inputs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

from blockprof.foundation.lazy import lazy_import
from blockprof.networks.onnx.fragments import INPUT, IR_VERSION, OPSET, OUTPUT, TRACE_SIZE, Fragment

if TYPE_CHECKING:
    from blockprof.foundation import onnx_runtime
else:
    onnx_runtime = lazy_import("blockprof.foundation.onnx_runtime")


NUM_INPUTS = 8
"""Standard normal inputs that tell the ranges of activations."""


def quantize_fragment(fragment: Fragment, seed: int) -> onnx.ModelProto:
    """Quantize a piece: u8 activations and s8 weights, a scale a channel, as QuantizeLinear and DequantizeLinear nodes.

    The piece still takes and gives float numbers. ONNX Runtime's pre-processing comes first: it finds the shapes
    without which the operators between convolutions stay float, and then most blocks are slower than in fp32.
    """
    tools = onnx_runtime.quantization
    shape = (1, _input_channels(fragment), TRACE_SIZE, TRACE_SIZE)
    rng = np.random.default_rng(seed)
    inputs = iter([{INPUT: rng.standard_normal(shape, dtype=np.float32)} for _ in range(NUM_INPUTS)])

    class Reader(tools.CalibrationDataReader):  # type: ignore[name-defined,misc]
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(inputs, None)

    with TemporaryDirectory(prefix="blockprof-quantize-") as name, _quiet():
        whole, prepared, quantized = (Path(name) / f"{step}.onnx" for step in ("whole", "prepared", "quantized"))
        onnx.save(_to_model(fragment, shape), whole)
        onnx_runtime.shape_inference.quant_pre_process(whole, prepared)
        tools.quantize_static(
            prepared,
            quantized,
            Reader(),
            quant_format=tools.QuantFormat.QDQ,
            per_channel=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
        )
        model: onnx.ModelProto = onnx.load(quantized)
    return model


def _to_model(fragment: Fragment, shape: tuple[int, ...]) -> onnx.ModelProto:
    given = helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, shape)
    made = helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph(fragment.nodes, "piece", [given], [made], _weights(fragment))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _weights(fragment: Fragment) -> list[onnx.TensorProto]:
    weights = []
    for name, content in fragment.weights:
        tensor = onnx.TensorProto.FromString(content)
        tensor.name = name
        weights.append(tensor)
    return weights


def _input_channels(fragment: Fragment) -> int:
    """Those of the first convolution or linear map, before which nothing changes their number."""
    sizes = {tensor.name: numpy_helper.to_array(tensor).shape for tensor in _weights(fragment)}
    first = next(node for node in fragment.nodes if node.op_type in ("Conv", "Gemm", "MatMul"))
    shape = sizes[first.input[1]]
    attributes = {each.name: helper.get_attribute_value(each) for each in first.attribute}
    if first.op_type == "Conv":
        return int(shape[1] * attributes.get("group", 1))
    return int(shape[1] if attributes.get("transB") else shape[0])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that ONNX Runtime's quantization logs."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
