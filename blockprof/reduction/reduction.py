"""A reduced space: the part of a design space that a search looks at."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.spaces import ABSENT, Architectures, Space
from blockprof.spaces.chain import Semiring
from blockprof.spaces.sampling import stem_shares

if TYPE_CHECKING:
    import pandas as pd

UNIT_MUTATION_PROBABILITY = 0.5
"""How likely a search mutates each unit of a network; arXiv 2109.12426, section 5.1."""

WHOLE = "whole space"


@dataclass(frozen=True, eq=False)
class Reduction:
    """Which blocks each slot, which depths each unit and which stems of a space may be used.

    ``blocks`` is (L, B), ``stems`` (S,), both bool; ``depths`` are those of each unit. ``mutation_probabilities`` (U,)
    say how likely a search mutates each unit. ``reasons`` say why, a line for each thing left out. ``control_of`` is
    the reduction that a random one is as small as; None of any other.

    A unit keeps a width where each of its layers keeps a block of that width.

    Raises:
        InputError: an array of the wrong shape, a depth that the unit does not have, a unit without depths, a layer
            without blocks, no stem.
    """

    space: Space
    name: str
    blocks: BoolArray
    depths: tuple[tuple[int, ...], ...]
    stems: BoolArray
    mutation_probabilities: FloatArray
    reasons: tuple[str, ...] = field(default=())
    control_of: "Reduction | None" = None

    def __repr__(self) -> str:
        return f"<Reduction {self.name!r} of {self.space.name}: {self.num_networks:.3g} networks>"

    def __post_init__(self) -> None:
        space = self.space
        if self.blocks.shape != (space.num_slots, len(space.blocks)) or self.stems.shape != (len(space.stems),):
            raise InputError(f"{self.name}: not of the shape of {space.name}", code="not-of-shape")
        if len(self.depths) != len(space.units) or self.mutation_probabilities.shape != (len(space.units),):
            raise InputError(f"{self.name}: {space.name} has {len(space.units)} units", code="wrong-number-of-units")
        if not self.stems.any():
            raise InputError(f"{self.name}: leaves no stem: keep one", code="no-stem-left")
        if not ((self.mutation_probabilities >= 0) & (self.mutation_probabilities <= 1)).all():
            raise InputError(f"{self.name}: probabilities of a mutation are from 0 to 1", code="not-a-probability")
        for index, (unit, depths) in enumerate(zip(space.units, self.depths, strict=True)):
            if not depths or not set(depths) <= set(unit.depths):
                known = " or ".join(map(str, unit.depths))
                raise InputError(
                    f"{self.name}: unit {index + 1} of {space.name} has {known} layers: keep one of these",
                    code="not-a-depth",
                )
            if not self.widths(index):
                layer = self._first_empty_layer(index)
                what = f"layer {layer}" if layer else "a width in all layers"
                raise InputError(
                    f"{self.name}: leaves unit {index + 1} no block for {what}: keep one", code="no-block-left"
                )

    @classmethod
    def whole(cls, space: Space) -> "Reduction":
        """Nothing is left out."""
        return cls(
            space=space,
            name=WHOLE,
            blocks=np.ones((space.num_slots, len(space.blocks)), dtype=bool),
            depths=tuple(unit.depths for unit in space.units),
            stems=np.ones(len(space.stems), dtype=bool),
            mutation_probabilities=np.full(len(space.units), UNIT_MUTATION_PROBABILITY),
        )

    @cached_property
    def kinds(self) -> BoolArray:
        """(L, W, E): ``blocks``, by width and what else tells blocks apart; only at widths that the unit keeps."""
        kinds = self.blocks.reshape(self.space.num_slots, self.space.num_widths, self.space.blocks_per_width).copy()
        for unit, slots in enumerate(self.space.unit_slots):
            lost = np.setdiff1d(np.arange(self.space.num_widths), self.widths(unit))
            kinds[slots, lost] = False
        return kinds

    def widths(self, unit: int) -> tuple[int, ...]:
        """The indices of the widths that a unit (from 0) keeps."""
        start = self.space.unit_slots[unit].start
        used = self.blocks[start : start + max(self.depths[unit])]
        by_width = used.reshape(len(used), self.space.num_widths, self.space.blocks_per_width)
        return tuple(np.flatnonzero(by_width.any(axis=2).all(axis=0)).tolist())

    @cached_property
    def num_networks(self) -> int:
        """How many different networks there are."""
        space = self.space
        # Python's whole numbers: there are more networks than an int64 holds.
        stems = np.zeros(len(space.stem.out_channels), dtype=object)
        np.add.at(stems, space.stem_states, self.stems.astype(int).astype(object))
        blocks = self.kinds.sum(axis=2).astype(object)[:, None].repeat(len(stems), axis=1)
        heads = np.ones(space.num_widths, dtype=object)
        return int(Semiring(space, np.add, np.multiply, stems, blocks, heads).total(self.depths))

    def to_pandas(self) -> "pd.DataFrame":
        """One row for each block at each place: ``placement``, ``unit``, ``layer``, ``block``, ``kept``, and
        ``layers``, how many layers the unit may have (``2,3``). Nothing is kept at a layer that no depth reaches.
        """
        import pandas as pd

        space = self.space
        rows = [
            {
                "placement": f"u{unit}.l{layer}.{block.name}",
                "unit": unit,
                "layer": layer,
                "block": block.name,
                "kept": bool(stays) and layer <= max(depths),
                "layers": ",".join(map(str, depths)),
            }
            for unit, (slots, depths) in enumerate(zip(space.unit_slots, self.depths, strict=True), start=1)
            for layer, kept in enumerate(self.kinds.reshape(self.blocks.shape)[slots], start=1)
            for block, stays in zip(space.blocks, kept, strict=True)
        ]
        return pd.DataFrame(rows)

    def contains(self, archs: Architectures) -> BoolArray:
        """(N,): whether each network is in the reduced space."""
        present = archs.blocks >= 0
        inside = self.stems[archs.stems]
        allowed = self.kinds.reshape(self.blocks.shape)[np.arange(self.space.num_slots), archs.blocks]
        inside &= (allowed | ~present).all(axis=1)
        depths = archs.depths
        for unit, kept in enumerate(self.depths):
            inside &= np.isin(depths[:, unit], kept)
        return np.asarray(inside)

    def draw_kinds(self, slots: IntArray, widths: IntArray, rng: np.random.Generator) -> IntArray:
        """Draw a block of a given width for each of N slots, uniformly; (N,) block indices."""
        table, counts = self._kind_table
        drawn = (rng.random(slots.shape) * counts[slots, widths]).astype(np.intp)
        return np.asarray(widths * self.space.blocks_per_width + table[slots, widths, drawn])

    @cached_property
    def _kind_table(self) -> tuple[IntArray, IntArray]:
        """(L, W, E): for each slot and width the kinds that are kept, first; (L, W): how many they are."""
        return np.argsort(~self.kinds, axis=2, kind="stable"), self.kinds.sum(axis=2)

    def _first_empty_layer(self, unit: int) -> int | None:
        start = self.space.unit_slots[unit].start
        empty = np.flatnonzero(~self.blocks[start : start + max(self.depths[unit])].any(axis=1))
        return int(empty[0]) + 1 if len(empty) else None


def sample_reduced(reduction: Reduction, n: int, rng: np.random.Generator) -> Architectures:
    """Draw N random networks: depths, widths, blocks and stems, each uniform over what is kept.

    Of the whole space they are distributed as those of ``blockprof.spaces.sampling.sample_architectures``.
    """
    space = reduction.space
    shares = stem_shares(space, None) * reduction.stems
    stems = rng.choice(len(shares), size=n, p=shares / shares.sum())
    depths, widths = (
        np.column_stack([rng.choice(np.array(each), size=n) for each in choices])
        for choices in (reduction.depths, [reduction.widths(unit) for unit in range(len(space.units))])
    )
    return fill(reduction, stems, depths, widths, rng)


def fill(
    reduction: Reduction, stems: IntArray, depths: IntArray, widths: IntArray, rng: np.random.Generator
) -> Architectures:
    """Networks of given stems (N,), depths and width indices (both (N, U)), whose blocks are drawn."""
    space = reduction.space
    present = space.slot_layer < depths[:, space.slot_unit]
    network, slots = np.nonzero(present)
    blocks = np.full(present.shape, ABSENT, dtype=np.int8)
    blocks[network, slots] = reduction.draw_kinds(slots, widths[network, space.slot_unit[slots]], rng)
    return Architectures(space, blocks, stems)
