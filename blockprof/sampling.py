"""Random networks of a space, and random networks that hold a placement.

Two samplers draw networks for a placement at unit u and layer l:

- ``paper``: the definition of arXiv 2109.12426. The depth of unit u is uniform over the depths that include layer l, so
  every network holds the placement.
- ``upstream``: what the released code does. The depth is uniform over all depths of the unit, then raised to l - 1, one
  less than needed: for layer 3 a third of the networks lack the block, for layer 4 two thirds.

All placements are drawn from one set of base draws (common random numbers), so that their differences are paired.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from blockprof.errors import InputError
from blockprof.spaces import ABSENT, Architectures, Fixing, FloatArray, IntArray, Space

Sampler = Literal["paper", "upstream"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)


def check_sampler(name: str) -> Sampler:
    """Return ``name`` as a sampler.

    Raises:
        InputError: there is no such sampler.
    """
    for sampler in SAMPLERS:
        if name == sampler:
            return sampler
    raise InputError(f"unknown sampler '{name}': there are {', '.join(SAMPLERS)}")


def likely_depths(space: Space, unit: int, fixing: Fixing | None, sampler: Sampler) -> tuple[int, ...]:
    """The equally likely depths of a unit (from 0), with repeats, given what is fixed there."""
    depths = space.units[unit].depths
    deepest = max((p.layer for p in fixing.placements if p.unit == unit + 1), default=0) if fixing else 0
    if sampler == "paper":
        return tuple(depth for depth in depths if depth >= deepest)
    return tuple(max(depth, deepest - 1) for depth in depths)


@dataclass(frozen=True, eq=False)
class BaseDraws:
    """The random numbers behind N networks: (N, U) uniforms that choose depths, and (N, L) blocks for every slot."""

    space: Space
    depth_uniforms: FloatArray
    blocks: IntArray

    def networks(self, fixing: Fixing | None = None, sampler: Sampler = "paper") -> Architectures:
        """The N networks, with what ``fixing`` fixes put in place."""
        space = self.space
        blocks = self.blocks.copy()
        for placement in fixing.placements if fixing else ():
            blocks[:, placement.slot(space)] = space.blocks.index(placement.block)
        depths = np.empty(self.depth_uniforms.shape, dtype=np.int8)
        for unit in range(len(space.units)):
            choices = np.array(likely_depths(space, unit, fixing, sampler))
            depths[:, unit] = choices[(self.depth_uniforms[:, unit] * len(choices)).astype(np.intp)]
        blocks[space.slot_layer >= depths[:, space.slot_unit]] = ABSENT
        return Architectures(space, blocks)


def draw_base(space: Space, n: int, rng: np.random.Generator) -> BaseDraws:
    """Draw what decides N random networks: depths and blocks, each uniform over its range."""
    return BaseDraws(
        space,
        depth_uniforms=rng.random((n, len(space.units))),
        blocks=rng.integers(len(space.blocks), size=(n, space.num_slots), dtype=np.int8),
    )


def sample_architectures(space: Space, n: int, rng: np.random.Generator) -> Architectures:
    """Draw N random networks: each unit's depth uniform over its range, each layer's block uniform."""
    return draw_base(space, n, rng).networks()


def sample_fixed(
    space: Space, fixing: Fixing, n: int, rng: np.random.Generator, sampler: Sampler = "paper"
) -> Architectures:
    """Draw N random networks for a placement, by the definition of ``sampler``."""
    return draw_base(space, n, rng).networks(fixing, sampler)


def holds(archs: Architectures, fixing: Fixing) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(N,): whether each network holds every placement of ``fixing``."""
    space = archs.space
    slots = [placement.slot(space) for placement in fixing.placements]
    blocks = [space.blocks.index(placement.block) for placement in fixing.placements]
    held: np.ndarray[tuple[int], np.dtype[np.bool_]] = (archs.blocks[:, slots] == blocks).all(axis=1)
    return held
