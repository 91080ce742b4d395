"""Fragments by piece: kept in memory, and on disk between processes."""

import warnings
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import onnx

from blockprof.foundation.errors import InputError
from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import cache_folder
from blockprof.networks.onnx.fragments import Fragment, export_fragment
from blockprof.networks.onnx.pieces import Piece, network_holding, piece_name, pieces_of
from blockprof.networks.onnx.quantizing import quantize_fragment
from blockprof.spaces import Architectures, Space

if TYPE_CHECKING:
    from blockprof.networks.onnx import modules
else:
    modules = lazy_import("blockprof.networks.onnx.modules")

FORMAT = 1
"""To be raised when a fragment's layout or the weights that a seed gives change."""

_DIGEST_SIZE = 32


class FragmentStore:
    """The fragments of a space, each exported when it is first asked for and kept in ``cache_folder()``.

    Latency does not depend on the values of weights, so they are random, from ``seed``. A store holds in memory the
    weights of each piece it was asked for (80 MB for all of ``pn``). Several processes may share the cache folder.
    Where it cannot be written, a warning says so and pieces are exported again in the next process.

    With ``quantized`` they are those of int8, each quantized once from the plain one.
    """

    def __init__(self, space: Space, seed: int = 0, *, quantized: bool = False) -> None:
        self.space = space
        self.seed = seed
        self._plain = FragmentStore(space, seed) if quantized else None
        packages = ("torch", "ofa", "onnx", *(("onnxruntime",) if quantized else ()))
        versions = "-".join(f"{package}{version(package)}" for package in packages) + ("-int8" if quantized else "")
        self._folder = cache_folder() / "onnx" / f"{space.name}-{space.digest}-seed{seed}-format{FORMAT}-{versions}"
        self._fragments: dict[Piece, Fragment] = {}

    @property
    def is_quantized(self) -> bool:
        """Whether its pieces quantize what they take."""
        return self._plain is not None

    def fragments(self, archs: Architectures, index: int = 0) -> list[Fragment]:
        """The fragments of one network, in order: stem, layers, head.

        Raises:
            InputError: networks of another space.
        """
        if archs.space != self.space:
            raise InputError(
                f"networks of {archs.space.name} cannot be composed of pieces of {self.space.name}", code="not-of-space"
            )
        pieces = pieces_of(archs, index)
        if not self._load(pieces):
            self._export(archs, index)
        return [self._fragments[piece] for piece in pieces]

    def fragment(self, piece: Piece) -> Fragment:
        """The fragment of one piece."""
        if not self._load([piece]):
            self._export(network_holding(self.space, piece), 0)
        return self._fragments[piece]

    def _load(self, pieces: Iterable[Piece]) -> bool:
        """Read what is not in memory yet; whether all was there."""
        for piece in set(pieces) - self._fragments.keys():
            model = _read(self._folder / self._file_name(piece))
            if model is not None:
                self._fragments[piece] = Fragment.from_model(model)
        return self._fragments.keys() >= set(pieces)

    def _export(self, archs: Architectures, index: int) -> None:
        """Export every piece of a network that is not there yet."""
        self._load(pieces_of(archs, index))
        missing = set(pieces_of(archs, index)) - self._fragments.keys()
        if self._plain:
            models = _quantize(self._plain, archs, index, missing)
        else:
            models = _export(archs, index, missing, self.seed)
        self._keep(models)
        self._fragments |= {piece: Fragment.from_model(model) for piece, model in models.items()}

    def _keep(self, models: dict[Piece, onnx.ModelProto]) -> None:
        try:
            with staged(self._folder) as stage:
                for piece, model in models.items():
                    content = model.SerializeToString()
                    (stage / self._file_name(piece)).write_bytes(sha256(content).digest() + content)
        except InputError as error:
            warnings.warn(f"cannot keep ONNX pieces ({error}): they are exported again each time", stacklevel=5)

    def _file_name(self, piece: Piece) -> str:
        return f"{piece_name(self.space, piece)}.fragment"


def _read(path: Path) -> onnx.ModelProto | None:
    """A kept fragment; none where there is no file, or one that is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, serialized = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    return onnx.ModelProto.FromString(serialized) if sha256(serialized).digest() == digest else None


def _export(archs: Architectures, index: int, wanted: set[Piece], seed: int) -> dict[Piece, onnx.ModelProto]:
    built = modules.build_pieces(archs, index, wanted, seed)
    return {piece: export_fragment(module) for piece, module in built.items()}


def _quantize(
    plain: FragmentStore, archs: Architectures, index: int, wanted: set[Piece]
) -> dict[Piece, onnx.ModelProto]:
    fragments = zip(pieces_of(archs, index), plain.fragments(archs, index), strict=True)
    return {piece: quantize_fragment(fragment, plain.seed) for piece, fragment in fragments if piece in wanted}
