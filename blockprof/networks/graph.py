"""What a piece of a network takes, read off the nodes of its ONNX graph: no operator has formulas of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Literal

import onnx
from onnx import helper

from blockprof.networks.onnx.fragments import INPUT
from blockprof.spaces.facts import QUANTITIES, depthwise

PieceKind = Literal["layer", "stem", "head"]
Shape = tuple[int, ...]

_POOLS = frozenset({"GlobalAveragePool", "ReduceMean"})
_PRODUCTS = frozenset({"Gemm", "MatMul"})
_ACTIVATIONS = frozenset({"Relu", "Clip", "HardSwish", "LeakyRelu", "Sigmoid", "Tanh"})
_LARGEST_KEPT = 1024
"""Elements of a constant that is kept for inferring shapes: greater ones are weights, of which the shape is enough."""


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with inputs of the same shape in place of its weights: enough to infer the shapes of values."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    graph = bare.graph
    kept = [
        one for one in graph.initializer if one.data_type == onnx.TensorProto.INT64 and prod(one.dims) < _LARGEST_KEPT
    ]
    names = {one.name for one in kept}
    graph.input.extend(
        helper.make_tensor_value_info(one.name, one.data_type, one.dims)
        for one in model.graph.initializer
        if one.name not in names
    )
    graph.ClearField("initializer")
    graph.initializer.extend(kept)
    return bare


def read_quantities(bare: onnx.ModelProto, size: int, kind: PieceKind) -> dict[str, float]:
    """Sum up the nodes of a piece for one image: ``QUANTITIES``, ``depthwise<k>_macs`` and ``nodes``.

    A 1x1 convolution expands where a spatial one follows it, and projects where it follows one; any other is counted
    with shortcuts. What hangs on a global pooling is squeeze-and-excite, up to the product with what was pooled.

    Args:
        bare: the piece's graph, as :func:`without_weights` gives it.
        size: height and width of its input.
        kind: what of a network it is: stems and heads are counted as wholes.
    """
    graph = _Graph.infer(bare, size)
    quantities = dict.fromkeys(QUANTITIES, 0.0) | {"nodes": float(len(graph.nodes))}
    add: dict[PieceKind, Callable[[_Graph, dict[str, float]], None]] = {
        "layer": _add_layer,
        "stem": _add_stem,
        "head": _add_head,
    }
    add[kind](graph, quantities)
    quantities["weights"] = float(sum(prod(graph.weight_shape(node)) for node in graph.matrices))
    return quantities


@dataclass(frozen=True, eq=False)
class _Graph:
    """Nodes with the shapes of their values; which of these are weights, and which hang on a global pooling."""

    nodes: list[onnx.NodeProto]
    shapes: dict[str, Shape]
    weights: frozenset[str]
    pooled: set[str] = field(default_factory=set)
    before_spatial: set[str] = field(default_factory=set)
    behind_spatial: set[str] = field(default_factory=set)

    @classmethod
    def infer(cls, bare: onnx.ModelProto, size: int) -> "_Graph":
        model = onnx.ModelProto()
        model.CopyFrom(bare)
        for axis in (2, 3):
            model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = size
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        values = [*graph.input, *graph.value_info, *graph.output]
        shapes = {one.name: tuple(axis.dim_value for axis in one.type.tensor_type.shape.dim) for one in values}
        weights = {one.name for one in graph.input if one.name != INPUT} | {one.name for one in graph.initializer}
        found = cls(list(graph.node), shapes, frozenset(weights))
        found._trace()
        return found

    def _trace(self) -> None:
        for node in self.nodes:
            sources = self.activations(node)
            if self._is_pool(node) or (sources and all(source in self.pooled for source in sources)):
                self.pooled.update(node.output)
            if self.is_spatial(node) or any(source in self.behind_spatial for source in sources):
                self.behind_spatial.update(node.output)
        for node in reversed(self.nodes):
            if self.is_spatial(node) or any(output in self.before_spatial for output in node.output):
                self.before_spatial.update(self.activations(node))

    def activations(self, node: onnx.NodeProto) -> list[str]:
        """What a node takes beside weights and constants."""
        return [value for value in node.input if value and value not in self.weights]

    def numbers(self, value: str) -> int:
        return prod(self.shapes[value])

    def is_spatial(self, node: onnx.NodeProto) -> bool:
        return node.op_type == "Conv" and max(self.shapes[node.input[1]][2:]) > 1

    def _is_pool(self, node: onnx.NodeProto) -> bool:
        if node.op_type not in _POOLS:
            return False
        rank = len(self.shapes[node.input[0]])
        axes = next((helper.get_attribute_value(one) for one in node.attribute if one.name == "axes"), (2, 3))
        return rank == 4 and all(axis % rank >= 2 for axis in axes)

    @property
    def matrices(self) -> list[onnx.NodeProto]:
        """Convolutions and products with weights."""
        return [
            node
            for node in self.nodes
            if node.op_type == "Conv" or (node.op_type in _PRODUCTS and node.input[1] in self.weights)
        ]

    def weight_shape(self, node: onnx.NodeProto) -> Shape:
        return self.shapes[node.input[1]]

    def macs(self, node: onnx.NodeProto) -> int:
        """Multiply-adds of a convolution, or of a product of two matrices."""
        if node.op_type == "Conv":
            return self.numbers(node.output[0]) * prod(self.weight_shape(node)[1:])
        return self.numbers(node.output[0]) * self.shapes[node.input[0]][-1]

    def sums(self) -> list[onnx.NodeProto]:
        """Where a shortcut joins: sums of two activations of one shape."""
        return [
            node
            for node in self.nodes
            if node.op_type == "Add"
            and len(set(self.activations(node))) == 2
            and self.shapes[node.input[0]] == self.shapes[node.input[1]]
        ]


def _attribute(node: onnx.NodeProto, name: str, default: list[int]) -> list[int]:
    return next((list(one.ints) for one in node.attribute if one.name == name), default)


def _add_layer(graph: _Graph, quantities: dict[str, float]) -> None:
    quantities["blocks"] = 1.0
    sums = graph.sums()
    for node in graph.nodes:
        source, output = node.input[0] if node.input else "", node.output[0]
        if node.op_type == "Conv" and source in graph.pooled:
            quantities["squeeze_macs"] += graph.macs(node)
        elif node.op_type == "Conv":
            _add_convolution(graph, node, quantities, has_sum=bool(sums))
        elif node.op_type in _PRODUCTS:
            kind = "linear_macs" if node.input[1] in graph.weights else "attention_macs"
            kind = "squeeze_macs" if source in graph.pooled and kind == "linear_macs" else kind
            quantities[kind] += graph.macs(node)
            if kind != "squeeze_macs":
                quantities["activations"] += graph.numbers(source) + graph.numbers(output)
        elif node.op_type == "Mul" and len({value in graph.pooled for value in graph.activations(node)}) == 2:
            quantities["squeeze_excites"] += 1.0
            quantities["squeeze_activations"] += 2 * graph.numbers(output)
    outputs = {node.output[0] for node in sums}
    for node in graph.nodes:
        if node in sums and INPUT in node.input:
            quantities["activations"] += graph.numbers(INPUT)
        if node.op_type in _ACTIVATIONS and node.input[0] in outputs:
            quantities["activations"] += 2 * graph.numbers(node.output[0])


def _add_convolution(graph: _Graph, node: onnx.NodeProto, quantities: dict[str, float], *, has_sum: bool) -> None:
    """Count a convolution that is no part of squeeze-and-excite, and the numbers that it moves.

    Those of predictors that are kept, and so settled: a shortcut's convolution is as good as reading the input, and
    what a spatial convolution that is not depthwise writes is counted where it is read.
    """
    source, output = node.input[0], node.output[0]
    macs, (_, per_group, *window) = graph.macs(node), graph.weight_shape(node)
    moved = graph.numbers(source) + graph.numbers(output)
    if graph.is_spatial(node):
        is_depthwise = per_group == 1 and graph.shapes[source][1] > 1
        quantities["depthwise_macs" if is_depthwise else "spatial_macs"] += macs
        if is_depthwise:
            name = depthwise(max(window))
            quantities[name] = quantities.get(name, 0.0) + macs
        else:
            moved = graph.numbers(source)
        if max(_attribute(node, "strides", [1])) > 1:
            quantities["strided_macs"] += macs
    elif output in graph.before_spatial:
        quantities["expand_macs"] += macs
    elif source in graph.behind_spatial:
        quantities["project_macs"] += macs
    else:
        quantities["shortcut_macs"] += macs
        moved = graph.numbers(INPUT) if has_sum else moved
    quantities["activations"] += moved


def _add_stem(graph: _Graph, quantities: dict[str, float]) -> None:
    """A stem as a whole: what is between two convolutions is written, normalised, and read; the image is free."""
    for node in graph.matrices:
        quantities["stem_macs"] += graph.macs(node)
        quantities["activations"] += 3 * graph.numbers(node.output[0])
    last = graph.matrices[-1]
    quantities["activations"] += graph.numbers(last.input[0]) - graph.numbers(last.output[0])


def _add_head(graph: _Graph, quantities: dict[str, float]) -> None:
    quantities["activations"] = float(graph.numbers(INPUT))
    for node in graph.matrices:
        quantities["head_macs"] += graph.macs(node)
        if node.input[0] not in graph.pooled:
            quantities["activations"] += graph.numbers(node.output[0])
