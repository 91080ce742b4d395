"""Placements, and what --blocks takes."""

import pytest
from known_spaces import SPACES

from blockprof.foundation.errors import PlacementError
from blockprof.spaces import (
    MBConv,
    Placement,
    all_placements,
    load_space,
    make_constraint,
    parse_blocks,
    parse_constraint,
)

PN = load_space("pn")
RESNET50 = load_space("resnet50")


def test_every_placement_reads_back() -> None:
    for space in SPACES.values():
        for placement in all_placements(space):
            constraint = parse_constraint(space, placement.name)
            assert (*constraint.layers, *constraint.stem) == (placement,)
            assert constraint.name == placement.name


def test_slots_count_through_the_network() -> None:
    slots = [placement.slot(PN) for placement in all_placements(PN)]
    assert slots == [slot for slot in range(21) for _ in range(9)]


def test_joined_placements_are_sorted_so_equal_ones_are_equal() -> None:
    assert parse_constraint(PN, "u3.l1.e3k3 + u2.l1.e6k7") == parse_constraint(PN, "u2.l1.e6k7+u3.l1.e3k3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("u7.l1.e3k3", "units 1 to 6"),
        ("u0.l1.e3k3", "units 1 to 6"),
        ("u6.l2.e3k3", "unit 6 of pn has layers 1 to 1"),
        ("u1.l5.e3k3", "layers 1 to 4"),
        ("u1.l1.e5k3", "has the blocks e3k3"),
        ("u1.l1", "not a placement: write it like u2.l1.e3k3"),
        ("u1.l1.e3k3+u1.l1.e6k3", "two blocks for one layer"),
    ],
)
def test_placements_that_do_not_exist(text: str, message: str) -> None:
    with pytest.raises(PlacementError, match=message):
        parse_constraint(PN, text)


def test_no_placement_is_refused() -> None:
    with pytest.raises(PlacementError):
        make_constraint(PN, [])


def test_upstreams_nested_lists_count_from_zero() -> None:
    assert parse_blocks(PN, ["[[1, 0, 7, 6]]"], 224) == parse_blocks(PN, ["u2.l1.e6k7"], 224)
    both = parse_blocks(PN, ["[[1, 0, 7, 6, 224], [2, 3, 3, 4, 224]]"], 224)
    assert both[0].layers == (Placement(2, 1, MBConv(6, 7)), Placement(3, 4, MBConv(4, 3)))


@pytest.mark.parametrize(
    ("upstream", "ours"),
    [
        ("[[2, 2, 1, 0.35, 2]]", "u3.l2.w100.e35"),
        ("[[0, 0]]", "stem.skip"),
        ("[[0, 2]]", "stem.noskip"),
        ("[[1, 0, 1]]", "stem1.c24"),
        ("[[1, 0, 2]]", "stem1.c32"),
        ("[[1, 1, 1], [2, 0, 0, 0.2, 0]]", "stem2.c48+u1.l1.w65.e20"),
    ],
)
def test_upstreams_nested_lists_of_resnet50(upstream: str, ours: str) -> None:
    assert parse_blocks(RESNET50, [upstream], 224) == parse_blocks(RESNET50, [ours], 224)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stem1.c40", "not a placement: write it like u2.l1.w65.e20, or one of stem.skip, stem.noskip"),
        ("u3.l7.w100.e35", "layers 1 to 6"),
        ("u3.l1.e6k7", "has the blocks w65.e20"),
        ("stem.skip+stem.noskip", "two values for one part of the stem"),
        ("u1.l1.w65.e20+u1.l2.w80.e20", "two widths for unit 1"),
        ("[[1, 0, 3]]", "write"),
        ("[[2, 0, 0, 1, 0]]", "write"),
    ],
)
def test_placements_that_resnet50_does_not_have(text: str, message: str) -> None:
    with pytest.raises(PlacementError, match=message):
        parse_blocks(RESNET50, [text], 224)


def test_commas_separate_and_plus_joins() -> None:
    constraints = parse_blocks(PN, ["u2.l1.e6k7,u3.l1.e3k3+u4.l1.e3k3", "u1.l1.e3k3"], 224)
    assert [constraint.name for constraint in constraints] == ["u2.l1.e6k7", "u3.l1.e3k3+u4.l1.e3k3", "u1.l1.e3k3"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["[[1, 0, 7, 6, 192]]"], "resolution=192"),
        (["[[1, 0, 7]]"], "write"),
        (["[[1, 0, 7, true]]"], "write"),
        (["[__import__('os')]"], "not JSON"),
        (["[[1, 0, 7, 5]]"], "has the blocks"),
        ([","], "empty"),
        (["u1.l1.e3k3", "u1.l1.e3k3"], "given twice"),
    ],
)
def test_blocks_that_are_refused(texts: list[str], message: str) -> None:
    with pytest.raises(PlacementError, match=message):
        parse_blocks(PN, texts, 224)
