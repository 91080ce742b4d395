"""Net strings, BlockProfile's interchange format: ``->`` joins the layers of a unit, ``|`` joins units."""

from collections.abc import Iterable

import numpy as np

from blockprof.errors import NetStringError
from blockprof.spaces.architectures import ABSENT, Architectures
from blockprof.spaces.definition import Space
from blockprof.spaces.library import SPACES

LAYER_SEPARATOR = "->"
UNIT_SEPARATOR = "|"


def block_tokens(space: Space) -> tuple[str, ...]:
    """The space's blocks as net strings spell them: ``mbconv2_e6_k7``."""
    return tuple(f"{space.operator}_e{block.expand}_k{block.kernel}" for block in space.blocks)


def format_nets(archs: Architectures) -> list[str]:
    """Write each network as a net string."""
    tokens = block_tokens(archs.space)
    slots = archs.space.unit_slots
    return [
        UNIT_SEPARATOR.join(
            LAYER_SEPARATOR.join(tokens[block] for block in row[unit] if block != ABSENT) for unit in slots
        )
        for row in archs.blocks.tolist()
    ]


def parse_nets(space: Space, nets: Iterable[str]) -> Architectures:
    """Parse net strings.

    Raises:
        NetStringError: with the place of the first mistake, units and layers counted from 1.
    """
    index_of = {token: index for index, token in enumerate(block_tokens(space))}
    rows = [_parse_net(space, index_of, net) for net in nets]
    return Architectures(space, np.array(rows, dtype=np.int8).reshape(-1, space.num_slots))


def _parse_net(space: Space, index_of: dict[str, int], net: str) -> list[int]:
    units = net.strip().split(UNIT_SEPARATOR)
    if len(units) != len(space.units):
        raise NetStringError(_other_space(space, net) or f"{len(units)} units, but {space.name} has {len(space.units)}")
    row: list[int] = []
    for number, (text, unit) in enumerate(zip(units, space.units, strict=True), start=1):
        tokens = text.split(LAYER_SEPARATOR)
        try:
            row.extend(index_of[token] for token in tokens)
        except KeyError:
            layer, token = next((i, t) for i, t in enumerate(tokens, start=1) if t not in index_of)
            raise NetStringError(
                _other_space(space, token)
                or f"unknown block '{token}' at unit {number}, layer {layer}: {space.name} has {', '.join(index_of)}"
            ) from None
        if len(tokens) not in unit.depths:
            allowed = " or ".join(map(str, unit.depths))
            raise NetStringError(f"unit {number} has {len(tokens)} layers, but {space.name} allows {allowed}")
        row.extend([ABSENT] * (unit.max_depth - len(tokens)))
    return row


def _other_space(space: Space, text: str) -> str | None:
    for other in SPACES.values():
        if other is not space and text.startswith(f"{other.operator}_"):
            return f"'{text.split(LAYER_SEPARATOR)[0]}' is a block of {other.name}, not of {space.name}"
    return None
