"""What a network is composed of: the stem, one block instance a layer, the head."""

from blockprof import spaces
from blockprof.spaces import Architectures, FixedPart, Space

Piece = int | FixedPart
"""One of ``space.fixed_parts``, or the index of an instance in ``space.instances``.

The stem is what lies before the first layer (the first convolution and the fixed block), the head all behind the last.
"""


def pieces_of(archs: Architectures, index: int) -> tuple[Piece, ...]:
    """The pieces of one network, in order."""
    space = archs.space
    stem, *layers, head = archs[index].ids[0].tolist()
    absent = len(space.instances)
    return (
        "stem" if stem == absent else stem,
        *(layer for layer in layers if layer != absent),
        "head" if head == absent else head,
    )


def all_pieces(space: Space) -> tuple[Piece, ...]:
    """Every piece that a network of the space may have, once: the stem, the instances, the head."""
    fixed, instances = space.fixed_parts, range(len(space.instances))
    return (*fixed[: fixed.count("stem")], *instances, *fixed[fixed.count("stem") :])


def piece_name(space: Space, piece: Piece) -> str:
    """Readable and unique within the space: ``u2.first.e6k7``, ``stem``."""
    return piece if isinstance(piece, str) else space.instances[piece].name


def network_holding(space: Space, piece: Piece) -> Architectures:
    """One network, as deep as can be, that has ``piece``."""
    return spaces.network_holding(space, 0 if isinstance(piece, str) else piece)
