"""A batch of networks, held as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from blockprof.foundation.arrays import BoolArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.net_strings import ABSENT
from blockprof.spaces.codec import format_nets, parse_nets
from blockprof.spaces.definition import Space
from blockprof.spaces.instances import HeadInstance, StemInstance

_LEFT_OUT = np.empty(0, dtype=np.int8)


@dataclass(frozen=True, eq=False)
class Architectures:
    """N networks of a space.

    ``blocks`` is (N, L), int8: the index in ``space.blocks`` of the block at each slot, or -1 where a unit is not that
    deep. A unit's active layers come first, their number is one of the unit's depths, and they have one width.
    ``stems`` is (N,), int8: the index in ``space.stems``; it may be left out where there is only one.

    Raises:
        InputError: an array of the wrong shape, a block or stem that is not there, a depth the unit does not have, two
            widths in a unit.
    """

    space: Space
    blocks: IntArray
    stems: IntArray = field(default_factory=lambda: _LEFT_OUT)

    def __repr__(self) -> str:
        return f"<Architectures: {len(self)} of {self.space.name}>"

    def __post_init__(self) -> None:
        space, blocks = self.space, np.asarray(self.blocks)
        if blocks.ndim != 2 or blocks.shape[1] != space.num_slots:
            raise InputError(
                f"{space.name} networks have {space.num_slots} slots, got shape {blocks.shape}", code="not-of-shape"
            )
        if blocks.size and (blocks.min() < ABSENT or blocks.max() >= len(space.blocks)):
            raise InputError(f"block indices of {space.name} are -1 to {len(space.blocks) - 1}", code="no-such-block")
        object.__setattr__(self, "blocks", blocks.astype(np.int8))
        object.__setattr__(self, "stems", _checked_stems(space, self.stems, len(blocks)))
        depths = self.depths
        filled = space.slot_layer < depths[:, space.slot_unit]
        if not np.array_equal(filled, blocks >= 0):
            raise InputError("a unit's active layers must be its first ones", code="gap-in-a-unit")
        for index, unit in enumerate(space.units):
            if not np.isin(depths[:, index], unit.depths).all():
                raise InputError(
                    f"unit {index + 1} of {space.name} has {_one_of(unit.depths)} layers", code="not-a-depth"
                )
        same_width = blocks // space.blocks_per_width == self.widths[:, space.slot_unit]
        if not (same_width | ~filled).all():
            raise InputError(f"the layers of a unit of {space.name} have one width", code="two-widths")

    @property
    def depths(self) -> IntArray:
        """(N, U): the number of layers of each unit."""
        present = self.blocks >= 0
        return np.stack([present[:, slots].sum(axis=1) for slots in self.space.unit_slots], axis=1)

    @cached_property
    def widths(self) -> IntArray:
        """(N, U): the index of each unit's width; 0 where a unit has but one."""
        first = self.blocks[:, [slots.start for slots in self.space.unit_slots]]
        return np.asarray(first // self.space.blocks_per_width, dtype=np.int8)

    @property
    def states_before(self) -> IntArray:
        """(N, U): the index of the width before each unit, which is the stem's before the first."""
        return np.column_stack([self.space.stem_states[self.stems], self.widths[:, :-1]])

    @property
    def genes(self) -> IntArray:
        """(N, L + 1), int8: stem and blocks; two networks are the same where these are."""
        return np.column_stack([self.stems, self.blocks])

    @property
    def ids(self) -> IntArray:
        """(N, L + 2): block instance indices, ``space.encode(self)``."""
        return self.space.encode(self)

    def to_strings(self) -> list[str]:
        """Net strings in BlockProfile's layout: ``mbconv2_e6_k3->mbconv2_e6_k7|...``."""
        return format_nets(self.space, self.genes)

    @classmethod
    def from_strings(cls, space: Space, nets: Iterable[str]) -> "Architectures":
        """Parse net strings; the inverse of :meth:`to_strings`.

        Raises:
            NetStringError: a string that is not a network of ``space``.
        """
        genes = parse_nets(space, nets)
        return cls(space, genes[:, 1:], genes[:, 0])

    @classmethod
    def concatenate(cls, parts: Sequence["Architectures"]) -> "Architectures":
        """Join batches of one space, in order."""
        stems = np.concatenate([part.stems for part in parts])
        return cls(parts[0].space, np.concatenate([part.blocks for part in parts]), stems)

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, index: int | slice | IntArray | BoolArray) -> "Architectures":
        """Select networks; a single index gives a batch of one."""
        return Architectures(self.space, np.atleast_2d(self.blocks[index]), np.atleast_1d(self.stems[index]))


def network_holding(space: Space, instance: int) -> Architectures:
    """One network, as deep as can be, that has the instance of that index: its block at every layer."""
    catalogue, described = space.catalogue(), space.instances[instance]
    widths, kind, stem = np.zeros(len(space.units), dtype=np.int64), 0, 0
    if isinstance(described, StemInstance):
        stem = int(np.flatnonzero(catalogue.stems == instance)[0])
    elif isinstance(described, HeadInstance):
        widths[-1] = np.flatnonzero(catalogue.heads == instance)[0]
    else:
        slot, state, block = np.argwhere(catalogue.layers == instance)[0]
        unit, kind = space.slot_unit[slot], block % space.blocks_per_width
        width = block // space.blocks_per_width
        # In turn, so that few networks hold all instances.
        widths[:] = np.where((np.arange(len(widths)) - unit) % 2, state, width)
        # A single stem leaves the one state that there is before the first unit.
        stem = int(np.argmax(space.stem_states == (width if unit % 2 else state)))
    blocks = widths[space.slot_unit] * space.blocks_per_width + kind
    return Architectures(space, blocks[None], np.array([stem]))


def _checked_stems(space: Space, stems: IntArray, num_networks: int) -> IntArray:
    if stems is _LEFT_OUT:
        if len(space.stems) > 1:
            raise InputError(
                f"networks of {space.name} differ in their stems", remedy="say which one each has", code="no-stems"
            )
        return np.zeros(num_networks, dtype=np.int8)
    stems = np.asarray(stems)
    if stems.shape != (num_networks,):
        raise InputError(f"{num_networks} networks, but stems of shape {stems.shape}", code="unpaired-stems")
    if stems.size and (stems.min() < 0 or stems.max() >= len(space.stems)):
        raise InputError(f"stem indices of {space.name} are 0 to {len(space.stems) - 1}", code="no-such-stem")
    return stems.astype(np.int8)


def _one_of(values: Sequence[int]) -> str:
    return " or ".join(map(str, values))
