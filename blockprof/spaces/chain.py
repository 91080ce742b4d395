"""The one fold along the chain of a network, stem, units and head: what all networks of a space come to.

The *ways* are all beginnings of networks up to a link of the chain, summed up by an algebra: how many there are, the
least they cost, their mean, the ones worth keeping. A layer continues every way; ways of several depths join behind
their unit. As layers and joins distribute over each other, the fold sees each link once, however many networks there
are: a semiring's dynamic programming.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from blockprof.spaces.definition import Space

Ways = TypeVar("Ways")
Depths = Sequence[Sequence[int]]
"""The depths of each unit; one that is there twice counts twice."""


class Algebra(Protocol[Ways]):
    """What the fold finds out: how ways go on."""

    def append(self, ways: Ways, slot: int) -> Ways:
        """Every way, with each layer of ``slot`` that may follow."""
        ...

    def join(self, options: Sequence[Ways]) -> Ways:
        """The ways through a unit, of those of each of its depths."""
        ...


def fold(space: Space, depths: Depths, algebra: Algebra[Ways], ways: Ways, first: int = 0) -> list[Ways]:
    """Fold ways through the units from ``first`` on; the ways before each of these, and last those behind all.

    Args:
        space: whose units are gone through.
        depths: of all units.
        algebra: how ways go on.
        ways: those before the unit ``first``: the stems', where it is the first one.
        first: the first unit to go through, from 0.
    """
    before = [ways]
    for slots, unit_depths in list(zip(space.unit_slots, depths, strict=True))[first:]:
        options: list[Ways] = []
        for depth, slot in enumerate(range(slots.start, slots.start + max(unit_depths)), start=1):
            ways = algebra.append(ways, slot)
            options += [ways] * list(unit_depths).count(depth)
        ways = algebra.join(options)
        before.append(ways)
    return before


@dataclass(frozen=True, eq=False)
class Semiring:
    """The algebra of arrays under two operations: ``times`` joins links of one way, ``plus`` the ways of one state.

    ``stems`` (P, ...) and ``heads`` (W, ...) are by state, ``layers`` (L, P, W, ...) by the slot, the width before its
    unit and the unit's own. Further axes are worked on side by side. Ways are (W, ...), by the width they leave.
    """

    space: Space
    plus: np.ufunc
    times: np.ufunc
    stems: NDArray[Any]
    layers: NDArray[Any]
    heads: NDArray[Any]

    def append(self, ways: NDArray[Any], slot: int) -> NDArray[Any]:
        # Only a unit's first layer depends on the width before the unit.
        if self.space.slot_layer[slot]:
            return np.asarray(self.times(ways, self.layers[slot, 0]))
        return np.asarray(self.plus.reduce(self.times(ways[:, None], self.layers[slot]), axis=0))

    def join(self, options: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.asarray(self.plus.reduce(options, axis=0))

    def total(self, depths: Depths) -> NDArray[Any]:
        """What all networks come to, an array of the further axes alone."""
        ways = fold(self.space, depths, self, self.stems)[-1]
        return np.asarray(self.plus.reduce(self.times(ways, self.heads), axis=0))

    def rests(self, depths: Depths) -> tuple[NDArray[Any], ...]:
        """For each slot (W, ...): what follows its layer, by the width of its unit; empty where no depth reaches it.

        The fold from the other end.
        """
        behind, rests = self.heads, [np.empty(0)] * self.space.num_slots
        for slots, unit_depths in zip(reversed(self.space.unit_slots), reversed(depths), strict=True):
            options: list[NDArray[Any]] = []
            for depth in range(max(unit_depths), 0, -1):
                slot = slots.start + depth - 1
                rests[slot] = self.join([*options, *[behind] * list(unit_depths).count(depth)])
                options = [self.times(self.layers[slot, 0], rests[slot])]
            behind = np.asarray(self.plus.reduce(self.times(self.layers[slots.start], rests[slots.start]), axis=1))
        return tuple(rests)
