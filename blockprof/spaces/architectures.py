"""A batch of networks, held as one array."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from blockprof.errors import InputError
from blockprof.spaces.definition import IntArray, Space

ABSENT = -1


@dataclass(frozen=True, eq=False)
class Architectures:
    """N networks of a space.

    ``blocks`` is (N, L), int8: the index in ``space.blocks`` of the block at each slot, or -1 where a unit is not that
    deep. A unit's active layers come first and their number is one of the unit's depths; this is checked on building.

    Raises:
        InputError: an array of the wrong shape, a block that is not there, a depth the unit does not have.
    """

    space: Space
    blocks: IntArray

    def __post_init__(self) -> None:
        blocks = np.asarray(self.blocks)
        if blocks.ndim != 2 or blocks.shape[1] != self.space.num_slots:
            raise InputError(f"{self.space.name} networks have {self.space.num_slots} slots, got shape {blocks.shape}")
        if blocks.size and (blocks.min() < ABSENT or blocks.max() >= len(self.space.blocks)):
            raise InputError(f"block indices of {self.space.name} are -1 to {len(self.space.blocks) - 1}")
        object.__setattr__(self, "blocks", blocks.astype(np.int8))
        depths = self.depths
        filled = self.space.slot_layer < depths[:, self.space.slot_unit]
        if not np.array_equal(filled, blocks >= 0):
            raise InputError("a unit's active layers must be its first ones")
        for index, unit in enumerate(self.space.units):
            if not np.isin(depths[:, index], unit.depths).all():
                raise InputError(f"unit {index + 1} of {self.space.name} has {_one_of(unit.depths)} layers")

    @property
    def depths(self) -> IntArray:
        """(N, U): the number of layers of each unit."""
        present = self.blocks >= 0
        return np.stack([present[:, slots].sum(axis=1) for slots in self.space.unit_slots], axis=1)

    @property
    def ids(self) -> IntArray:
        """(N, L): block instance indices, ``space.encode(self)``."""
        return self.space.encode(self)

    def to_strings(self) -> list[str]:
        """Net strings in BlockProfile's layout: ``mbconv2_e6_k3->mbconv2_e6_k7|...``."""
        from blockprof.spaces.codec import format_nets

        return format_nets(self)

    @classmethod
    def from_strings(cls, space: Space, nets: Iterable[str]) -> "Architectures":
        """Parse net strings; the inverse of :meth:`to_strings`.

        Raises:
            NetStringError: a string that is not a network of ``space``.
        """
        from blockprof.spaces.codec import parse_nets

        return parse_nets(space, nets)

    @classmethod
    def concatenate(cls, parts: Sequence["Architectures"]) -> "Architectures":
        """Join batches of one space, in order."""
        return cls(parts[0].space, np.concatenate([part.blocks for part in parts]))

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, index: int | slice | IntArray) -> "Architectures":
        """Select networks; a single index gives a batch of one."""
        return Architectures(self.space, np.atleast_2d(self.blocks[index]))


def _one_of(values: Sequence[int]) -> str:
    return " or ".join(map(str, values))
