"""Random networks of a space, and random networks that hold a placement.

Three samplers draw networks for a placement at unit u and layer l:

- ``paper``: the definition of arXiv 2109.12426. The depth of unit u is uniform over the depths that include layer l, so
  every network holds the placement.
- ``upstream``: what the released code does. The depth is uniform over all depths of the unit, then raised: in ``pn``
  and ``mbv3`` to l - 1, one less than needed, so for layer 3 a third of the networks lack the block, for layer 4 two
  thirds; in ``resnet50`` to l. The paper's Figs. 2 and 3 (``mbv3``, ``pn``) come from it.
- ``upstream-fig4``: a line that is commented out in that code's sampler of ``resnet50``. It raises the number that
  stands for the depth to l - 1. In ``resnet50`` that number counts the layers beyond the fewest, so the depth becomes
  at least min + min(2, l - 1): every network holds the placement, and most have more layers than it needs. The FLOPs in
  the paper's Fig. 4 come from it. In ``pn`` and ``mbv3`` it is ``upstream``, where the same line is the one that runs.

All placements are drawn from one set of base draws (common random numbers), so that their differences are paired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.choices import check_choice
from blockprof.foundation.errors import InputError
from blockprof.spaces import ABSENT, FREE, Architectures, Constraint, Space, Stem, fixed_blocks
from blockprof.spaces.placements import StemPart

Sampler = Literal["paper", "upstream", "upstream-fig4"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)

DRAWN_AT_ONCE = 1000
"""Networks drawn to replace repeats: none of so many that is new means that there is none."""


def check_sampler(name: str) -> Sampler:
    """Return ``name`` as a sampler.

    Raises:
        InputError: there is no such sampler.
    """
    return check_choice(name, "sampler", SAMPLERS)


def likely_depths(space: Space, unit: int, constraint: Constraint | None, sampler: Sampler) -> tuple[int, ...]:
    """The equally likely depths of a unit (from 0), with repeats, given what is fixed there."""
    depths = space.units[unit].depths
    deepest = max((placement.layer for placement in (constraint or FREE).of_unit(unit)), default=0)
    if sampler == "paper":
        return tuple(depth for depth in depths if depth >= deepest)
    needed = deepest - space.upstream_shortfall
    if sampler == "upstream-fig4":
        needed = min(deepest - 1 + (min(depths) if space.upstream_adds_layers else 0), max(depths))
    return tuple(max(depth, needed) for depth in depths)


def likely_widths(space: Space, unit: int, constraint: Constraint | None) -> tuple[int, ...]:
    """The equally likely width indices of a unit (from 0), given what is fixed there."""
    _, blocks = fixed_blocks(space, (constraint or FREE).of_unit(unit))
    return (int(blocks[0]) // space.blocks_per_width,) if len(blocks) else tuple(range(space.num_widths))


def stem_shares(space: Space, constraint: Constraint | None) -> FloatArray:
    """(S,): how likely each of ``space.stems`` is, given what is fixed of it."""
    choices, shares = space.stem, np.zeros(len(space.stems))
    for choice in product(choices.skip, choices.mid_channels, choices.out_channels):
        stem = Stem(*choice)
        shares[space.stems.index(stem)] += (constraint or FREE).allows(stem)
    return np.asarray(shares / shares.sum())


@dataclass(frozen=True, eq=False)
class BaseDraws:
    """The random numbers behind N networks.

    ``depth_uniforms`` is (N, U), uniforms that choose depths; ``kinds`` (N, L) chooses one of a width's blocks for each
    slot; ``widths`` (N, U) the units' widths; ``stem_choices`` (N, 3) each part of the stem.
    """

    space: Space
    depth_uniforms: FloatArray
    kinds: IntArray
    widths: IntArray
    stem_choices: IntArray

    def networks(self, constraint: Constraint | None = None, sampler: Sampler = "paper") -> Architectures:
        """The N networks, with what ``constraint`` fixes put in place."""
        space, constraint = self.space, constraint or FREE
        kinds, widths = self.kinds.copy(), self.widths.copy()
        slots, fixed = fixed_blocks(space, constraint.layers)
        kinds[:, slots] = fixed % space.blocks_per_width
        widths[:, space.slot_unit[slots]] = fixed // space.blocks_per_width
        blocks = widths[:, space.slot_unit] * np.int8(space.blocks_per_width) + kinds
        depths = np.empty(self.depth_uniforms.shape, dtype=np.int8)
        for unit in range(len(space.units)):
            choices = np.array(likely_depths(space, unit, constraint, sampler))
            depths[:, unit] = choices[(self.depth_uniforms[:, unit] * len(choices)).astype(np.intp)]
        blocks[space.slot_layer >= depths[:, space.slot_unit]] = ABSENT
        return Architectures(space, blocks, self._stems(constraint))

    def _stems(self, constraint: Constraint) -> IntArray:
        """(N,): the stems that the draws choose, with the parts that are fixed put in place."""
        choices, fixed = self.space.stem, {placement.part: placement.value for placement in constraint.stem}
        parts = np.empty(self.stem_choices.shape, dtype=np.int64)
        for column, part in enumerate(get_args(StemPart)):
            values = np.array(getattr(choices, part))
            parts[:, column] = fixed[part] if part in fixed else values[self.stem_choices[:, column]]
        distinct, stem_of = np.unique(parts, axis=0, return_inverse=True)
        index = [self.space.stems.index(Stem(bool(skip), mid, out)) for skip, mid, out in distinct.tolist()]
        return np.array(index)[stem_of]

    def __len__(self) -> int:
        return len(self.kinds)

    @classmethod
    def concatenate(cls, parts: Sequence["BaseDraws"]) -> "BaseDraws":
        """Join draws of one space, in order."""
        arrays = ("depth_uniforms", "kinds", "widths", "stem_choices")
        return cls(parts[0].space, *(np.concatenate([getattr(part, name) for part in parts]) for name in arrays))


def draw_base(space: Space, n: int, rng: np.random.Generator) -> BaseDraws:
    """Draw what decides N random networks: depths, widths, blocks and stems, each uniform over its range."""
    stem = space.stem
    return BaseDraws(
        space,
        depth_uniforms=rng.random((n, len(space.units))),
        kinds=rng.integers(space.blocks_per_width, size=(n, space.num_slots), dtype=np.int8),
        widths=rng.integers(space.num_widths, size=(n, len(space.units)), dtype=np.int8),
        stem_choices=rng.integers([len(stem.skip), len(stem.mid_channels), len(stem.out_channels)], size=(n, 3)),
    )


def sample_architectures(space: Space, n: int, rng: np.random.Generator) -> Architectures:
    """Draw N random networks: each unit's depth uniform over its range, each layer's block uniform."""
    return draw_base(space, n, rng).networks()


def sample_distinct(space: Space, n: int, rng: np.random.Generator, least: int | None = None) -> Architectures:
    """Draw N random networks that all differ, or, of a space that has fewer, ``least`` or more of them.

    Raises:
        InputError: the space has fewer than ``least`` networks (N where None).
    """
    archs, before = _first_of_each(sample_architectures(space, n, rng)), 0
    while before < len(archs) < n:
        before = len(archs)
        more = sample_architectures(space, max(n, DRAWN_AT_ONCE), rng)
        archs = _first_of_each(Architectures.concatenate([archs, more]))
    if len(archs) < (n if least is None else least):
        raise InputError(
            f"{n if least is None else least} networks: {space.name} has only {len(archs)} different ones",
            code="space-too-small",
        )
    return archs[:n]


def _first_of_each(archs: Architectures) -> Architectures:
    _, first = np.unique(archs.genes, axis=0, return_index=True)
    return archs[np.sort(first)]


def sample_fixed(
    space: Space, constraint: Constraint, n: int, rng: np.random.Generator, sampler: Sampler = "paper"
) -> Architectures:
    """Draw N random networks for a placement, by the definition of ``sampler``."""
    return draw_base(space, n, rng).networks(constraint, sampler)


def holds(archs: Architectures, constraint: Constraint) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(N,): whether each network holds every placement of ``constraint``."""
    space = archs.space
    slots, blocks = fixed_blocks(space, constraint.layers)
    allowed = np.array([constraint.allows(stem) for stem in space.stems])
    held: np.ndarray[tuple[int], np.dtype[np.bool_]] = (archs.blocks[:, slots] == blocks).all(axis=1)
    held &= allowed[archs.stems]
    return held
