"""How often each block instance is in a random network: what the mean of an additive metric is linear in."""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.spaces import FREE, CostsBy, Fixing, Space, fixed_blocks
from blockprof.spaces.sampling import Sampler, likely_depths, likely_widths, stem_shares


def expected_counts(
    space: Space, fixings: Sequence[Fixing | None], sampler: Sampler, by: CostsBy = "instance"
) -> FloatArray:
    """(S, K + 1): how often, on average, each of K costs is in a network of each fixing; the last one, the base, is 1.

    The mean of an additive metric is this times its costs and base.

    Args:
        space: the design space.
        fixings: S sets of networks; None stands for random networks.
        sampler: how networks of a placement are drawn (``blockprof.spaces.sampling``).
        by: what the costs are of, as in ``space.catalogue``.
    """
    return np.stack([_expected(space, fixing or FREE, sampler, by) for fixing in fixings])


def _expected(space: Space, fixing: Fixing, sampler: Sampler, by: CostsBy) -> FloatArray:
    catalogue = space.catalogue(by)
    counts = np.zeros(catalogue.absent + 1)
    stems = stem_shares(space, fixing)
    np.add.at(counts, catalogue.stems, stems)
    before = np.bincount(space.stem_states, stems, minlength=space.num_widths).astype(float)
    for unit, slots in enumerate(space.unit_slots):
        depths = np.array(likely_depths(space, unit, fixing, sampler))
        widths = np.zeros(space.num_widths)
        chosen = list(likely_widths(space, unit, fixing))
        widths[chosen] = 1 / len(chosen)
        kinds = np.full((slots.stop - slots.start, space.blocks_per_width), 1 / space.blocks_per_width)
        fixed_slots, blocks = fixed_blocks(space, fixing.of_unit(unit))
        kinds[fixed_slots - slots.start] = np.eye(space.blocks_per_width)[blocks % space.blocks_per_width]
        present = (depths[:, None] > np.arange(len(kinds))).mean(axis=0)
        shares = np.einsum("l,p,w,le->lpwe", present, before, widths, kinds)
        np.add.at(counts, catalogue.layers[slots], shares.reshape(len(kinds), len(before), -1))
        before = widths
    np.add.at(counts, catalogue.heads, before)
    counts[-1] = 1.0
    return counts
