"""Mutations: nothing leaves the space or the reduction, one move a unit, each as likely as it should be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_spaces import SPACES

from blockprof.foundation.errors import InputError
from blockprof.reduction import Reduction, sample_reduced
from blockprof.searching.mutation import STEM_MUTATION_PROBABILITY, cross, mutate
from blockprof.spaces import Architectures, Space, load_space


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


@st.composite
def reductions(draw: st.DrawFn) -> Reduction:
    """Any reduction of any space, with depths that leave gaps and units that may not mutate."""
    space = load_space(draw(st.sampled_from(list(SPACES))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    share = draw(st.floats(0.3, 1.0))
    try:
        return Reduction(
            space=space,
            name="drawn",
            blocks=rng.random((space.num_slots, len(space.blocks))) < share,
            depths=tuple(tuple(draw(st.sets(st.sampled_from(unit.depths), min_size=1))) for unit in space.units),
            stems=rng.random(len(space.stems)) < share,
            mutation_probabilities=rng.choice([0.0, 0.25, 0.5, 1.0], size=len(space.units)),
        )
    except InputError:
        assume(False)
        raise


@settings(max_examples=60)
@given(reductions(), st.integers(0, 2**32))
def test_children_are_networks_of_the_reduced_space(reduction: Reduction, seed: int) -> None:
    rng = np.random.default_rng(seed)
    archs = sample_reduced(reduction, 200, rng)
    for _ in range(3):
        children = mutate(reduction, archs, rng)
        assert reduction.contains(children).all()
        archs = cross(archs, children[rng.permutation(len(children))], rng)
        assert reduction.contains(archs).all()


@settings(max_examples=60)
@given(reductions(), st.integers(0, 2**32))
def test_each_unit_makes_one_move(reduction: Reduction, seed: int) -> None:
    space, rng = reduction.space, np.random.default_rng(seed)
    parents = sample_reduced(reduction, 200, rng)
    children = mutate(reduction, parents, rng)
    for unit, slots in enumerate(space.unit_slots):
        depths = np.sort(reduction.depths[unit])
        steps = np.searchsorted(depths, children.depths[:, unit]) - np.searchsorted(depths, parents.depths[:, unit])
        assert np.abs(steps).max() <= 1
        widened = children.widths[:, unit] != parents.widths[:, unit]
        assert not (widened & (steps != 0)).any()
        swapped = (children.blocks[:, slots] != parents.blocks[:, slots]).sum(axis=1)
        assert (swapped[(steps == 0) & ~widened] <= 1).all()
        if reduction.mutation_probabilities[unit] == 0:
            assert not swapped.any()


def test_a_layer_is_added_or_removed_anywhere_and_the_rest_stays(space: Space) -> None:
    reduction, rng = Reduction.whole(space), np.random.default_rng(0)
    parents = sample_reduced(reduction, 500, rng)
    children = mutate(reduction, parents, rng)
    slots = space.unit_slots[1]
    places = set()
    for parent, child in zip(parents.blocks[:, slots].tolist(), children.blocks[:, slots].tolist(), strict=True):
        shorter, longer = sorted(([block for block in one if block >= 0] for one in (parent, child)), key=len)
        if len(longer) == len(shorter) + 1:
            found = [place for place in range(len(longer)) if longer[:place] + longer[place + 1 :] == shorter]
            assert found
            places.update(found)
    assert places == set(range(max(space.units[1].depths)))


def test_units_mutate_as_likely_as_the_reduction_says_by_moves_equally_likely() -> None:
    space = load_space("pn")
    probabilities = np.array([1.0, 0.5, 0.25, 0.0, 1.0, 1.0])
    reduction = replace(Reduction.whole(space), mutation_probabilities=probabilities)
    rng, n = np.random.default_rng(0), 6000
    parents = sample_reduced(reduction, n, rng)
    children = mutate(reduction, parents, rng)
    changed = np.stack(
        [(parents.blocks[:, slots] != children.blocks[:, slots]).any(axis=1) for slots in space.unit_slots], axis=1
    )
    assert changed[:, [0, 4, 5]].mean() > 0.98
    assert np.abs(changed.mean(axis=0) - probabilities).max() < 0.03
    middle = parents.depths[:, 0] == 3
    steps = children.depths[middle, 0] - 3
    shares = [(steps == step).mean() for step in (-1, 0, 1)]
    assert np.abs(np.array(shares) - 1 / 3).max() < 0.05


def test_widths_and_stems_of_residual_networks_mutate() -> None:
    space = load_space("resnet50")
    reduction, n = Reduction.whole(space), 6000
    rng = np.random.default_rng(0)
    parents = sample_reduced(reduction, n, rng)
    children = mutate(reduction, parents, rng)
    assert abs((parents.stems != children.stems).mean() - STEM_MUTATION_PROBABILITY) < 0.03
    middle = parents.depths[:, 0] == 3
    widened = parents.widths[middle, 0] != children.widths[middle, 0]
    assert abs(widened.mean() - 0.5 / 4) < 0.03
    kinds = parents.blocks[middle][widened][:, :3] % space.blocks_per_width
    assert np.array_equal(kinds, children.blocks[middle][widened][:, :3] % space.blocks_per_width)
    for before, after in {*zip(parents.stems.tolist(), children.stems.tolist(), strict=True)}:
        old, new = space.stems[before], space.stems[after]
        same_widths = (old.mid_channels, old.out_channels) == (new.mid_channels, new.out_channels)
        assert old.skip == new.skip or same_widths


def test_a_space_of_one_network_has_only_it(space: Space) -> None:
    whole = Reduction.whole(space)
    only = replace(
        whole,
        name="only",
        blocks=np.arange(len(space.blocks)) == np.zeros((space.num_slots, 1)),
        depths=tuple(unit.depths[-1:] for unit in space.units),
        stems=np.arange(len(space.stems)) == 0,
        mutation_probabilities=np.ones(len(space.units)),
    )
    parents = sample_reduced(only, 50, np.random.default_rng(0))
    children: Architectures = mutate(only, parents, np.random.default_rng(1))
    assert np.array_equal(parents.genes, children.genes)


def test_crossed_networks_have_each_unit_from_one_parent(space: Space) -> None:
    rng = np.random.default_rng(0)
    first, second = (sample_reduced(Reduction.whole(space), 400, rng) for _ in range(2))
    child = cross(first, second, rng)
    for slots in space.unit_slots:
        from_first, from_second = (
            (child.blocks[:, slots] == parent.blocks[:, slots]).all(axis=1) for parent in (first, second)
        )
        assert (from_first | from_second).all()
        assert 0.3 < from_first.mean() < 0.75
    assert ((child.stems == first.stems) | (child.stems == second.stems)).all()
