"""Places of the network, each with all the blocks that may stand there: what splits an effect into its two parts.

The mean over all blocks of a place, less that of random networks, is what it costs or gains that the layer is there at
all. The rest of a placement's effect, its contrast, is due to the block.
"""

from collections.abc import Hashable, Sequence

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.spaces import Constraint, Space, all_constraints


def complete_places(space: Space, constraints: Sequence[Constraint]) -> list[IntArray]:
    """The indices of the constraints at each place (or part of the stem) all of whose choices are among them."""
    wanted: dict[Hashable, set[Constraint]] = {}
    for constraint in all_constraints(space):
        wanted.setdefault(_place(constraint), set()).add(constraint)
    found: dict[Hashable, dict[Constraint, int]] = {}
    for index, constraint in enumerate(constraints):
        if (place := _place(constraint)) is not None:
            found.setdefault(place, {})[constraint] = index
    return [np.array(list(there.values())) for place, there in found.items() if set(there) == wanted[place]]


def place_means(values: FloatArray, places: Sequence[IntArray]) -> FloatArray:
    """(S, ...): of (S, ...) values, the mean over the place of each; not a number where it is not complete."""
    means = np.full(values.shape, np.nan)
    for place in places:
        means[place] = values[place].mean(axis=0)
    return means


def known_parts(space: Space, constraints: Sequence[Constraint]) -> FloatArray:
    """(1 + S,): the half widths of both parts of exact effects: 0, not a number where the place is not complete."""
    halves = np.full(1 + len(constraints), np.nan)
    for place in complete_places(space, constraints):
        halves[1 + place] = 0.0
    return halves


def _place(constraint: Constraint) -> Hashable:
    if constraint.single:
        return constraint.single.unit, constraint.single.layer
    if len(constraint.stem) == 1 and not constraint.layers:
        return constraint.stem[0].part
    return None
