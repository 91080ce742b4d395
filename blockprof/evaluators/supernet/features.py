"""What a placement's accuracy may have in common with others', as features of a linear model, from coarse to fine.

A network's features are the sum of its placements', so any linear model of them is additive by placement. The coarse
ones (layers, the block's kernel size, its ratios) need few networks to be known; the fine ones say how a unit, a layer
and a placement depart from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.spaces import Architectures, Space
from blockprof.spaces.expectation import network_counts


@dataclass(frozen=True, eq=False)
class PlacementFeatures:
    """The features of every placement of ``space``.

    ``phi`` is (K + 1, F), K being ``space.catalogue("placement").absent``: a row for each cost, and the last one for
    the base. ``groups`` names the groups of features and ``group_of`` (F,) says which one each belongs to.
    """

    space: Space
    phi: FloatArray
    groups: tuple[str, ...]
    group_of: IntArray

    def of(self, archs: Architectures) -> FloatArray:
        """(N, F): the features of N networks."""
        return network_counts(archs, "placement") @ self.phi


def placement_features(space: Space) -> PlacementFeatures:
    """The features of a space's placements; a network's sums are near 1 at most, whatever they count.

    - ``layers``: how many layers there are; ``unit_layers``: in each unit; ``slots``: each layer by itself.
    - ``kinds``: the layers with each kernel size and expansion ratio; ``unit_kinds``: in each unit.
    - ``blocks``: the layers with each block; ``placements``: each placement by itself.
    - ``widths``: where units have several, that of each unit; ``stem_parts`` and ``stems``, where these vary.
    """
    num_blocks, num_layers = len(space.blocks), space.num_slots * len(space.blocks)
    slot, block = np.divmod(np.arange(num_layers), num_blocks)
    unit = space.slot_unit[slot]
    everything = np.zeros(num_layers, dtype=np.int64)
    kinds = [_index([getattr(one, field.name) for one in space.blocks])[block] for field in fields(space.blocks[0])]
    parts = {
        "layers": _one_hot(everything),
        "unit_layers": _one_hot(unit),
        "slots": _one_hot(slot),
        "kinds": np.hstack([_one_hot(kind) for kind in kinds]),
        "unit_kinds": np.hstack([_one_hot(_index(zip(unit.tolist(), kind.tolist(), strict=True))) for kind in kinds]),
        "blocks": _one_hot(block),
        "placements": np.eye(num_layers),
    }
    if space.num_widths > 1:
        width = _index(zip(unit.tolist(), (block // space.blocks_per_width).tolist(), strict=True))
        # A unit's first layer is always there, so it tells the unit's width once.
        parts["widths"] = _one_hot(width) * (space.slot_layer[slot] == 0)[:, None]
    num_stems = space.catalogue("placement").absent - num_layers
    columns = {name: np.vstack([part, np.zeros((num_stems, part.shape[1]))]) for name, part in parts.items()}
    if num_stems:
        stem_kinds = [_index([getattr(stem, field.name) for stem in space.stems]) for field in fields(space.stems[0])]
        for name, part in (
            ("stem_parts", np.hstack([_one_hot(kind) for kind in stem_kinds])),
            ("stems", np.eye(len(space.stems))),
        ):
            columns[name] = np.vstack([np.zeros((num_layers, part.shape[1])), part])
    widths = [1, *(part.shape[1] for part in columns.values())]
    costs = np.hstack(list(columns.values()))
    phi = np.zeros((len(costs) + 1, sum(widths)))
    phi[:-1, 1:], phi[-1, 0] = costs, 1.0
    return PlacementFeatures(space, phi, ("base", *columns), np.repeat(np.arange(len(widths)), widths))


def _index(values: Iterable[object]) -> IntArray:
    """(n,): equal values have one number, from 0."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values])


def _one_hot(kind_of: IntArray) -> FloatArray:
    return np.asarray(kind_of[:, None] == np.arange(kind_of.max() + 1), dtype=float)
