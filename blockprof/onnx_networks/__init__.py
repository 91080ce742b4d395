"""Networks as ONNX, composed of pieces that are exported once: a stem, block instances, a head."""

from blockprof.onnx_networks.composing import (
    SharedModel,
    compose,
    compose_block,
    compose_bytes,
    compose_fixed,
    compose_piece,
    compose_shared,
)
from blockprof.onnx_networks.pieces import Piece, all_pieces, piece_name
from blockprof.onnx_networks.store import FragmentStore
from blockprof.onnx_networks.writing import NetworkFile, write_network

__all__ = [
    "FragmentStore",
    "NetworkFile",
    "Piece",
    "SharedModel",
    "all_pieces",
    "compose",
    "compose_block",
    "compose_bytes",
    "compose_fixed",
    "compose_piece",
    "compose_shared",
    "piece_name",
    "write_network",
]
