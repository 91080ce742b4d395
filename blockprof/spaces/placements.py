"""Placements: a block fixed at a unit and layer, written ``u2.l1.e6k7``; several joined with ``+`` hold together.

Where stems vary, a placement may fix a part of the stem: ``stem.skip``, ``stem.noskip``, ``stem1.c24``, ``stem2.c48``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import PlacementError
from blockprof.spaces.blocks import Block
from blockprof.spaces.definition import Space
from blockprof.spaces.parts import Stem

_LAYER = re.compile(r"u(?P<unit>[0-9]{1,4})\.l(?P<layer>[0-9]{1,4})\.(?P<block>.+)")

StemPart = Literal["skip", "mid_channels", "out_channels"]


@dataclass(frozen=True, slots=True, order=True)
class StemPlacement:
    """A part of the stem, named as in :class:`Stem`, at one of its values."""

    part: StemPart
    value: int

    @property
    def name(self) -> str:
        if self.part == "skip":
            return "stem.skip" if self.value else "stem.noskip"
        return f"{'stem1' if self.part == 'mid_channels' else 'stem2'}.c{self.value}"

    def allows(self, stem: Stem) -> bool:
        """Whether a stem is as the placement says."""
        return bool(getattr(stem, self.part) == self.value)


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """A block at a unit and layer, both counted from 1; where units have several widths, it fixes the unit's too."""

    unit: int
    layer: int
    block: Block

    @property
    def name(self) -> str:
        return f"u{self.unit}.l{self.layer}.{self.block.name}"

    def slot(self, space: Space) -> int:
        """The slot (from 0) that the placement fixes."""
        return int(space.unit_slots[self.unit - 1].start) + self.layer - 1


@dataclass(frozen=True)
class Constraint:
    """Placements that hold together; what a profile has a row for. ``stem`` come first in its name, then ``layers``."""

    layers: tuple[Placement, ...]
    stem: tuple[StemPlacement, ...] = ()

    @cached_property
    def name(self) -> str:
        return "+".join([*(part.name for part in self.stem), *(placement.name for placement in self.layers)])

    @property
    def single(self) -> Placement | None:
        """The placement of a block that is fixed alone; None where more is fixed, or only the stem."""
        return self.layers[0] if len(self.layers) == 1 and not self.stem else None

    def of_unit(self, unit: int) -> tuple[Placement, ...]:
        """The placements in a unit, counted from 0."""
        return tuple(placement for placement in self.layers if placement.unit == unit + 1)

    def allows(self, stem: Stem) -> bool:
        """Whether a stem is as the placements say."""
        return all(placement.allows(stem) for placement in self.stem)


FREE = Constraint(())
"""Nothing is fixed: random networks."""


def all_placements(space: Space) -> tuple[Placement | StemPlacement, ...]:
    """Every placement: of the stem, then by unit, layer, block (189 in ``pn``, 180 ``mbv3``, 169 ``resnet50``)."""
    layers = tuple(
        Placement(number, layer, block)
        for number, unit in enumerate(space.units, start=1)
        for layer in range(1, unit.max_depth + 1)
        for block in space.blocks
    )
    return (*_stem_placements(space), *layers)


def all_constraints(space: Space) -> tuple[Constraint, ...]:
    """Every placement of the space, each alone."""
    return tuple(
        Constraint((), (one,)) if isinstance(one, StemPlacement) else Constraint((one,))
        for one in all_placements(space)
    )


def make_constraint(space: Space, placements: Iterable[Placement | StemPlacement]) -> Constraint:
    """Join placements that must hold together.

    Raises:
        PlacementError: one that the space does not have, or two that cannot hold at once.
    """
    given = tuple(placements)
    layers = tuple(sorted(one for one in given if isinstance(one, Placement)))
    stem = tuple(sorted(one for one in given if isinstance(one, StemPlacement)))
    if not given:
        raise PlacementError("no placement given")
    constraint = Constraint(layers, stem)
    for placement in layers:
        _check_layer(space, placement)
    for part in stem:
        if part not in _stem_placements(space):
            known = ", ".join(one.name for one in _stem_placements(space)) or "a single stem"
            raise PlacementError(f"{space.name} has {known}", where=part.name)
    if len({(placement.unit, placement.layer) for placement in layers}) < len(layers):
        raise PlacementError(f"{constraint.name}: two blocks for one layer", code="two-blocks")
    if len({part.part for part in stem}) < len(stem):
        raise PlacementError(f"{constraint.name}: two values for one part of the stem", code="two-stems")
    for unit in range(len(space.units)):
        if len({space.blocks.index(one.block) // space.blocks_per_width for one in constraint.of_unit(unit)}) > 1:
            raise PlacementError(f"{constraint.name}: two widths for unit {unit + 1}", code="two-widths")
    return constraint


def parse_constraint(space: Space, text: str) -> Constraint:
    """Read ``u2.l1.e6k7`` or ``u2.l1.e6k7+u3.l1.e3k3``.

    Raises:
        PlacementError: not of that form, or not in the space.
    """
    return make_constraint(space, [_parse_placement(space, part.strip()) for part in text.split("+")])


def fixed_blocks(space: Space, placements: Iterable[Placement]) -> tuple[IntArray, IntArray]:
    """The slots that placements fix, and the index of the block at each."""
    chosen = tuple(placements)
    slots = np.array([placement.slot(space) for placement in chosen], dtype=np.int64)
    return slots, np.array([space.blocks.index(placement.block) for placement in chosen], dtype=np.int64)


def _stem_placements(space: Space) -> tuple[StemPlacement, ...]:
    """A placement for each value of each part of the stem that has several."""
    choices = space.stem
    values: tuple[tuple[StemPart, list[int]], ...] = (
        ("skip", sorted(set(map(int, choices.skip)), reverse=True)),
        ("mid_channels", sorted(set(choices.mid_channels))),
        ("out_channels", sorted(set(choices.out_channels))),
    )
    return tuple(StemPlacement(part, value) for part, several in values if len(several) > 1 for value in several)


def _parse_placement(space: Space, text: str) -> Placement | StemPlacement:
    for part in _stem_placements(space):
        if text == part.name:
            return part
    match = _LAYER.fullmatch(text)
    if match is None:
        stems = ", ".join(part.name for part in _stem_placements(space))
        other = f", or one of {stems}" if stems else ""
        raise PlacementError(
            f"'{text}' is not a placement",
            remedy=f"write it like u2.l1.{space.blocks[0].name}{other}",
            code="not-a-placement",
        )
    names = [block.name for block in space.blocks]
    if match["block"] not in names:
        raise PlacementError(f"{text}: {space.name} has the blocks {', '.join(names)}", code="no-such-block")
    return Placement(int(match["unit"]), int(match["layer"]), space.blocks[names.index(match["block"])])


def _check_layer(space: Space, placement: Placement) -> None:
    if not 1 <= placement.unit <= len(space.units):
        raise PlacementError(
            f"{space.name} has units 1 to {len(space.units)}", where=placement.name, code="no-such-unit"
        )
    depth = space.units[placement.unit - 1].max_depth
    if not 1 <= placement.layer <= depth:
        raise PlacementError(
            f"unit {placement.unit} of {space.name} has layers 1 to {depth}", where=placement.name, code="no-such-layer"
        )
    if placement.block not in space.blocks:
        names = ", ".join(block.name for block in space.blocks)
        raise PlacementError(f"{space.name} has the blocks {names}", where=placement.name, code="no-such-block")
