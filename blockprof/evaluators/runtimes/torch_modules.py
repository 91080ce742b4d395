"""ONNX graphs as torch modules: the operators one after the other, as the functions that modules call."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional

from blockprof.foundation.errors import BlockprofError

Step = tuple[Callable[..., torch.Tensor], Sequence[str], str]
"""A function, the values that it takes, by name, and the one that it makes."""


class OnnxModule(nn.Module):
    """The graph of an ONNX file: it takes the graph's inputs in order, and gives its outputs, one or a tuple.

    Batch normalisation is in the convolutions already, as in the file. Raises ``BlockprofError`` for an operator that
    networks of blocks do not have.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        graph = onnx.load(file).graph
        constants = {each.name: np.array(numpy_helper.to_array(each)) for each in graph.initializer}
        self._steps: list[Step] = [_step(node, constants) for node in graph.node]
        self._inputs = [value.name for value in graph.input if value.name not in constants]
        self._outputs = [value.name for value in graph.output]
        taken = {name for _, names, _ in self._steps for name in names}
        self._weights: dict[str, str] = {}
        for number, (name, array) in enumerate(constants.items()):
            if name in taken:
                self._weights[name] = f"weight{number}"  # torch takes no names with dots
                self.register_buffer(f"weight{number}", torch.from_numpy(array))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        known = dict(zip(self._inputs, inputs, strict=True))
        known |= {name: getattr(self, buffer) for name, buffer in self._weights.items()}
        for function, taken, name in self._steps:
            known[name] = function(*[known[each] for each in taken])
        made = tuple(known[name] for name in self._outputs)
        return made[0] if len(made) == 1 else made


def _step(node: onnx.NodeProto, constants: Mapping[str, np.ndarray]) -> Step:
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    make = _MAKERS.get(node.op_type)
    if make is None:
        raise BlockprofError(f"torch has no operator '{node.op_type}' here")
    # What comes in as a constant but is no tensor to compute with: bounds, shapes.
    fixed = [constants.get(name) for name in node.input]
    function, count = make(attributes, fixed)
    return function, list(node.input[: count or len(node.input)]), node.output[0]


Made = tuple[Callable[..., Any], int]
"""A function, and how many of a node's inputs it takes: all where 0."""


def _conv(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
    stride, dilation, group = attributes["strides"], attributes["dilations"], attributes["group"]
    padding = _padding(attributes)
    return lambda x, weight, bias=None: functional.conv2d(x, weight, bias, stride, padding, dilation, group), 0


def _pool(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None], *, greatest: bool) -> Made:
    given = attributes["kernel_shape"], attributes["strides"], _padding(attributes)
    is_ceil = bool(attributes.get("ceil_mode", 0))
    if greatest:
        return lambda x: functional.max_pool2d(x, *given, ceil_mode=is_ceil), 0
    counted = bool(attributes.get("count_include_pad", 0))
    return lambda x: functional.avg_pool2d(x, *given, ceil_mode=is_ceil, count_include_pad=counted), 0


def _padding(attributes: Mapping[str, Any]) -> list[int]:
    pads = list(attributes.get("pads", (0, 0, 0, 0)))
    if pads[:2] != pads[2:]:
        raise BlockprofError(f"torch cannot pad by {pads}, more on one side than on the other")
    return pads[:2]


def _gemm(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
    if not attributes.get("transB") or attributes.get("transA"):
        raise BlockprofError("torch takes a linear map with its weight transposed only")
    return functional.linear, 0


def _clip(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
    lowest, highest = (None if bound is None else float(bound) for bound in fixed[1:])
    if (lowest, highest) == (0, 6):
        return functional.relu6, 1  # which converters know, and put into the convolution before it
    return lambda x: torch.clamp(x, lowest, highest), 1


def _mean(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
    axes, keep = attributes["axes"], bool(attributes["keepdims"])
    return lambda x: x.mean(axes, keep), 0


def _reshape(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
    if fixed[1] is None:
        raise BlockprofError("torch takes a shape that is known only")
    sizes = fixed[1].tolist()
    return lambda x: x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]), 1


def _plain(name: str) -> Callable[..., Made]:
    def make(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
        return getattr(torch, name), 0

    return make


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], Sequence[np.ndarray | None]], Made]] = {
    "Add": _plain("add"),
    "AveragePool": lambda attributes, fixed: _pool(attributes, fixed, greatest=False),
    "Clip": _clip,
    "Conv": _conv,
    "Div": _plain("div"),
    "Gemm": _gemm,
    "MaxPool": lambda attributes, fixed: _pool(attributes, fixed, greatest=True),
    "Mul": _plain("mul"),
    "ReduceMean": _mean,
    "Relu": _plain("relu"),
    "Reshape": _reshape,
}
