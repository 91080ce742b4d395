"""Placements, and what --blocks takes."""

import pytest

from blockprof.errors import PlacementError
from blockprof.spaces import Block, Placement, all_placements, load_space, make_fixing, parse_blocks, parse_fixing

PN = load_space("pn")


def test_every_placement_reads_back() -> None:
    for space in (PN, load_space("mbv3")):
        for placement in all_placements(space):
            assert parse_fixing(space, placement.name).placements == (placement,)


def test_slots_count_through_the_network() -> None:
    slots = [placement.slot(PN) for placement in all_placements(PN)]
    assert slots == [slot for slot in range(21) for _ in range(9)]


def test_joined_placements_are_sorted_so_equal_ones_are_equal() -> None:
    assert parse_fixing(PN, "u3.l1.e3k3 + u2.l1.e6k7") == parse_fixing(PN, "u2.l1.e6k7+u3.l1.e3k3")


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
        parse_fixing(PN, text)


def test_no_placement_is_refused() -> None:
    with pytest.raises(PlacementError):
        make_fixing(PN, [])


def test_upstreams_nested_lists_count_from_zero() -> None:
    assert parse_blocks(PN, ["[[1, 0, 7, 6]]"], 224) == parse_blocks(PN, ["u2.l1.e6k7"], 224)
    both = parse_blocks(PN, ["[[1, 0, 7, 6, 224], [2, 3, 3, 4, 224]]"], 224)
    assert both[0].placements == (Placement(2, 1, Block(6, 7)), Placement(3, 4, Block(4, 3)))


def test_commas_separate_and_plus_joins() -> None:
    fixings = parse_blocks(PN, ["u2.l1.e6k7,u3.l1.e3k3+u4.l1.e3k3", "u1.l1.e3k3"], 224)
    assert [fixing.name for fixing in fixings] == ["u2.l1.e6k7", "u3.l1.e3k3+u4.l1.e3k3", "u1.l1.e3k3"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["[[1, 0, 7, 6, 192]]"], "--resolution 192"),
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
