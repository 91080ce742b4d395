"""Net strings and arrays of networks."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from known_spaces import WITH_NARROW

from blockprof.foundation.errors import InputError, NetStringError
from blockprof.spaces import Architectures, Space, Unit, load_space
from blockprof.spaces.sampling import sample_architectures

spaces = st.sampled_from(sorted(WITH_NARROW)).map(load_space)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Space, list[str]]:
    """A space and net strings written from its definition, not by the codec."""
    space = draw(spaces)

    def unit(unit: Unit) -> st.SearchStrategy[str]:
        if space.name == "resnet50":
            tokens = st.sampled_from(unit.widths).map(
                lambda width: [f"res_e{e}_k3_w{width}" for e in (0.2, 0.25, 0.35)]
            )
        else:
            tokens = st.just([f"{space.operator}_e{b.expand}_k{b.kernel}" for b in space.blocks])
        depth = st.sampled_from(unit.depths)
        layers = st.tuples(tokens, depth).flatmap(
            lambda pair: st.lists(st.sampled_from(pair[0]), min_size=pair[1], max_size=pair[1])
        )
        return layers.map("->".join)

    parts = [unit(u) for u in space.units]
    if space.name == "resnet50":
        choices = st.tuples(*map(st.sampled_from, [("stem", "stem+res"), (24, 32), (40, 48, 64)]))
        parts = [choices.map(lambda choice: "{}_h{}_o{}".format(*choice)), *parts]
    return space, draw(st.lists(st.tuples(*parts).map("|".join), min_size=1, max_size=4))


@given(networks())
def test_strings_survive_a_round_trip(case: tuple[Space, list[str]]) -> None:
    space, nets = case
    archs = Architectures.from_strings(space, nets)
    assert archs.to_strings() == nets
    units = [net.split("|")[-len(space.units) :] for net in nets]
    assert archs.depths.tolist() == [[len(unit.split("->")) for unit in row] for row in units]


@given(spaces, st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_arrays_survive_a_round_trip(space: Space, seed: int, count: int) -> None:
    archs = sample_architectures(space, count, np.random.default_rng(seed))
    again = Architectures.from_strings(space, archs.to_strings())
    np.testing.assert_array_equal(again.genes, archs.genes)


@given(networks())
def test_encoding_tells_each_layers_instance(case: tuple[Space, list[str]]) -> None:
    space, nets = case
    assume(space.name != "resnet50")
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
    np.testing.assert_array_equal(ids[:, 1:-1] == len(space.instances), absent)
    assert (ids[:, [0, -1]] == len(space.instances)).all()


def test_encoding_of_resnet50_tells_widths_on_both_sides() -> None:
    space = load_space("resnet50")
    units = ["res_e0.2_k3_w168->res_e0.35_k3_w168", "res_e0.25_k3_w512->res_e0.2_k3_w512"]
    units += ["->".join(["res_e0.2_k3_w816"] * 4), "->".join(["res_e0.35_k3_w1328"] * 3)]
    net = "|".join(["stem_h24_o48", *units])
    names = [space.instances[i].name for i in Architectures.from_strings(space, [net]).ids[0] if i < 159]
    assert names == [
        "stem.skip.c24.c48",
        *("u1.first.w65.e20.from48", "u1.rest.w65.e35"),
        *("u2.first.w100.e25.from168", "u2.rest.w100.e20"),
        *("u3.first.w80.e20.from512", *["u3.rest.w80.e20"] * 3),
        *("u4.first.w65.e35.from816", *["u4.rest.w65.e35"] * 2),
        "head.c1328",
    ]


RESNET50_NET = "|".join(
    ["stem+res_h32_o64", *("->".join([f"res_e0.2_k3_w{w}"] * n) for w, n in ((168, 2), (336, 2), (664, 4), (1328, 2)))]
)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (RESNET50_NET.replace("h32", "h40"), "unknown stem 'stem.res_h40_o64': resnet50 has stem"),
        (RESNET50_NET.replace("w664->", "w816->", 1), "unit 3 has layers of several widths"),
        (RESNET50_NET.replace("w664", "w512"), "unknown block 'res_e0.2_k3_w512' at unit 3, layer 1"),
        (RESNET50_NET.partition("|")[2], "unknown stem 'res_e0.2_k3_w168->res_e0.2_k3_w168'"),
        (
            "|".join(["mbconv2_e3_k3->mbconv2_e3_k3"] * 5 + ["mbconv2_e3_k3"]),
            "is a network of pn or pn-w1.0, not of resnet50",
        ),
    ],
)
def test_wrong_strings_of_resnet50_are_refused(net: str, message: str) -> None:
    with pytest.raises(NetStringError, match=message):
        Architectures.from_strings(load_space("resnet50"), [RESNET50_NET, net])


def test_networks_of_resnet50_without_their_stem_or_with_two_widths_are_refused() -> None:
    space = load_space("resnet50")
    blocks = np.zeros((1, 18), dtype=np.int8)
    Architectures(space, blocks, np.array([11]))
    for stems, changed, message in (
        (None, blocks, "differ in their stems"),
        (np.array([12]), blocks, "0 to 11"),
        (np.array([0, 0]), blocks, "1 networks"),
        (np.array([0]), np.where(np.arange(18) == 1, 3, blocks), "one width"),
    ):
        with pytest.raises(InputError, match=message):
            Architectures(space, changed) if stems is None else Architectures(space, changed, stems)


PN_NET = "|".join(["mbconv2_e3_k3->mbconv2_e4_k5"] * 5 + ["mbconv2_e6_k7"])
MBV3_NET = "|".join(["mbconv3_e3_k3->mbconv3_e4_k5"] * 5)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (PN_NET.replace("e4_k5", "e5_k5"), r"unknown block 'mbconv2_e5_k5' at unit 1, layer 2"),
        (PN_NET.rpartition("|")[0], "5 units, but pn has 6"),
        (PN_NET + "->mbconv2_e3_k3", "unit 6 has 2 layers, but pn allows 1"),
        (PN_NET.replace("->mbconv2_e4_k5", "", 1), "unit 1 has 1 layers, but pn allows 2 or 3 or 4"),
        ("", "1 units"),
        (MBV3_NET, "is a network of mbv3 or mbv3-w1.0, not of pn"),
        (
            PN_NET.replace("mbconv2", "mbconv3"),
            "unknown block 'mbconv3_e3_k3' at unit 1, layer 1: pn has",
        ),
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
