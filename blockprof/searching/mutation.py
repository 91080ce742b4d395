"""Unit-wise random mutation of networks, arXiv 2109.12426, section 5, for all networks at once.

Each unit of a network mutates with its own probability, by one of the moves that it has: add a layer, remove a layer,
put another block in one layer, or, where units have several widths, take another width. A layer is added, or removed,
anywhere in its unit, and those behind it move on. Nothing leaves the reduced space: a unit goes to the next depth that
is kept, and a block that its new layer or width does not keep is drawn again.
"""

import numpy as np

from blockprof.foundation.arrays import BoolArray, IntArray
from blockprof.reduction import Reduction
from blockprof.spaces import ABSENT, Architectures, Space

STEM_MUTATION_PROBABILITY = 0.25
"""How likely the stem mutates where there are several; that of the paper's searches."""

ADD, REMOVE, SWAP_BLOCK, SWAP_WIDTH = range(4)


def mutate(reduction: Reduction, parents: Architectures, rng: np.random.Generator) -> Architectures:
    """A child of each of N parents, all of them networks of the reduced space, as are the children.

    A child equals its parent where no unit was chosen to mutate.
    """
    space, blocks = reduction.space, parents.blocks.copy()
    chosen = rng.random((len(parents), len(space.units))) < reduction.mutation_probabilities
    for unit, slots in enumerate(space.unit_slots):
        rows = np.flatnonzero(chosen[:, unit])
        blocks[rows, slots] = _mutate_unit(reduction, unit, parents.blocks[rows, slots], rng)
    stems = parents.stems
    if len(space.stems) > 1:
        rows = np.flatnonzero(rng.random(len(parents)) < STEM_MUTATION_PROBABILITY)
        stems = stems.copy()
        stems[rows] = _mutate_stems(reduction, stems[rows], rng)
    return Architectures(space, blocks, stems)


def cross(first: Architectures, second: Architectures, rng: np.random.Generator) -> Architectures:
    """A child of each of N pairs: each unit, and the stem, from one parent or the other, equally likely."""
    space, n = first.space, len(first)
    from_second = rng.random((n, len(space.units))) < 0.5
    blocks = np.where(from_second[:, space.slot_unit], second.blocks, first.blocks)
    return Architectures(space, blocks, np.where(rng.random(n) < 0.5, second.stems, first.stems))


def _mutate_unit(reduction: Reduction, unit: int, blocks: IntArray, rng: np.random.Generator) -> IntArray:
    """(n, D): the blocks of one unit after one move; as they were where the unit has no move."""
    slots, size = reduction.space.unit_slots[unit], reduction.space.blocks_per_width
    kept = reduction.kinds[slots]
    row, layer = np.arange(len(blocks)), np.arange(blocks.shape[1])
    depths, widths = np.unique(reduction.depths[unit]), np.array(reduction.widths(unit))
    depth, width, kinds = (blocks != ABSENT).sum(axis=1), blocks[:, 0] // size, blocks % size
    at = np.searchsorted(depths, depth)
    swappable = (blocks != ABSENT) & (kept.sum(axis=2)[layer, width[:, None]] > 1)
    widens = np.full(len(blocks), len(widths) > 1)
    moves = np.column_stack([at < len(depths) - 1, at > 0, swappable.any(axis=1), widens])
    move = np.where(moves.any(axis=1), _pick(moves, rng), -1)

    new_depth = depths[at + (move == ADD) - (move == REMOVE)]
    new_width = np.where(move == SWAP_WIDTH, widths[_pick(widths != width[:, None], rng)], width)
    where = (rng.random(len(blocks)) * (np.minimum(depth, new_depth) + 1)).astype(np.intp)[:, None]
    added = (new_depth - depth)[:, None]
    source = np.where(layer < where, layer, np.clip(layer - added, 0, layer[-1]))
    kinds = np.take_along_axis(kinds, source, axis=1)

    changed = _pick(swappable, rng)
    others = kept[changed, width] & (np.arange(size) != kinds[row, changed][:, None])
    kinds[row, changed] = np.where(move == SWAP_BLOCK, _pick(others, rng), kinds[row, changed])

    present = layer < new_depth[:, None]
    is_new = (layer >= where) & (layer < where + added)
    redrawn, column = np.nonzero(present & (is_new | ~kept[layer, new_width[:, None], kinds]))
    result = np.where(present, new_width[:, None] * size + kinds, ABSENT)
    result[redrawn, column] = reduction.draw_kinds(slots.start + column, new_width[redrawn], rng)
    return result


def _mutate_stems(reduction: Reduction, stems: IntArray, rng: np.random.Generator) -> IntArray:
    """(n,): stems that keep, or skip, their block where the others do the contrary, or that have other widths."""
    same_block, same_widths = _stem_pairs(reduction.space)
    targets = np.stack([~same_block & same_widths & reduction.stems, same_block & ~same_widths & reduction.stems])
    moves = np.asarray(targets.any(axis=2)).T[stems]
    return np.where(moves.any(axis=1), _pick(targets[_pick(moves, rng), stems], rng), stems)


def _stem_pairs(space: Space) -> tuple[BoolArray, BoolArray]:
    """(S, S) twice: whether two stems both have their block, and whether they have the same widths."""
    skips = np.array([stem.skip for stem in space.stems])
    widths = np.array([(stem.mid_channels, stem.out_channels) for stem in space.stems])
    return skips[:, None] == skips, (widths[:, None] == widths).all(axis=2)


def _pick(allowed: BoolArray, rng: np.random.Generator) -> IntArray:
    """(n,): one of the columns that each row of (n, K) allows, equally likely; any where it allows none."""
    return np.asarray(np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=1))
