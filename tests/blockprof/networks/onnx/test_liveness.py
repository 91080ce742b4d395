"""Liveness against graphs worked out by hand."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from blockprof.networks.onnx.liveness import peak_bytes, weight_bytes

SIZE = 10
PIXELS = 4 * SIZE * SIZE
"""Bytes of one channel of 10 x 10."""


def node(operator: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), [output], name=output, **attributes)


def model(nodes: list[onnx.NodeProto], channels: int, **weights: tuple[int, ...]) -> onnx.ModelProto:
    """A model of ``channels`` x 10 x 10 to what ``y`` is, with weights of those shapes."""
    graph = helper.make_graph(
        nodes,
        "by_hand",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, channels, SIZE, SIZE])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, None, None, None])],
        [numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_block_with_a_shortcut() -> None:
    nodes = [
        node("Conv", "x w1", "a"),
        node("Relu", "a", "b"),
        node("Conv", "b w2", "c", group=24, pads=[1, 1, 1, 1]),
        node("Relu", "c", "d"),
        node("Conv", "d w3", "e"),
        node("Add", "e x", "y"),
    ]
    block = model(nodes, 4, w1=(24, 4, 1, 1), w2=(24, 1, 3, 3), w3=(4, 24, 1, 1))
    # While the depthwise convolution runs: x, which the shortcut needs, its input and its output.
    assert peak_bytes(block) == (4 + 24 + 24) * PIXELS
    del nodes[-1]
    nodes[-1].output[:] = ["y"]
    assert peak_bytes(model(nodes, 4, w1=(24, 4, 1, 1), w2=(24, 1, 3, 3), w3=(4, 24, 1, 1))) == 48 * PIXELS


def test_strides_make_the_output_small() -> None:
    nodes = [
        node("Conv", "x w1", "a"),
        node("Conv", "a w2", "y", group=24, strides=[2, 2], pads=[1, 1, 1, 1]),
    ]
    assert peak_bytes(model(nodes, 4, w1=(24, 4, 1, 1), w2=(24, 1, 3, 3))) == (24 + 24 / 4) * PIXELS
    assert peak_bytes(model(nodes, 8, w1=(24, 8, 1, 1), w2=(24, 1, 3, 3))) == (8 + 24) * PIXELS


@pytest.mark.parametrize(("operator", "channels"), [("Relu", 6), ("Softplus", 12)])
def test_what_is_written_in_place(operator: str, channels: int) -> None:
    assert peak_bytes(model([node(operator, "x", "y")], 6)) == channels * PIXELS


def test_an_input_that_is_read_later_is_not_written_over() -> None:
    nodes = [node("Sigmoid", "x", "a"), node("Mul", "x a", "b"), node("Relu", "b", "y")]
    assert peak_bytes(model(nodes, 5)) == 10 * PIXELS


def test_an_input_that_is_broadcast_is_not_written_over_with_more() -> None:
    nodes = [node("GlobalAveragePool", "x", "a"), node("Mul", "a x", "y")]
    assert peak_bytes(model(nodes, 5)) == 5 * PIXELS + 5 * 4


def test_weights_are_all_initializers_but_shapes() -> None:
    shape = numpy_helper.from_array(np.array([0, -1]), "shape")
    half = numpy_helper.from_array(np.ones((3, 3), np.float16), "half")
    single = numpy_helper.from_array(np.ones((2, 5), np.float32), "single")
    assert weight_bytes([shape, half, single]) == 18 + 40
