"""The fold along the chain, from either end, against going through every way of a small chain by itself."""

from itertools import product

import numpy as np
import pytest

from blockprof.spaces import load_space
from blockprof.spaces.chain import Semiring

DEPTHS = {"pn": [(2, 3, 3), (2,), (4, 4), (2, 3), (2, 4), (1,)], "resnet50": [(2, 3, 3), (4, 4), (4, 6), (2,)]}


def listed(chain: Semiring, depths: list[tuple[int, ...]]) -> float:
    """What the ways come to, gone through one by one."""
    space, found = chain.space, []
    states = [range(len(chain.stems)), *[range(chain.layers.shape[2])] * len(depths)]
    for ways in product(*states):
        units = zip(ways[:-1], ways[1:], space.unit_slots, depths, strict=True)
        through = [
            [
                chain.times.reduce([chain.layers[slots.start + layer, before, width] for layer in range(depth)])
                for depth in unit_depths
            ]
            for before, width, slots, unit_depths in units
        ]
        ends = [chain.stems[ways[0]], chain.heads[ways[-1]]]
        found += [chain.times.reduce([*ends, *each]) for each in product(*through)]
    return float(chain.plus.reduce(found))


@pytest.mark.parametrize(("plus", "times"), [(np.minimum, np.add), (np.maximum, np.add), (np.add, np.multiply)])
@pytest.mark.parametrize("name", sorted(DEPTHS))
def test_the_fold_from_either_end_is_what_listing_every_way_gives(name: str, plus: np.ufunc, times: np.ufunc) -> None:
    space, depths, rng = load_space(name), DEPTHS[name], np.random.default_rng(0)
    num_states = len(space.stem.out_channels)
    layers = rng.uniform(0.5, 1.5, (space.num_slots, num_states, space.num_widths))
    layers[space.slot_layer > 0] = layers[space.slot_layer > 0][:, :1]
    stems, heads = rng.uniform(0.5, 1.5, num_states), rng.uniform(0.5, 1.5, space.num_widths)
    chain = Semiring(space, plus, times, stems, layers, heads)
    expected = pytest.approx(listed(chain, depths), rel=1e-12)
    assert chain.total(depths) == expected
    behind = plus.reduce(times(layers[0], chain.rests(depths)[0]), axis=1)
    assert plus.reduce(times(stems, behind)) == expected
