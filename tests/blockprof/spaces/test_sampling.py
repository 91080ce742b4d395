"""Both samplers, against their definitions."""

import numpy as np
import pytest
from codes import coded
from hypothesis import given, settings
from hypothesis import strategies as st
from known_spaces import SPACES
from scipy.stats import chisquare

from blockprof.foundation.errors import InputError
from blockprof.spaces import (
    Architectures,
    Placement,
    Space,
    StemPlacement,
    all_constraints,
    all_placements,
    load_space,
    make_constraint,
    sampling,
)
from blockprof.spaces.sampling import (
    check_sampler,
    draw_base,
    holds,
    likely_depths,
    sample_architectures,
    sample_distinct,
    sample_fixed,
)

MANY = 6000
ALPHA = 1e-4


@st.composite
def placements(draw: st.DrawFn) -> tuple[Space, tuple[Placement, ...]]:
    space = load_space(draw(st.sampled_from(sorted(SPACES))))
    several = st.lists(st.sampled_from(all_placements(space)), min_size=1, max_size=4, unique_by=_place)
    chosen = draw(several)
    widths = {p.unit: p.block.width for p in chosen if isinstance(p, Placement) and space.num_widths > 1}
    return space, tuple(p for p in chosen if not widths or _place(p)[0] == 0 or p.block.width == widths[p.unit])


def _place(placement: Placement | StemPlacement) -> tuple[int, object]:
    """What a placement fixes, so that two of one place exclude each other; 0 stands for the stem."""
    return (0, placement.part) if isinstance(placement, StemPlacement) else (placement.unit, placement.layer)


@settings(max_examples=200)
@given(placements(), st.integers(0, 2**32 - 1))
def test_paper_networks_hold_their_placements(case: tuple[Space, tuple[Placement, ...]], seed: int) -> None:
    space, fixed = case
    constraint = make_constraint(space, fixed)
    assert holds(sample_fixed(space, constraint, 50, np.random.default_rng(seed)), constraint).all()


@pytest.mark.parametrize("name", sorted(SPACES))
def test_every_single_placement_is_held(name: str) -> None:
    space = load_space(name)
    base = draw_base(space, 200, np.random.default_rng(0))
    for placement in all_placements(space):
        constraint = make_constraint(space, [placement])
        assert holds(base.networks(constraint, "paper"), constraint).all(), placement.name


@given(placements(), st.integers(0, 2**32 - 1))
def test_only_what_is_fixed_changes(case: tuple[Space, tuple[Placement, ...]], seed: int) -> None:
    space, fixed = case
    base = draw_base(space, 20, np.random.default_rng(seed))
    random, placed = base.networks(), base.networks(make_constraint(space, fixed))
    if all(_place(placement)[0] for placement in fixed):
        np.testing.assert_array_equal(random.stems, placed.stems)
    for unit, slots in enumerate(space.unit_slots, start=1):
        if unit not in {_place(placement)[0] for placement in fixed}:
            np.testing.assert_array_equal(random.blocks[:, slots], placed.blocks[:, slots])


@pytest.mark.parametrize("name", sorted(SPACES))
def test_random_networks_are_uniform(name: str) -> None:
    space = load_space(name)
    archs = sample_architectures(space, MANY, np.random.default_rng(3))
    for index, unit in enumerate(space.units):
        counts = [(archs.depths[:, index] == depth).sum() for depth in unit.depths]
        assert sum(counts) == MANY
        assert len(counts) == 1 or chisquare(counts).pvalue > ALPHA
    for slot in range(space.num_slots):
        blocks = archs.blocks[:, slot]
        assert chisquare(np.bincount(blocks[blocks >= 0], minlength=9)).pvalue > ALPHA


def test_stems_of_resnet50_are_as_upstream_draws_them() -> None:
    """Each of three indices is uniform, and two of the first convolution's are 24 channels."""
    space = load_space("resnet50")
    archs = sample_architectures(space, MANY, np.random.default_rng(3))
    counts = np.bincount(archs.stems, minlength=12)
    shares = np.array([(2 if stem.mid_channels == 24 else 1) / 18 for stem in space.stems])
    assert chisquare(counts, shares * MANY).pvalue > ALPHA
    for unit in range(4):
        assert chisquare(np.bincount(archs.widths[:, unit])).pvalue > ALPHA


@pytest.mark.parametrize(("layer", "shares"), [(3, [0, 2, 1]), (4, [0, 0, 3])])
def test_upstream_raises_the_depth_of_resnet50_to_what_is_needed(layer: int, shares: list[int]) -> None:
    space = load_space("resnet50")
    constraint = make_constraint(space, [Placement(1, layer, space.blocks[4])])
    archs = sample_fixed(space, constraint, MANY, np.random.default_rng(5), "upstream")
    assert holds(archs, constraint).all()
    counts = np.array([(archs.depths[:, 0] == depth).sum() for depth in (2, 3, 4)])
    np.testing.assert_allclose(counts / MANY, np.array(shares) / 3, atol=0.03)


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
def test_paper_depths_are_uniform_over_those_with_the_layer(layer: int) -> None:
    space = load_space("mbv3")
    constraint = make_constraint(space, [p for p in all_placements(space) if (p.unit, p.layer) == (3, layer)][:1])
    depths = sample_fixed(space, constraint, MANY, np.random.default_rng(4)).depths[:, 2]
    expected = [depth for depth in (2, 3, 4) if depth >= layer]
    counts = [(depths == depth).sum() for depth in expected]
    assert sum(counts) == MANY
    assert len(counts) == 1 or chisquare(counts).pvalue > ALPHA


