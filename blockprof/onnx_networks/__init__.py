"""Networks as ONNX, composed of pieces that are exported once: a stem, block instances, a head."""

from blockprof.onnx_networks.composing import (
    compose,
    compose_block,
    compose_bytes,
    compose_fixed,
    write_network,
)
from blockprof.onnx_networks.pieces import Piece
from blockprof.onnx_networks.store import FragmentStore

__all__ = [
    "FragmentStore",
    "Piece",
    "compose",
    "compose_block",
    "compose_bytes",
    "compose_fixed",
    "write_network",
]
