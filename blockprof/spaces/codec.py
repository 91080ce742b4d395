"""Net strings, BlockProfile's interchange format: ``->`` joins the layers of a unit, ``|`` joins units.

Where stems vary, the stem stands before the units: ``stem+res_h32_o64|res_e0.25_k3_w256->...``; a stem that skips its
block is ``stem_h32_o64``. Where one is read, OFA's settings may stand as well.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import NetStringError
from blockprof.foundation.net_strings import ABSENT, LAYER_SEPARATOR, UNIT_SEPARATOR, NetGrammar
from blockprof.spaces.blocks import PERCENT, Bottleneck
from blockprof.spaces.definition import Space
from blockprof.spaces.layers import Operation
from blockprof.spaces.registered import registered_spaces
from blockprof.spaces.settings import genes_of, is_settings, load_settings, networks_in

STEM = "stem"


def block_tokens(space: Space) -> tuple[tuple[str, ...], ...]:
    """By unit, the space's blocks as net strings spell them: ``mbconv2_e6_k7``, ``res_e0.25_k3_w256``."""
    return tuple(
        tuple(_block_token(space, unit, block) for block in range(len(space.blocks)))
        for unit in range(len(space.units))
    )


def stem_tokens(space: Space) -> tuple[str, ...]:
    """The space's stems as net strings spell them; none where there is only one."""
    if len(space.stems) == 1:
        return ()
    kinds = {False: f"{STEM}+{space.operator}", True: STEM}
    return tuple(f"{kinds[stem.skip]}_h{stem.mid_channels}_o{stem.out_channels}" for stem in space.stems)


def spaces_having(net: str) -> tuple[Space, ...]:
    """The registered spaces that have a network of that net string; those of other widths have the same strings."""
    return tuple(space for space in registered_spaces() if _is_network(space, net))


def format_nets(space: Space, genes: IntArray) -> list[str]:
    """Write each of N networks, (N, 1 + L) indices of its stem and blocks, as a net string."""
    tokens, stems = block_tokens(space), stem_tokens(space)
    nets = []
    for stem, *row in genes.tolist():
        units = [
            LAYER_SEPARATOR.join(names[block] for block in row[slots] if block != ABSENT)
            for names, slots in zip(tokens, space.unit_slots, strict=True)
        ]
        nets.append(UNIT_SEPARATOR.join([stems[stem], *units] if stems else units))
    return nets


def parse_nets(space: Space, nets: Iterable[str]) -> IntArray:
    """Parse N net strings: (N, 1 + L), the index of each network's stem, then of its block at each slot, or -1.

    Raises:
        NetStringError: with the place of the first mistake, units and layers counted from 1.
    """
    rows = []
    for net in nets:
        try:
            rows.append(_parse_net(space, net))
        except NetStringError:
            if others := spaces_having(net):
                names = " or ".join(other.name for other in others)
                raise NetStringError(f"is a network of {names}, not of {space.name}", code="not-of-space") from None
            raise
    return np.array(rows, dtype=np.int8).reshape(-1, 1 + space.num_slots)


@cache
def _grammar(space: Space) -> NetGrammar:
    depths = [unit.depths for unit in space.units]
    return NetGrammar(space.name, stem_tokens(space), block_tokens(space), space.blocks_per_width, depths)


def _is_network(space: Space, net: str) -> bool:
    with suppress(NetStringError):
        _parse_net(space, net)
        return True
    return False


def _block_token(space: Space, unit: int, index: int) -> str:
    block = space.blocks[index]
    if isinstance(block, Operation):
        return _operation_token(space, unit, index, block)
    if isinstance(block, Bottleneck):
        width = space.units[unit].widths[index // space.blocks_per_width]
        return f"{space.operator}_e{block.expand / PERCENT:g}_k{space.kernels[0]}_w{width}"
    return f"{space.operator}_e{block.expand}_k{block.kernel}"


def _operation_token(space: Space, unit: int, index: int, block: Operation) -> str:
    """``mbconv2_e6_k3``, or a block's own name; with the channels where units have several."""
    assert space.layers is not None
    operator, widths = space.layers.units[unit].operator, space.units[unit].widths
    token = block.token if block.operator else f"{operator}_{block.token}"
    return f"{token}_w{widths[index // space.blocks_per_width]}" if len(set(widths)) > 1 else token


def _parse_net(space: Space, net: str) -> list[int]:
    if is_settings(net):
        content = load_settings(net)
        entries = networks_in(space, content)
        if len(entries) != 1:
            raise NetStringError(f"settings of {len(entries)} networks where one should be", code="not-one-network")
        return genes_of(space, entries[0])
    try:
        return _grammar(space).parse(net)
    except ValueError as error:
        raise NetStringError(str(error), code="not-a-net-string") from None
