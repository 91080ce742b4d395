"""How often each block is expected in the networks of a placement: the means of all additive metrics follow from it."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from blockprof.sampling import Sampler, likely_depths
from blockprof.spaces import Fixing, FloatArray, Space


def expected_counts(
    space: Space,
    fixings: Sequence[Fixing | None],
    sampler: Sampler,
    by: Literal["instance", "placement"] = "instance",
) -> FloatArray:
    """(S, K + 1): the expected number of each block instance in the networks of each fixing; the last column is 1.

    The last column stands for the base, so the means of an additive metric are the counts times its costs and base.

    Args:
        space: the design space.
        fixings: S sets of networks; None stands for random networks.
        sampler: how networks of a placement are drawn (``blockprof.sampling``).
        by: count block instances, or blocks at each slot (K = L x B, as in ``AdditiveMetric``).
    """
    if by == "instance":
        ids, size = space.instance_ids, len(space.instances)
    else:
        size = space.num_slots * len(space.blocks)
        ids = np.arange(size).reshape(space.num_slots, -1)
    counts = np.zeros((len(fixings), size + 1))
    for row, fixing in zip(counts, fixings, strict=True):
        np.add.at(row, ids, _block_shares(space, fixing, sampler))
    counts[:, -1] = 1.0
    return counts


def _block_shares(space: Space, fixing: Fixing | None, sampler: Sampler) -> FloatArray:
    """(L, B): the share of the networks that hold each block at each slot."""
    shares = np.full((space.num_slots, len(space.blocks)), 1.0 / len(space.blocks))
    for placement in fixing.placements if fixing else ():
        shares[placement.slot(space)] = np.arange(len(space.blocks)) == space.blocks.index(placement.block)
    for unit, slots in enumerate(space.unit_slots):
        depths = np.array(likely_depths(space, unit, fixing, sampler))
        present = (depths > space.slot_layer[slots, None]).mean(axis=1)
        shares[slots] *= present[:, None]
    return shares
