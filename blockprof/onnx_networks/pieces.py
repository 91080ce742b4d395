"""What a network is composed of: the stem, one block instance a layer, the head."""

from typing import Literal

import numpy as np

from blockprof.spaces import Architectures, Space

FixedPart = Literal["stem", "head"]

Piece = int | FixedPart
"""A fixed part, or the index of a block instance in ``space.instances``.

The stem is what lies before the first layer (the first convolution and the fixed block), the head all behind the last.
"""


def pieces_of(archs: Architectures, index: int) -> tuple[Piece, ...]:
    """The pieces of one network, in order."""
    present = archs.blocks[index] >= 0
    return ("stem", *archs[index].ids[0, present].tolist(), "head")


def all_pieces(space: Space) -> tuple[Piece, ...]:
    """Every piece that a network of the space may have, once: the stem, the block instances, the head."""
    return ("stem", *range(len(space.instances)), "head")


def piece_name(space: Space, piece: Piece) -> str:
    """Readable and unique within the space: ``u2.first.e6k7``, ``stem``."""
    return piece if isinstance(piece, str) else space.instances[piece].name


def network_holding(space: Space, piece: Piece) -> Architectures:
    """One network, as deep as can be, that has ``piece``: the same block everywhere."""
    block = 0 if isinstance(piece, str) else np.argwhere(space.instance_ids == piece)[0, 1]
    return Architectures(space, np.full((1, space.num_slots), block))