@pytest.mark.parametrize(
    ("layer", "shares", "present"),
    [(1, [1, 1, 1], 1.0), (2, [1, 1, 1], 1.0), (3, [1, 1, 1], 2 / 3), (4, [0, 2, 1], 1 / 3)],
)
def test_upstream_raises_the_depth_to_one_less_than_needed(layer: int, shares: list[int], present: float) -> None:
    space = load_space("pn")
    constraint = make_constraint(space, [p for p in all_placements(space) if (p.unit, p.layer) == (2, layer)][:1])
    archs = sample_fixed(space, constraint, MANY, np.random.default_rng(5), "upstream")
    counts = np.array([(archs.depths[:, 1] == depth).sum() for depth in (2, 3, 4)])
    expected = np.array(shares) / 3 * MANY
    assert (counts[expected == 0] == 0).all()
    assert chisquare(counts[expected > 0], expected[expected > 0]).pvalue > ALPHA
    held = holds(archs, constraint)
    np.testing.assert_array_equal(held, archs.depths[:, 1] >= layer)
    assert held.mean() == pytest.approx(present, abs=0.03)


@pytest.mark.parametrize(
    ("unit", "layer", "expected"),
    [
        (1, 1, (2, 3, 4)),
        (1, 2, (3, 3, 4)),
        (1, 3, (4, 4, 4)),
        (1, 4, (4, 4, 4)),
        (3, 1, (4, 5, 6)),
        (3, 2, (5, 5, 6)),
        (3, 3, (6, 6, 6)),
        (3, 6, (6, 6, 6)),
    ],
)
def test_figure_4s_sampler_adds_layers_to_the_fewest(unit: int, layer: int, expected: tuple[int, ...]) -> None:
    """The line commented out in ``_fix_expand_ratio``: a number from 0 to 2, raised to the layer's, from 0."""
    space = load_space("resnet50")
    constraint = make_constraint(space, [Placement(unit, layer, space.blocks[4])])
    assert likely_depths(space, unit - 1, constraint, "upstream-fig4") == expected
    assert likely_depths(space, 1, constraint, "upstream-fig4") == (2, 3, 4)
    archs = sample_fixed(space, constraint, 100, np.random.default_rng(5), "upstream-fig4")
    assert holds(archs, constraint).all()
    assert set(archs.depths[:, unit - 1].tolist()) <= set(expected)


@pytest.mark.parametrize("name", ["pn", "mbv3"])
def test_figure_4s_sampler_is_upstreams_where_depths_are_counted_from_0(name: str) -> None:
    space = load_space(name)
    for constraint in all_constraints(space):
        for unit in range(len(space.units)):
            depths = likely_depths(space, unit, constraint, "upstream-fig4")
            assert depths == likely_depths(space, unit, constraint, "upstream")


def test_samplers_agree_where_the_layer_is_always_there() -> None:
    space = load_space("pn")
    base = draw_base(space, 100, np.random.default_rng(6))
    for placement in all_placements(space):
        if placement.layer <= 2:
            constraint = make_constraint(space, [placement])
            paper, upstream = base.networks(constraint, "paper"), base.networks(constraint, "upstream")
            np.testing.assert_array_equal(paper.blocks, upstream.blocks)


def test_a_seed_gives_the_same_networks() -> None:
    space = load_space("pn")
    one, two = (sample_architectures(space, 50, np.random.default_rng(9)).blocks for _ in range(2))
    other = sample_architectures(space, 50, np.random.default_rng(10)).blocks
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.parametrize("name", sorted(SPACES))
def test_distinct_networks_all_differ_and_a_seed_decides(name: str) -> None:
    space = load_space(name)
    one, two, other = (sample_distinct(space, 150, np.random.default_rng(seed)).to_strings() for seed in (4, 4, 5))
    assert len(set(one)) == 150
    assert one == two
    assert set(one).isdisjoint(other)


def test_repeated_networks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats are too rare to wait for, so the sampler is made to give each network twice."""

    def twice(space: Space, n: int, rng: np.random.Generator) -> Architectures:
        return Architectures.concatenate([sample_architectures(space, (n + 1) // 2, rng)] * 2)[:n]

    monkeypatch.setattr(sampling, "sample_architectures", twice)
    archs = sample_distinct(load_space("pn"), 101, np.random.default_rng(0))
    assert len(np.unique(archs.genes, axis=0)) == len(archs) == 101


def test_likely_depths_of_several_placements_follow_the_deepest() -> None:
    space = load_space("mbv3")
    constraint = make_constraint(
        space, [Placement(1, 1, space.blocks[0]), Placement(1, 3, space.blocks[1]), Placement(2, 4, space.blocks[0])]
    )
    assert likely_depths(space, 0, constraint, "paper") == (3, 4)
    assert likely_depths(space, 0, constraint, "upstream") == (2, 3, 4)
    assert likely_depths(space, 1, constraint, "upstream") == (3, 3, 4)
    assert likely_depths(space, 2, constraint, "paper") == (2, 3, 4)


def test_unknown_sampler() -> None:
    with pytest.raises(InputError, match=r"paper.*upstream.*upstream-fig4", check=coded("unknown-name")):
        check_sampler("uniform")
