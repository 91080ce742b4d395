"""Reduced spaces: what is kept, networks drawn, and reductions that leave nothing."""

from dataclasses import replace

import numpy as np
import pytest
from known_spaces import SPACES

from blockprof.foundation.errors import InputError
from blockprof.reduction import Reduction, sample_reduced
from blockprof.spaces import Space, load_space
from blockprof.spaces.sampling import sample_architectures


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


def test_whole_space_holds_every_network(space: Space) -> None:
    archs = sample_architectures(space, 500, np.random.default_rng(0))
    assert Reduction.whole(space).contains(archs).all()


def test_number_of_networks_of_the_papers_spaces() -> None:
    of_unit = sum(9**depth for depth in (2, 3, 4))
    assert Reduction.whole(load_space("mbv3")).num_networks == of_unit**5
    assert Reduction.whole(load_space("pn")).num_networks == of_unit**5 * 9


def test_drawn_networks_are_inside_and_uniform(space: Space) -> None:
    whole = Reduction.whole(space)
    blocks = whole.blocks.copy()
    blocks[:, 0] = False
    depths = (space.units[0].depths[:1], *whole.depths[1:])
    reduction = replace(whole, name="less", blocks=blocks, depths=depths)
    archs = sample_reduced(reduction, 3000, np.random.default_rng(0))
    assert reduction.contains(archs).all()
    assert (archs.depths[:, 0] == depths[0][0]).all()
    first, counts = np.unique(archs.blocks[:, 0], return_counts=True)
    assert 0 not in first
    assert set(first) == set(range(1, len(space.blocks)))
    by_width = reduction.kinds[0].sum(axis=1)
    share = 1 / (space.num_widths * by_width[first // space.blocks_per_width])
    assert np.abs(counts / 3000 - share).max() < 5 * np.sqrt(share.max() / 3000)
    others = sample_architectures(space, 3000, np.random.default_rng(1))
    inside = others[reduction.contains(others)]
    assert (inside.blocks != 0).all()
    assert (inside.depths[:, 0] == depths[0][0]).all()
    outside = others[~reduction.contains(others)]
    assert ((outside.blocks == 0).any(axis=1) | (outside.depths[:, 0] != depths[0][0])).all()


def test_a_width_that_one_layer_lacks_is_lost_to_its_unit() -> None:
    space = load_space("resnet50")
    whole = Reduction.whole(space)
    blocks = whole.blocks.copy()
    blocks[1, :3] = False
    reduction = replace(whole, name="less", blocks=blocks)
    assert reduction.widths(0) == (1, 2)
    assert not reduction.kinds[:4, 0].any()
    assert (sample_reduced(reduction, 200, np.random.default_rng(0)).widths[:, 0] > 0).all()


def test_number_of_networks_counts_distinct_ones() -> None:
    space = load_space("resnet50")
    whole = Reduction.whole(space)
    blocks = np.zeros_like(whole.blocks)
    blocks[:, [0, 8]] = True
    blocks[:4, 1] = True
    stems = np.arange(len(space.stems)) < 2
    depths = ((2,), (2,), (4,), (2, 3))
    reduction = replace(whole, name="few", blocks=blocks, stems=stems, depths=depths)
    archs = sample_reduced(reduction, 20_000, np.random.default_rng(0))
    assert reduction.num_networks == 2 * (4 + 1) * (1 + 1) * (1 + 1) * (1 + 1 + 1 + 1)
    assert len(np.unique(archs.genes, axis=0)) == reduction.num_networks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks": np.zeros((21, 9), dtype=bool)}, "leaves unit 1 no block for layer 1"),
        ({"blocks": np.arange(21)[:, None] + np.zeros(9) != 5}, "leaves unit 2 no block for layer 2"),
        ({"depths": ((2,), (2,), (2,), (2,), (), (1,))}, "unit 5 of pn has 2 or 3 or 4 layers"),
        ({"depths": ((2,), (2,), (5,), (2,), (2,), (1,))}, "unit 3 of pn has 2 or 3 or 4 layers"),
        ({"depths": ((2,),)}, "pn has 6 units"),
        ({"stems": np.zeros(1, dtype=bool)}, "leaves no stem"),
        ({"blocks": np.ones((20, 9), dtype=bool)}, "not of the shape of pn"),
        ({"mutation_probabilities": np.full(6, 1.5)}, "from 0 to 1"),
    ],
)
def test_a_reduction_that_leaves_nothing_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^mine: .*{message}"):
        replace(Reduction.whole(load_space("pn")), name="mine", **change)


def test_a_layer_that_no_depth_reaches_may_be_empty() -> None:
    whole = Reduction.whole(load_space("pn"))
    blocks = whole.blocks.copy()
    blocks[3] = False
    reduction = replace(whole, name="shallow", blocks=blocks, depths=((2, 3), *whole.depths[1:]))
    assert (sample_reduced(reduction, 100, np.random.default_rng(0)).blocks[:, 3] == -1).all()
