"""torch, eager: the operators of the ONNX graph one after the other, as the functions that modules call."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime
from blockprof.foundation.errors import BlockprofError

if TYPE_CHECKING:
    import torch

Step = tuple[Callable[..., "torch.Tensor"], Sequence[str], str]
"""A function, the values that it takes, by name, and the one that it makes."""


class TorchEngine:
    """Tensors on the CPU. Batch normalisation is in the convolutions already, as in the ONNX file."""

    def __init__(self, settings: Settings) -> None:
        import torch

        torch.set_num_threads(settings.threads)
        torch.set_grad_enabled(False)

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        return network

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        import torch

        graph = onnx.load(model).graph
        constants = {each.name: np.array(numpy_helper.to_array(each)) for each in graph.initializer}
        values = {name: torch.from_numpy(array) for name, array in (constants | dict(feeds)).items()}
        steps: list[Step] = [_step(node, constants) for node in graph.node]
        made = [output.name for output in graph.output]

        def run() -> "list[torch.Tensor]":
            known = dict(values)
            for function, taken, name in steps:
                known[name] = function(*[known[each] for each in taken])
            return [known[name] for name in made]

        return Loaded(run, read=lambda outputs: [output.numpy() for output in outputs])


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
    from torch.nn import functional

    stride, dilation, group = attributes["strides"], attributes["dilations"], attributes["group"]
    padding = _padding(attributes)
    return lambda x, weight, bias=None: functional.conv2d(x, weight, bias, stride, padding, dilation, group), 0


def _pool(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None], *, greatest: bool) -> Made:
    from torch.nn import functional

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
    from torch.nn import functional

    if not attributes.get("transB") or attributes.get("transA"):
        raise BlockprofError("torch takes a linear map with its weight transposed only")
    return functional.linear, 0


def _clip(attributes: Mapping[str, Any], fixed: Sequence[np.ndarray | None]) -> Made:
    import torch

    lowest, highest = (None if bound is None else float(bound) for bound in fixed[1:])
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
        import torch

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

register_runtime(
    Runtime(
        name="torch",
        title="torch",
        engine=f"{__name__}:TorchEngine",
        needs=("torch",),
        distributions=("torch",),
        install="pip install torch",
        clock="thread",
    )
)
