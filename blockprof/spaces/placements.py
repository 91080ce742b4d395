"""Placements: a block fixed at a unit and layer, written ``u2.l1.e6k7``; several joined with ``+`` hold together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from blockprof.errors import PlacementError
from blockprof.spaces.definition import Block, Space

_PATTERN = re.compile(r"u(?P<unit>\d+)\.l(?P<layer>\d+)\.e(?P<expand>\d+)k(?P<kernel>\d+)")


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """A block at a unit and layer, both counted from 1."""

    unit: int
    layer: int
    block: Block

    @property
    def name(self) -> str:
        return f"u{self.unit}.l{self.layer}.{self.block.name}"

    def slot(self, space: Space) -> int:
        """The slot (from 0) that the placement fixes."""
        return int(space.unit_slots[self.unit - 1].start) + self.layer - 1


@dataclass(frozen=True, slots=True)
class Fixing:
    """One or more placements that hold together; what a profile has a row for."""

    placements: tuple[Placement, ...]

    @property
    def name(self) -> str:
        return "+".join(placement.name for placement in self.placements)


def all_placements(space: Space) -> tuple[Placement, ...]:
    """Every placement of the space, by unit, layer, block (189 for ``pn``, 180 for ``mbv3``)."""
    return tuple(
        Placement(number, layer, block)
        for number, unit in enumerate(space.units, start=1)
        for layer in range(1, unit.max_depth + 1)
        for block in space.blocks
    )


def all_fixings(space: Space) -> tuple[Fixing, ...]:
    """Every placement of the space, each alone."""
    return tuple(Fixing((placement,)) for placement in all_placements(space))


def make_fixing(space: Space, placements: Iterable[Placement]) -> Fixing:
    """Join placements that must hold together.

    Raises:
        PlacementError: one that the space does not have, or two for one layer.
    """
    ordered = tuple(sorted(placements))
    if not ordered:
        raise PlacementError("no placement given")
    for placement in ordered:
        _check(space, placement)
    places = [(placement.unit, placement.layer) for placement in ordered]
    if len(set(places)) < len(places):
        raise PlacementError(f"{'+'.join(p.name for p in ordered)}: two blocks for one layer")
    return Fixing(ordered)


def parse_fixing(space: Space, text: str) -> Fixing:
    """Read ``u2.l1.e6k7`` or ``u2.l1.e6k7+u3.l1.e3k3``.

    Raises:
        PlacementError: not of that form, or not in the space.
    """
    placements = []
    for part in text.split("+"):
        match = _PATTERN.fullmatch(part.strip())
        if match is None:
            raise PlacementError(f"'{part.strip()}' is not a placement: write it like u2.l1.{space.blocks[0].name}")
        number = {key: int(value) for key, value in match.groupdict().items()}
        placements.append(Placement(number["unit"], number["layer"], Block(number["expand"], number["kernel"])))
    return make_fixing(space, placements)


def _check(space: Space, placement: Placement) -> None:
    if not 1 <= placement.unit <= len(space.units):
        raise PlacementError(f"{placement.name}: {space.name} has units 1 to {len(space.units)}")
    depth = space.units[placement.unit - 1].max_depth
    if not 1 <= placement.layer <= depth:
        raise PlacementError(f"{placement.name}: unit {placement.unit} of {space.name} has layers 1 to {depth}")
    if placement.block not in space.blocks:
        names = ", ".join(block.name for block in space.blocks)
        raise PlacementError(f"{placement.name}: {space.name} has the blocks {names}")
