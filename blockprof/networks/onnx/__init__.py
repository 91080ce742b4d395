"""Networks as ONNX, composed of pieces that are exported once: a stem, block instances, a head."""

from blockprof.networks.onnx.composing import (
    compose,
    compose_block,
    compose_bytes,
    compose_fixed,
    compose_mixed,
    compose_piece,
)
from blockprof.networks.onnx.pieces import Piece, all_pieces, piece_name
from blockprof.networks.onnx.sharing import SharedWeights, share_weights
from blockprof.networks.onnx.store import FragmentStore
from blockprof.networks.onnx.writing import NetworkFile, write_network, write_weights

__all__ = [
    "FragmentStore",
    "NetworkFile",
    "Piece",
    "SharedWeights",
    "all_pieces",
    "compose",
    "compose_block",
    "compose_bytes",
    "compose_fixed",
    "compose_mixed",
    "compose_piece",
    "piece_name",
    "share_weights",
    "write_network",
    "write_weights",
]
