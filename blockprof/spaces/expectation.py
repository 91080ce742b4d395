"""How often each block instance is in a network, given or random: what an additive metric, or its mean, sums up."""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.spaces import FREE, Architectures, Constraint, CostsBy, Space, fixed_blocks
from blockprof.spaces.chain import Depths, Semiring, fold
from blockprof.spaces.sampling import Sampler, likely_depths, likely_widths, stem_shares


def network_counts(archs: Architectures, by: CostsBy = "instance") -> FloatArray:
    """(N, K + 1): how often each of K costs is in each of N networks; the last, the base, is 1.

    An additive metric is this times its costs and base; ``by`` is what the costs are of, as in ``space.catalogue``.
    """
    ids = archs.space.encode(archs, by)
    counts = np.zeros((len(ids), archs.space.catalogue(by).absent + 1))
    np.add.at(counts, (np.arange(len(ids))[:, None], ids), 1.0)
    counts[:, -1] = 1.0  # what is absent was counted there
    return counts


def expected_counts(
    space: Space, constraints: Sequence[Constraint | None], sampler: Sampler, by: CostsBy = "instance"
) -> FloatArray:
    """(S, K + 1): how often, on average, each of K costs is in a network of each constraint; the last, the base, is 1.

    The mean of an additive metric is this times its costs and base.

    Args:
        space: the design space.
        constraints: S sets of networks; None stands for random networks.
        sampler: how networks of a placement are drawn (``blockprof.spaces.sampling``).
        by: what the costs are of, as in ``space.catalogue``.
    """
    return np.stack([_expected(space, constraint or FREE, sampler, by) for constraint in constraints])


def _expected(space: Space, constraint: Constraint, sampler: Sampler, by: CostsBy) -> FloatArray:
    """(K + 1,): as a row of :func:`expected_counts`; what comes before a block, the block, and what may follow it."""
    catalogue = space.catalogue(by)
    counts = np.zeros(catalogue.absent + 1)
    stems = stem_shares(space, constraint)
    np.add.at(counts, catalogue.stems, stems)
    depths = [likely_depths(space, unit, constraint, sampler) for unit in range(len(space.units))]
    chain = _shares(space, constraint, depths, stems)
    before = np.array(fold(space, depths, chain, chain.stems))
    rests = np.stack([rest if len(rest) else np.zeros(space.num_widths) for rest in chain.rests(depths)])
    first = chain.layers[[slots.start for slots in space.unit_slots]]
    kinds = np.full((space.num_slots, space.blocks_per_width), 1 / space.blocks_per_width)
    slots, blocks = fixed_blocks(space, constraint.layers)
    kinds[slots] = np.eye(space.blocks_per_width)[blocks % space.blocks_per_width]
    entered = (before[:-1, :, None] * first)[space.slot_unit]
    shares = np.einsum("lpw,lw,le->lpwe", entered, rests, kinds)
    np.add.at(counts, catalogue.layers, shares.reshape(catalogue.layers.shape))
    np.add.at(counts, catalogue.heads, before[-1])
    counts[-1] = 1.0
    return counts


def _shares(space: Space, constraint: Constraint, depths: Depths, stems: FloatArray) -> Semiring:
    """The chain of probabilities: a unit's first layer has those of a width and of each depth, all others are 1."""
    before = np.zeros(space.num_widths)
    np.add.at(before, space.stem_states, stems)
    layers = np.ones((space.num_slots, len(before), space.num_widths))
    for unit, slots in enumerate(space.unit_slots):
        widths = list(likely_widths(space, unit, constraint))
        layers[slots.start] = 0.0
        layers[slots.start][:, widths] = 1 / (len(widths) * len(depths[unit]))
    return Semiring(space, np.add, np.multiply, before, layers, np.ones(space.num_widths))
