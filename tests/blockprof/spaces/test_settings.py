"""OFA's settings of a network, read as net strings are."""

import json
from typing import Any

import numpy as np
import pytest
from codes import coded

from blockprof.foundation.errors import NetStringError
from blockprof.networks.modules import subnet_settings
from blockprof.spaces import Architectures, is_settings, load_space, parse_settings
from blockprof.spaces.sampling import sample_architectures

MBV3 = load_space("mbv3")
ONE = subnet_settings(sample_architectures(MBV3, 1, np.random.default_rng(0)))


@pytest.mark.parametrize("name", ["mbv3", "pn", "resnet50"])
def test_what_export_writes_is_read_again(name: str) -> None:
    space = load_space(name)
    archs = sample_architectures(space, 50, np.random.default_rng(1))
    written = [{**subnet_settings(archs, index), "image_size": 176} for index in range(len(archs))]
    read, sizes = parse_settings(space, json.dumps(written))
    np.testing.assert_array_equal(read.genes, archs.genes)
    assert set(sizes) == {176}
    nets = [json.dumps(one) for one in written]
    np.testing.assert_array_equal(Architectures.from_strings(space, nets).genes, archs.genes)


@pytest.mark.parametrize("filler", [None, 0, 99, "x", [], True])
def test_whatever_stands_for_absent_layers_does_not_matter(filler: object) -> None:
    settings = {"ks": [7] * 20, "e": [6] * 20, "d": [2, 2, 4, 2, 3]}
    for unit, depth in enumerate(settings["d"]):
        for key in ("ks", "e"):
            settings[key][4 * unit + depth : 4 * unit + 4] = [filler] * (4 - depth)  # type: ignore[call-overload]
    archs, sizes = parse_settings(MBV3, json.dumps(settings))
    layer = "mbconv3_e6_k7"
    assert archs.to_strings() == ["|".join("->".join([layer] * depth) for depth in (2, 2, 4, 2, 3))]
    assert sizes == (None,)


@pytest.mark.parametrize("given", [{"r": 176}, {"r": [176]}, {"r": 176.0}, {"image_size": 176}, {"r": 176, "w": None}])
def test_resolutions(given: dict[str, Any]) -> None:
    assert parse_settings(MBV3, json.dumps(ONE | given))[1] == (176,)


def test_a_unit_of_one_depth_takes_any_number_as_ofa_does() -> None:
    space = load_space("pn")
    settings = subnet_settings(sample_architectures(space, 1, np.random.default_rng(0)))
    deeper = {**settings, "d": [*settings["d"][:5], 4]}
    assert (
        parse_settings(space, json.dumps(deeper))[0].to_strings()
        == parse_settings(space, json.dumps(settings))[0].to_strings()
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"ks": ' + "1" * 5000 + "}", "no JSON"),
        ("[]", "holds no networks"),
        ("[1]", "network 1: is no network: write"),
        ("{}", "d must be a list of 5 numbers: there is none"),
        (ONE | {"d": [2, 2, 2, 2]}, "d must be a list of 5 numbers: 4 of them"),
        (ONE | {"d": [2, 2, 5, 2, 2]}, "d: unit 3 would have 5 layers, but mbv3 allows 2 or 3 or 4"),
        (ONE | {"d": [2, 2, True, 2, 2]}, "d must be a list of 5 whole numbers: entry 3 is none"),
        (ONE | {"d": [2, 2, float("nan"), 2, 2]}, "entry 3 is none"),
        (ONE | {"d": [2, 2, float("inf"), 2, 2]}, "entry 3 is none"),
        (ONE | {"ks": [9] * 20}, "e and ks at unit 1, layer 1 are . and 9: mbv3 has 3, 4, 6 and 3, 5, 7"),
        (ONE | {"ks": [None] * 20}, "e and ks at unit 1, layer 1"),
        (ONE | {"e": 6}, "e must be a list of 20 numbers"),
        (ONE | {"r": 100}, "its resolution is not one of mbv3"),
        (ONE | {"r": "224"}, "its resolution is not one of mbv3"),
        (ONE | {"r": 224, "image_size": 176}, "its resolution is not one of mbv3"),
        ([ONE, ONE | {"e": [5] * 20}], "network 2: e and ks at unit 1, layer 1"),
    ],
)
def test_what_is_no_network(content: object, said: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    assert is_settings(text)
    with pytest.raises(NetStringError, match=said):
        parse_settings(MBV3, text)


def test_bottlenecks_that_are_none() -> None:
    space = load_space("resnet50")
    one = subnet_settings(sample_architectures(space, 1, np.random.default_rng(0)))
    for change, said in [
        ({"e": [0.3] * 18}, "w and e at unit 1, layer 1 are .* and 30.0: resnet50 has 65, 80, 100 and 20, 25, 35"),
        ({"w": [0, 3, 0, 0, 0, 0]}, "w has the index 3: there are 0 to 2"),
        ({"w": [0, 0, -1, 0, 0, 0]}, "w has the index -1"),
        ({"d": [2, 3, 0, 0, 0]}, "d: unit 1 would have 5 layers"),
    ]:
        with pytest.raises(NetStringError, match=said):
            parse_settings(space, json.dumps(one | change))


def test_one_net_string_is_one_network() -> None:
    with pytest.raises(NetStringError, match="2", check=coded("not-one-network")):
        Architectures.from_strings(MBV3, [json.dumps([ONE, ONE])])
