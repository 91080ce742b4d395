"""Networks whose weights are in files of their own, one a piece, which all networks of a folder share."""

from dataclasses import dataclass
from hashlib import sha256

import onnx

from blockprof.networks.onnx.fragments import Fragment
from blockprof.networks.onnx.pieces import Piece, piece_name, pieces_of
from blockprof.networks.onnx.store import FragmentStore
from blockprof.spaces import Architectures, Space

FOLDER = "weights"
"""Where the files are, beside the networks."""

MIN_BYTES = 1024
"""Smaller tensors stay in the networks: converters need shapes and bounds there."""

ALIGNMENT = 4096
"""Of each tensor in its file: a page, so that it can be mapped ("External Data" in ONNX's documentation)."""


@dataclass(frozen=True, eq=False)
class _Shared:
    """A piece whose weights are in a file, and what is in the file."""

    fragment: Fragment
    content: bytes


class SharedWeights:
    """The pieces of a store, as :func:`compose_bytes` takes them, with their large weights in files.

    The files' content follows from the store alone; ``files`` has that of each piece that was asked for, by its path
    relative to the networks: ``weights/u2.first.e6k7.bin``.
    """

    def __init__(self, store: FragmentStore) -> None:
        self.store = store
        self._shared: dict[Piece, _Shared] = {}

    @property
    def space(self) -> Space:
        """That of the pieces."""
        return self.store.space

    @property
    def files(self) -> dict[str, bytes]:
        """The content of each file, by its path."""
        return {self._path(piece): shared.content for piece, shared in self._shared.items() if shared.content}

    def fragments(self, archs: Architectures, index: int = 0) -> list[Fragment]:
        """The fragments of one network, in order; raises as :meth:`FragmentStore.fragments`."""
        pieces = pieces_of(archs, index)
        for piece, fragment in zip(pieces, self.store.fragments(archs, index), strict=True):
            if piece not in self._shared:
                self._shared[piece] = _share(fragment, self._path(piece))
        return [self._shared[piece].fragment for piece in pieces]

    def paths(self, archs: Architectures, index: int = 0) -> list[str]:
        """Of the files that one network needs, in order."""
        self.fragments(archs, index)
        return [self._path(piece) for piece in dict.fromkeys(pieces_of(archs, index)) if self._shared[piece].content]

    def _path(self, piece: Piece) -> str:
        return f"{FOLDER}/{piece_name(self.space, piece)}.bin"


def share_weights(model: bytes) -> tuple[bytes, dict[str, bytes]]:
    """A serialized model without its large weights, and these: files by their path, named by their content."""
    parsed = onnx.ModelProto.FromString(model)
    files: dict[str, bytes] = {}
    for tensor in parsed.graph.initializer:
        content = tensor.raw_data
        if len(content) >= MIN_BYTES:
            path = f"{FOLDER}/{sha256(content).hexdigest()[:32]}.bin"
            files[path] = content
            outside = _reference(tensor, path, 0)
            outside.name = tensor.name
            tensor.CopyFrom(outside)
    return parsed.SerializeToString(), files


def _share(fragment: Fragment, path: str) -> _Shared:
    content = bytearray()
    weights = []
    for name, serialized in fragment.weights:
        tensor = onnx.TensorProto.FromString(serialized)
        if len(tensor.raw_data) < MIN_BYTES:
            weights.append((name, serialized))
            continue
        content += bytes(-len(content) % ALIGNMENT)
        weights.append((name, _reference(tensor, path, len(content)).SerializeToString()))
        content += tensor.raw_data
    return _Shared(Fragment(fragment.nodes, tuple(weights)), bytes(content))


def _reference(tensor: onnx.TensorProto, path: str, offset: int) -> onnx.TensorProto:
    """The tensor without its numbers, which are so many bytes from the start of a file."""
    outside = onnx.TensorProto(dims=tensor.dims, data_type=tensor.data_type)
    outside.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", path), ("offset", offset), ("length", len(tensor.raw_data))):
        outside.external_data.add(key=key, value=str(value))
    return outside
