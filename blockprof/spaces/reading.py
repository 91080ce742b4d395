"""Networks read from OFA's own descriptions of them."""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.errors import NetStringError
from blockprof.spaces.architectures import Architectures
from blockprof.spaces.definition import Space
from blockprof.spaces.settings import genes_of, load_settings, networks_in, resolution_of


def parse_settings(space: Space, text: str) -> tuple[Architectures, tuple[int | None, ...]]:
    """Read the settings of one network or, in a list, of several.

    Returns:
        N networks and their resolutions, each None where its settings say none.

    Raises:
        NetStringError: it is no JSON, or not of this form, or no network of ``space``; the message says which network,
            counted from 1, and which key.
    """
    content = load_settings(text)
    entries = networks_in(space, content)
    if entries == [content]:
        return from_settings(space, [content])
    archs = []
    for number, entry in enumerate(entries, start=1):
        try:
            archs.append(from_settings(space, [entry]))
        except NetStringError as error:
            raise NetStringError(error, where=f"network {number}") from None
    if not archs:
        raise NetStringError("holds no networks", remedy="write a list of settings", code="no-networks")
    return Architectures.concatenate([one for one, _ in archs]), tuple(size for _, (size,) in archs)


def from_settings(space: Space, entries: Sequence[object]) -> tuple[Architectures, tuple[int | None, ...]]:
    """Make networks of settings as JSON has them; as :func:`parse_settings`."""
    genes = np.array([genes_of(space, entry) for entry in entries], dtype=np.int8).reshape(-1, 1 + space.num_slots)
    return Architectures(space, genes[:, 1:], genes[:, 0]), tuple(resolution_of(space, entry) for entry in entries)
