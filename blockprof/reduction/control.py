"""Random reductions as large as another one: the control that tells insight from mere smallness."""

from dataclasses import replace

import numpy as np

from blockprof.foundation.arrays import BoolArray, IntArray
from blockprof.reduction.reduction import UNIT_MUTATION_PROBABILITY, Reduction


def random_control(like: Reduction, seed: int) -> Reduction:
    """A reduction that drops as much as another one, chosen at random.

    Each layer keeps as many blocks, each unit as many depths and widths, and the space as many stems. All layers draw
    their blocks independently; layers that no depth of the other one reaches keep all. Searches mutate every unit
    alike.

    Args:
        like: what is left of the space, by number; also kept as ``control_of``, so that each seed draws its own.
        seed: of the draws.
    """
    space, rng = like.space, np.random.default_rng(seed)
    kinds = np.zeros_like(like.kinds)
    depths = []
    for unit, slots in enumerate(space.unit_slots):
        depths.append(_some(np.array(space.units[unit].depths), len(like.depths[unit]), rng))
        likely = like.widths(unit)
        widths = _some(np.arange(space.num_widths), len(likely), rng)
        for layer, slot in enumerate(range(slots.start, slots.stop)):
            is_reached = layer < max(like.depths[unit])
            for width, its_like in zip(widths, likely, strict=True):
                number = int(like.kinds[slot, its_like].sum()) if is_reached else space.blocks_per_width
                kinds[slot, width] = _chosen(space.blocks_per_width, number, rng)
    return replace(
        Reduction.whole(space),
        name=f"random, as small as {like.name}",
        blocks=kinds.reshape(like.blocks.shape),
        depths=tuple(tuple(sorted(each.tolist())) for each in depths),
        stems=_chosen(len(space.stems), int(like.stems.sum()), rng),
        mutation_probabilities=np.full(len(space.units), UNIT_MUTATION_PROBABILITY),
        reasons=(f"drawn at random from seed {seed}, as much as {like.name} leaves out",),
        control_of=like,
    )


def for_seed(reduction: Reduction, seed: int) -> Reduction:
    """What a search from ``seed`` looks at: of a control another draw, else the reduction itself."""
    return random_control(reduction.control_of, seed) if reduction.control_of else reduction


def _some(choices: IntArray, number: int, rng: np.random.Generator) -> IntArray:
    return np.sort(rng.permutation(choices)[:number])


def _chosen(size: int, number: int, rng: np.random.Generator) -> BoolArray:
    """(size,): ``number`` of them, at random."""
    return np.asarray(rng.permutation(size) < number)
