"""What a network is composed of: the stem, one block instance a layer, the head."""

from typing import Literal

from blockprof import spaces
from blockprof.spaces import Architectures, Space

FixedPart = Literal["stem", "head"]

Piece = int | FixedPart
"""A fixed part, or the index of an instance in ``space.instances``, which has stems and heads where these vary.

The stem is what lies before the first layer (the first convolution and the fixed block), the head all behind the last.
"""


def pieces_of(archs: Architectures, index: int) -> tuple[Piece, ...]:
    """The pieces of one network, in order."""
    space, ids = archs.space, archs[index].ids[0]
    instances = ids[ids < len(space.instances)].tolist()
    return tuple(instances) if space.ends_vary else ("stem", *instances, "head")


def all_pieces(space: Space) -> tuple[Piece, ...]:
    """Every piece that a network of the space may have, once: the stem, the instances, the head."""
    instances = range(len(space.instances))
    return tuple(instances) if space.ends_vary else ("stem", *instances, "head")


def piece_name(space: Space, piece: Piece) -> str:
    """Readable and unique within the space: ``u2.first.e6k7``, ``stem``."""
    return piece if isinstance(piece, str) else space.instances[piece].name


def network_holding(space: Space, piece: Piece) -> Architectures:
    """One network, as deep as can be, that has ``piece``."""
    return spaces.network_holding(space, 0 if isinstance(piece, str) else piece)
