"""Net strings and arrays of networks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockprof.errors import InputError, NetStringError
from blockprof.sampling import sample_architectures
from blockprof.spaces import SPACES, Architectures, Space, load_space

spaces = st.sampled_from(sorted(SPACES)).map(load_space)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Space, list[str]]:
    """A space and net strings written from its definition, not by the codec."""
    space = draw(spaces)
    block = st.sampled_from([f"{space.operator}_e{b.expand}_k{b.kernel}" for b in space.blocks])

    def unit(depths: tuple[int, ...]) -> st.SearchStrategy[str]:
        layers = st.sampled_from(depths).flatmap(lambda depth: st.lists(block, min_size=depth, max_size=depth))
        return layers.map("->".join)

    net = st.tuples(*(unit(u.depths) for u in space.units)).map("|".join)
    return space, draw(st.lists(net, min_size=1, max_size=4))


@given(networks())
def test_strings_survive_a_round_trip(case: tuple[Space, list[str]]) -> None:
    space, nets = case
    archs = Architectures.from_strings(space, nets)
    assert archs.to_strings() == nets
    assert archs.depths.tolist() == [[len(unit.split("->")) for unit in net.split("|")] for net in nets]


@given(spaces, st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_arrays_survive_a_round_trip(space: Space, seed: int, count: int) -> None:
    archs = sample_architectures(space, count, np.random.default_rng(seed))
    again = Architectures.from_strings(space, archs.to_strings())
    np.testing.assert_array_equal(again.blocks, archs.blocks)


@given(networks())
def test_encoding_tells_each_layers_instance(case: tuple[Space, list[str]]) -> None:
    space, nets = case
    ids = Architectures.from_strings(space, nets).ids
    for net, row in zip(nets, ids, strict=True):
        present = [space.instances[index] for index in row if index < len(space.instances)]
        spelled = [
            (unit, "first" if layer == 0 else "rest", token)
            for unit, text in enumerate(net.split("|"))
            for layer, token in enumerate(text.split("->"))
        ]
        found = [(i.unit, i.position, f"{i.operator}_e{i.block.expand}_k{i.block.kernel}") for i in present]
        assert found == spelled
    absent = Architectures.from_strings(space, nets).blocks < 0
    np.testing.assert_array_equal(ids == len(space.instances), absent)


PN_NET = "|".join(["mbconv2_e3_k3->mbconv2_e4_k5"] * 5 + ["mbconv2_e6_k7"])


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (PN_NET.replace("e4_k5", "e5_k5"), r"unknown block 'mbconv2_e5_k5' at unit 1, layer 2"),
        (PN_NET.rpartition("|")[0], "5 units, but pn has 6"),
        (PN_NET + "->mbconv2_e3_k3", "unit 6 has 2 layers, but pn allows 1"),
        (PN_NET.replace("->mbconv2_e4_k5", "", 1), "unit 1 has 1 layers, but pn allows 2 or 3 or 4"),
        ("", "1 units"),
        (PN_NET.replace("mbconv2", "mbconv3"), "is a block of mbv3, not of pn"),
        ("mbconv3_e3_k3->mbconv3_e4_k5|mbconv3_e3_k3", "is a block of mbv3, not of pn"),
    ],
)
def test_wrong_strings_are_refused(net: str, message: str) -> None:
    with pytest.raises(NetStringError, match=message):
        Architectures.from_strings(load_space("pn"), [PN_NET, net])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:, :-1], "21 slots"),
        (lambda b: np.where(b == b, 9, b), "-1 to 8"),
        (lambda b: np.where(np.arange(21) == 0, -1, b), "first ones"),
        (lambda b: np.where(np.arange(21) < 4, -1, b), "unit 1 of pn has 2 or 3 or 4 layers"),
    ],
)
def test_arrays_that_are_no_networks_are_refused(change, message: str) -> None:
    blocks = np.zeros((2, 21), dtype=np.int8)
    Architectures(load_space("pn"), blocks)
    with pytest.raises(InputError, match=message):
        Architectures(load_space("pn"), change(blocks))


def test_selecting_and_joining() -> None:
    archs = sample_architectures(load_space("mbv3"), 5, np.random.default_rng(0))
    joined = Architectures.concatenate([archs[3], archs[:2], archs[np.array([4])]])
    assert len(archs[3]) == 1
    assert joined.to_strings() == [archs.to_strings()[index] for index in (3, 0, 1, 4)]
