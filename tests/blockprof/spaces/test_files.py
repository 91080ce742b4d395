"""Spaces as files: what is read, what is refused and where, and spaces that nobody thought of."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from blockprof.foundation.errors import DataFileError, InputError, NetStringError
from blockprof.spaces import Architectures, Space, from_settings, load_space, network_holding
from blockprof.spaces.expectation import expected_counts, network_counts
from blockprof.spaces.files import BUILT_IN, parse_space
from blockprof.spaces.listed import unit_columns
from blockprof.spaces.sampling import sample_architectures

SMALL = """\
name: small
resolutions: {from: 32, to: 64, step: 32}
stem: [{operator: conv, channels: 8, stride: 2}]
units:
  - {channels: 8, stride: 1, layers: [1, 2]}
  - {channels: 16, stride: 2, layers: 2, activation: h_swish}
head: [{operator: classifier}]
operator: mbconv2
choices: {expand: [1, 4], kernel: [3, 5]}
"""


pytestmark = pytest.mark.usefixtures("own_spaces")


def test_a_file_is_a_space_by_its_path_and_then_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL)
    space = load_space(str(tmp_path / "mine.yaml"))
    assert load_space("small") is space
    assert load_space(str(tmp_path / "mine.yaml")) is space
    assert [block.name for block in space.blocks] == ["e1k3", "e1k5", "e4k3", "e4k5"]
    assert [axis.labels for axis in space.axes] == [("1", "4"), ("3", "5")]
    assert [unit.depths for unit in space.units] == [(1, 2), (2,)]
    # The first unit's first layer is as its others: no stride, no change of channels, but it has a name of its own.
    assert len(space.instances) == 16
    assert space.fixed_parts == ("stem", "head")


def test_another_definition_of_the_same_name_is_refused(tmp_path: Path) -> None:
    for name, text in (("a", SMALL), ("b", SMALL.replace("channels: 16", "channels: 24"))):
        (tmp_path / f"{name}.yaml").write_text(text)
    load_space(str(tmp_path / "a.yaml"))
    with pytest.raises(InputError, match=r"b\.yaml.*'name' is small, which another space has.*choose another"):
        load_space(str(tmp_path / "b.yaml"))


def test_choices_that_layers_share() -> None:
    space = parse_space(f"{SMALL}same_in_unit: [kernel]\n", "mine")
    assert (space.num_widths, space.blocks_per_width) == (2, 2)
    assert [block.name for block in space.blocks] == ["k3e1", "k3e4", "k5e1", "k5e4"]
    archs = sample_architectures(space, 50, np.random.default_rng(0))
    for net in archs.to_strings():
        for unit in net.split("|"):
            assert len({token.split("_")[1] for token in unit.split("->")}) == 1
    with pytest.raises(NetStringError, match="unit 2"):
        Architectures.from_strings(space, ["mbconv2_k3_e1|mbconv2_k3_e1->mbconv2_k5_e1"])


def test_widths_as_a_choice() -> None:
    text = SMALL.replace("channels: 8, stride: 1", "channels: [8, 12], stride: 1").replace(
        "channels: 16", "channels: [16, 24]"
    )
    space = parse_space(f"{text}widths: [80, 100]\n", "mine")
    assert [block.name for block in space.blocks][::4] == ["w80.e1k3", "w100.e1k3"]
    assert "head" not in space.fixed_parts
    net = "mbconv2_e1_k3_w12|mbconv2_e4_k3_w16->mbconv2_e1_k5_w16"
    archs = Architectures.from_strings(space, [net])
    described = [space.instances[index] for index in archs.ids[0] if index < len(space.instances)]
    assert [(one.in_channels, one.out_channels) for one in described] == [(8, 12), (12, 16), (16, 16), (16, 1000)]


def test_a_skip_that_changes_nothing_is_absent() -> None:
    space = load_space("fbnet")
    skip = [block.name for block in space.blocks].index("skip")
    archs, _ = from_settings(space, [[skip] * 22])
    present = [space.instances[index].name for index in archs.ids[0] if index < len(space.instances)]
    # Those that stride or change the channels are 1x1 convolutions.
    assert present == [f"u{unit}.first.skip" for unit in range(2, 8)]


def test_published_facts_of_the_built_in_spaces() -> None:
    fbnet, mnasnet = load_space("fbnet"), load_space("mnasnet")
    assert [unit.max_depth for unit in fbnet.units] == [1, 4, 4, 4, 4, 4, 1]
    assert fbnet.num_slots == 22
    assert [block.name for block in fbnet.blocks][:2] == ["k3_e1", "k3_e1_g2"]
    assert [unit.widths[0] for unit in fbnet.units] == [16, 24, 32, 64, 112, 184, 352]
    assert unit_columns(mnasnet)[:5] == ("e1", "k1", "se1", "l1", "e2")


def test_networks_in_others_forms() -> None:
    mnasnet = load_space("mnasnet")
    entry = {
        f"{name}{unit}": value for unit in range(1, 8) for name, value in (("e", 4), ("k", 5), ("l", 2), ("se", 1))
    }
    (net,) = from_settings(mnasnet, [entry])[0].to_strings()
    assert net == "|".join(["mbconv2_e4_k5_se1->mbconv2_e4_k5_se1"] * 7)
    space = parse_space(SMALL, "mine")
    ofa = {"ks": [3, 5, 5, 3], "e": [1, 4, 4, 1], "d": [1, 2]}
    assert from_settings(space, [ofa])[0].to_strings() == ["mbconv2_e1_k3|mbconv2_e4_k5->mbconv2_e1_k3"]
    assert Architectures.from_strings(space, ["[0, null, 3, 0]"]).to_strings() == [
        "mbconv2_e1_k3|mbconv2_e4_k5->mbconv2_e1_k3"
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([0, 1], "has 2 indices of blocks, where small has 4 layers"),
        ([0, None, 3, 9], r"entry 4 is 9: small has the blocks 0 to 3"),
        ([0, None, None, 3], "unit 2 has 1 layers, but small allows 2"),
        ({"ks": [3], "e": [1], "d": [1, 2]}, r"(ks|e) must be a list of 4 numbers"),
        ({"ks": [3, 7, 3, 7], "e": [1, 1, 1, 1], "d": [1, 2]}, "ks is 7.*3, 5"),
        ({"e1": 1, "k1": 3, "l1": 3}, "l1 is 3: small allows 1 or 2"),
        ({"x": 1}, "is no network of small.*a list of 4 indices"),
        (3, "is no network of small"),
    ],
)
def test_networks_that_are_none(entry: object, message: str) -> None:
    with pytest.raises(NetStringError, match=message):
        from_settings(parse_space(SMALL, "mine"), [entry])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: small", "name: !!python/object:os.system small", r"line 1: the tag tag:yaml.org,2002:python/object"),
        ("stem: [", "stem: &a [", "line 3: anchors and aliases are not read"),
        ("head: [{operator: classifier}]", "head: *a", "anchors and aliases are not read"),
        ("choices:", "chioces:", r"line 9: 'chioces' is no key.*is choices meant\?"),
        ("choices: {expand: [1, 4], kernel: [3, 5]}", "", "either 'choices' or 'blocks'"),
        ("operator: mbconv2", "operator: mbconv9", r"line 8: 'operator' is 'mbconv9', no operator.*mbconv"),
        ("activation:", "activaton:", r"line 6: 'units.2.activaton' is no key.*activation meant"),
        (
            "channels: 16",
            "channels: sixteen",
            r"line 6: 'units.2.channels' must be a whole number",
        ),
        ("channels: 16", "channels: [16, 24]", r"line 6: 'units.2.channels' must be one number"),
        ("stride: 2, layers: 2", "stride: 3, layers: 2", r"line 6: 'units.2.stride' is 3.*1, 2, 4"),
        ("layers: [1, 2]", "layers: 0", r"line 5: 'units.1.layers' must be a whole number"),
        ("to: 64", "to: 16", r"line 2: 'resolutions' are 32 to 16"),
        ("kernel: [3, 5]", "kernel: [3, 3]", r"line 9: 'choices.kernel' must be different"),
        ("kernel: [3, 5]", f"kernel: {list(range(1, 200))}", r"line 9: 'choices' make 398 blocks: at most 127"),
        ("layers: 2,", "layers: 90000,", r"line 4: 'units' make 360,008 places of blocks"),
        ("head: [{operator: classifier}]", "head: []", r"line 7: 'head' must be a list that is not empty"),
        ("head: [{operator: classifier}]\n", "", "has no 'head'"),
        ("name: small", "name: small\nname: other", r"line 2: the key 'name' is there twice"),
        ("name: small", "name: my space", "cannot name a space"),
        ("stem: [", "stem: [[", "is not YAML"),
    ],
)
def test_files_that_are_no_space(old: str, new: str, message: str) -> None:
    assert old in SMALL
    with pytest.raises(DataFileError, match=message) as caught:
        parse_space(SMALL.replace(old, new), "mine.yaml")
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_built_in_operators_are_those_that_build() -> None:
    from blockprof.networks.operators import OPERATORS

    assert tuple(OPERATORS) == BUILT_IN


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """A random space: any choices, shared or not, named blocks with skips, widths, depths, strides."""
    is_named = draw(st.booleans())
    num_widths = draw(st.integers(1, 3))
    units = []
    for _ in range(draw(st.integers(1, 4))):
        channels = draw(st.lists(st.integers(1, 8), min_size=num_widths, max_size=num_widths, unique=True))
        depths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
        sizes = [8 * one for one in channels]
        units.append(
            {
                "channels": sizes if num_widths > 1 else sizes[0],
                "stride": draw(st.sampled_from([1, 2])),
                "layers": depths,
            }
        )
    content: dict[str, object] = {
        "name": "random",
        "resolutions": {"from": 32, "to": 64, "step": 32},
        "stem": [{"operator": "conv", "channels": 8 * draw(st.integers(1, 3)), "stride": 2}],
        "units": units,
        "head": [{"operator": "classifier"}],
    }
    if num_widths > 1:
        content["widths"] = [50, 75, 100][:num_widths]
    if is_named:
        names = draw(st.lists(st.sampled_from(["a", "b_1", "c", "k5_e3"]), min_size=1, unique=True))
        content["blocks"] = {name: {"operator": "fbnet", "kernel": 3, "expand": 1} for name in names}
        if draw(st.booleans()):
            content["blocks"]["skip"] = {"operator": "skip"}  # type: ignore[index]
        content["same_in_unit"] = draw(st.booleans())
    else:
        settings = draw(
            st.lists(st.sampled_from(["kernel", "expand", "se", "ratio"]), min_size=1, max_size=3, unique=True)
        )
        values = st.lists(
            st.one_of(st.integers(0, 9), st.sampled_from([0.5, 1.25])), min_size=1, max_size=3, unique=True
        )
        content["operator"] = "mbconv2"
        content["choices"] = {name: draw(values) for name in settings}
        content["same_in_unit"] = draw(st.one_of(st.booleans(), st.just(settings[:1])))
    return parse_space(yaml.safe_dump(content, sort_keys=False), "random")


@example_settings(max_examples=40)
@given(spaces(), st.integers(0, 2**32 - 1))
def test_random_spaces_encode_and_spell_their_networks(space: Space, seed: int) -> None:
    archs = sample_architectures(space, 20, np.random.default_rng(seed))
    assert np.array_equal(Architectures.from_strings(space, archs.to_strings()).genes, archs.genes)
    assert len(set(archs.to_strings())) == len(np.unique(archs.genes, axis=0))
    given_blocks = [[None if one < 0 else one for one in row] for row in archs.blocks.tolist()]
    assert np.array_equal(from_settings(space, given_blocks)[0].genes, archs.genes)
    names = [instance.name for instance in space.instances]
    assert len(set(names)) == len(names)
    for index in range(len(names)):
        assert index in network_holding(space, index).ids
    # What is encoded fits together: each present instance takes the channels and size that the one before gives.
    for row in archs.ids:
        channels, size = space.stem.out_channels[0], 64 >> space.stem.halvings
        for index in row[1:-1]:
            if index < len(names):
                instance = space.instances[index]
                assert (instance.in_channels, instance.in_size(64)) == (channels, size)
                channels, size = instance.out_channels, instance.out_size(64)
    mean = network_counts(archs).mean(axis=0)
    exact = expected_counts(space, [None], "paper")[0]
    assert mean.shape == exact.shape
    assert np.isclose(exact[:-1].sum(), _mean_length(space, exact), rtol=1e-9)


def _mean_length(space: Space, exact: np.ndarray) -> float:
    """How many instances a random network has: its layers, without skips that are absent, and a head that varies."""
    total = 0.0
    catalogue = space.catalogue()
    for unit, slots in enumerate(space.unit_slots):
        depths = space.units[unit].depths
        for layer, slot in enumerate(range(slots.start, slots.stop)):
            reached = sum(depth > layer for depth in depths) / len(depths)
            states = catalogue.layers[slot] if layer == 0 and unit else catalogue.layers[slot, :1]
            total += reached * float((states < catalogue.absent).mean())
    return total + ("head" not in space.fixed_parts)
