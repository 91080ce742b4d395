"""ONNX models of whole networks and of single pieces, joined from fragments."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

import onnx
from onnx import helper

from blockprof.foundation.errors import InputError
from blockprof.networks.onnx.fragments import INPUT, IR_VERSION, OPSET, OUTPUT, Fragment
from blockprof.networks.onnx.pieces import Piece
from blockprof.networks.onnx.store import FragmentStore
from blockprof.spaces import Architectures, FixedPart, HeadInstance, Placement, Space, StemInstance
from blockprof.spaces.instances import IMAGE_CHANNELS, NUM_CLASSES
from blockprof.spaces.resolution import check_resolution

IMAGE, LOGITS = "image", "logits"


class Fragments(Protocol):
    """Where the pieces of networks come from: a store, or one whose weights are in files."""

    def fragments(self, archs: Architectures, index: int = 0) -> list[Fragment]:
        """Those of one network, in order."""


@dataclass(frozen=True, slots=True)
class _Value:
    """An input or output of a model: its name and its shape without the batch."""

    name: str
    shape: tuple[int, ...]


def compose(
    store: FragmentStore, archs: Architectures, index: int = 0, *, resolution: int, batch: int | None = 1
) -> onnx.ModelProto:
    """Compose one network: input ``image`` (N, 3, R, R), output ``logits`` (N, 1000), both float32.

    Nodes are named after their placement (``u2.l1.e6k7/conv/depth_conv/conv/Conv``). The metadata says net, space,
    resolution and blockprof's version.

    Args:
        store: where the pieces come from.
        archs: networks of the store's space.
        index: the network of ``archs``, from 0.
        resolution: R, of the input, in pixels.
        batch: N; none leaves it open.

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: a batch below 1.
    """
    return _parse(compose_bytes(store, archs, index, resolution=resolution, batch=batch))


def compose_bytes(
    store: Fragments, archs: Architectures, index: int = 0, *, resolution: int, batch: int | None = 1
) -> bytes:
    """Compose one network, serialised: as :func:`compose`, in a few milliseconds."""
    return _append_weights(*_network(store, archs, index, resolution, batch))


def compose_mixed(
    stores: Sequence[FragmentStore], archs: Architectures, index: int = 0, *, resolution: int, batch: int | None = 1
) -> bytes:
    """Compose one network, serialised, as :func:`compose_bytes`, each of its pieces from a store of its own.

    A quantized piece quantizes what it takes, and, unless the next one does, what it gives.

    Args:
        stores: of each piece of the network, in order: stem, layers, head.
        archs: networks of the stores' space.
        index: the network of ``archs``, from 0.
        resolution: of the input, in pixels.
        batch: N; none leaves it open.

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: a batch below 1.
    """
    check_resolution(archs.space, resolution)
    of_store = {id(store): store.fragments(archs, index) for store in stores}
    fragments = [of_store[id(store)][place] for place, store in enumerate(stores)]
    next_quantizes = [*(store.is_quantized for store in stores[1:]), False]
    linked = [fragment.inner if inner else fragment for fragment, inner in zip(fragments, next_quantizes, strict=True)]
    return _append_weights(*_whole(archs, index, linked, resolution, batch))


def _network(
    store: Fragments, archs: Architectures, index: int, resolution: int, batch: int | None
) -> tuple[onnx.ModelProto, list[tuple[str, bytes]]]:
    """A network without its weights, and these, serialised."""
    check_resolution(archs.space, resolution)
    *fragments, last = store.fragments(archs, index)
    return _whole(archs, index, [*(fragment.inner for fragment in fragments), last], resolution, batch)


def _whole(
    archs: Architectures, index: int, fragments: Sequence[Fragment], resolution: int, batch: int | None
) -> tuple[onnx.ModelProto, list[tuple[str, bytes]]]:
    space = archs.space
    return _join(
        names=piece_names(archs, index),
        fragments=fragments,
        source=_Value(IMAGE, (IMAGE_CHANNELS, resolution, resolution)),
        result=_Value(LOGITS, (NUM_CLASSES,)),
        batch=batch,
        metadata=_metadata(space, resolution) | {"net": archs[index].to_strings()[0]},
    )


def compose_block(store: FragmentStore, instance: int, *, resolution: int, batch: int | None = 1) -> onnx.ModelProto:
    """Make a model of one instance: input ``input`` (N, C, H, W), output ``output`` (N, C', H', W').

    Of a stem the input is ``image``, of a head the output ``logits`` (N, 1000). ``instance`` is its index in
    ``space.instances``; ``resolution`` is the whole network's, which decides H and W.

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: a batch below 1.
    """
    space = store.space
    check_resolution(space, resolution)
    piece = space.instances[instance]
    in_size, out_size = piece.in_size(resolution), piece.out_size(resolution)
    source = _Value(IMAGE if isinstance(piece, StemInstance) else INPUT, (piece.in_channels, in_size, in_size))
    result = _Value(OUTPUT, (piece.out_channels, out_size, out_size))
    joined = _join(
        names=[piece.name],
        fragments=[store.fragment(instance)],
        source=source,
        result=_Value(LOGITS, (NUM_CLASSES,)) if isinstance(piece, HeadInstance) else result,
        batch=batch,
        metadata=_metadata(space, resolution) | {"piece": piece.name},
    )
    return _parse(_append_weights(*joined))


def compose_fixed(store: FragmentStore, part: FixedPart, *, resolution: int, batch: int | None = 1) -> onnx.ModelProto:
    """Make a model of the stem (``image`` to ``output``) or of the head (``input`` to ``logits``).

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: a batch below 1.
    """
    space = store.space
    check_resolution(space, resolution)
    if part == "stem":
        behind = space.instances[0]
        size = behind.in_size(resolution)
        source = _Value(IMAGE, (IMAGE_CHANNELS, resolution, resolution))
        result = _Value(OUTPUT, (behind.in_channels, size, size))
    else:
        before = space.instances[-1]
        size = before.out_size(resolution)
        source = _Value(INPUT, (before.out_channels, size, size))
        result = _Value(LOGITS, (NUM_CLASSES,))
    joined = _join(
        names=[part],
        fragments=[store.fragment(part)],
        source=source,
        result=result,
        batch=batch,
        metadata=_metadata(space, resolution) | {"piece": part},
    )
    return _parse(_append_weights(*joined))


def compose_piece(store: FragmentStore, piece: Piece, *, resolution: int, batch: int | None = 1) -> onnx.ModelProto:
    """Make a model of any piece: as :func:`compose_block` or :func:`compose_fixed`.

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: a batch below 1.
    """
    if isinstance(piece, str):
        return compose_fixed(store, piece, resolution=resolution, batch=batch)
    return compose_block(store, piece, resolution=resolution, batch=batch)


def _parse(serialized: bytes) -> onnx.ModelProto:
    model: onnx.ModelProto = onnx.ModelProto.FromString(serialized)
    return model


def piece_names(archs: Architectures, index: int) -> list[str]:
    """What nodes and weights of each piece of a network begin with: ``stem``, ``u1.l1.e6k7``, ..., ``head``."""
    space = archs.space
    ids, absent = archs[index].ids[0, 1:-1].tolist(), len(space.instances)
    places = zip(space.slot_unit.tolist(), space.slot_layer.tolist(), archs.blocks[index].tolist(), ids, strict=True)
    layers = [
        Placement(unit + 1, layer + 1, space.blocks[block]).name for unit, layer, block, i in places if i != absent
    ]
    return ["stem", *layers, "head"]


def _metadata(space: Space, resolution: int) -> dict[str, str]:
    return {"space": space.name, "resolution": str(resolution), "blockprof_version": version("blockprof")}


def _join(
    names: Sequence[str],
    fragments: Sequence[Fragment],
    source: _Value,
    result: _Value,
    batch: int | None,
    metadata: dict[str, str],
) -> tuple[onnx.ModelProto, list[tuple[str, bytes]]]:
    """Chain fragments into one model, without its weights, and these. All names get that of their fragment in front."""
    if batch is not None and batch < 1:
        raise InputError(f"batch {batch}", remedy="give at least 1, or none to leave it open", code="below-1")
    nodes, weights = [], []
    joint = source.name
    for position, (name, fragment) in enumerate(zip(names, fragments, strict=True), start=1):
        renamed = {INPUT: joint, "": ""}
        joint = renamed[OUTPUT] = result.name if position == len(names) else f"{name}/{OUTPUT}"
        nodes += [_renamed_node(node, name, renamed) for node in fragment.nodes]
        weights += [(f"{name}/{weight}", content) for weight, content in fragment.weights]
    model = helper.make_model(
        helper.make_graph(nodes, metadata["space"], [_tensor_info(source, batch)], [_tensor_info(result, batch)]),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="blockprof",
        producer_version=metadata["blockprof_version"],
    )
    helper.set_model_props(model, metadata)
    return model, weights


def _renamed_node(node: onnx.NodeProto, prefix: str, renamed: dict[str, str]) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.name = f"{prefix}/{node.name}"
    copy.input[:] = [renamed.get(value, f"{prefix}/{value}") for value in node.input]
    copy.output[:] = [renamed.get(value, f"{prefix}/{value}") for value in node.output]
    return copy


def _tensor_info(value: _Value, batch: int | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, [batch or "N", *value.shape])


def _append_weights(model: onnx.ModelProto, weights: Sequence[tuple[str, bytes]]) -> bytes:
    """Serialise ``model`` with further initializers, each a name and the rest of its TensorProto.

    Serialised messages that follow each other are one message to protobuf, with the fields of both ("Message merging"
    in protobuf.dev/programming-guides/encoding). So weights need not pass through Python objects, which would copy
    tens of megabytes twice more.
    """
    chunks: list[bytes] = []
    for name, content in weights:
        label = _field_start(onnx.TensorProto.NAME_FIELD_NUMBER, len(encoded := name.encode())) + encoded
        chunks += [_field_start(onnx.GraphProto.INITIALIZER_FIELD_NUMBER, len(label) + len(content)), label, content]
    graph_start = _field_start(onnx.ModelProto.GRAPH_FIELD_NUMBER, sum(map(len, chunks)))
    return b"".join([model.SerializeToString(), graph_start, *chunks])


def _field_start(number: int, size: int) -> bytes:
    """What precedes a length-delimited field: its number with wire type 2, then its size, both as varints."""
    return _varint(number << 3 | 2) + _varint(size)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
