"""The spaces' data against the networks of the ofa package, and against the paper's counts."""

import numpy as np
import pytest

from blockprof.errors import InputError
from blockprof.networks import build_subnet, subnet_settings
from blockprof.spaces import SPACES, Architectures, Space, all_placements, load_space


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


@pytest.mark.parametrize(("name", "placements", "instances"), [("pn", 189, 99), ("mbv3", 180, 90)])
def test_counts_of_placements_and_instances(name: str, placements: int, instances: int) -> None:
    space = load_space(name)
    assert len(all_placements(space)) == placements
    assert len(space.instances) == instances


@pytest.mark.parametrize(
    ("upstream", "name"), [("OFAPred", "mbv3"), ("OFASupernet", "mbv3"), ("ProxylessSupernet", "pn")]
)
def test_upstream_names(upstream: str, name: str) -> None:
    assert load_space(upstream).name == name


def test_unknown_space_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"unknown space 'vgg'.*mbv3.*pn"):
        load_space("vgg")


def test_instances_describe_the_modules_of_ofa(space: Space) -> None:
    for block_index, block in enumerate(space.blocks):
        archs = Architectures(space, np.full((1, space.num_slots), block_index))
        layers = list(build_subnet(archs).blocks)[1:]
        for slot, layer in enumerate(layers):
            instance = space.instances[space.instance_ids[slot, block_index]]
            depthwise = layer.conv.depth_conv
            assert instance.block == block
            assert instance.unit == space.slot_unit[slot]
            assert layer.conv.in_channels == instance.in_channels
            assert layer.conv.out_channels == instance.out_channels
            assert depthwise.conv.in_channels == instance.mid_channels
            assert depthwise.conv.kernel_size == (block.kernel, block.kernel)
            assert depthwise.conv.stride == (instance.stride, instance.stride)
            assert (layer.shortcut is not None) == instance.has_skip
            assert hasattr(depthwise, "se") == instance.squeeze_excite
            if instance.squeeze_excite:
                assert depthwise.se.fc.reduce.out_channels == instance.squeeze_channels


def test_stem_and_head_widths_are_ofas(space: Space) -> None:
    network = build_subnet(Architectures(space, np.zeros((1, space.num_slots), dtype=int)))
    assert network.first_conv.out_channels == space.stem_width
    assert next(iter(network.blocks)).conv.out_channels == space.entry_width
    head = [getattr(network, name) for name in ("final_expand_layer", "feature_mix_layer") if hasattr(network, name)]
    assert tuple(layer.out_channels for layer in head) == space.head_widths


@pytest.mark.parametrize("resolution", [224, 180, 132])
def test_sizes_follow_the_convolutions(space: Space, resolution: int) -> None:
    import torch

    network = build_subnet(Architectures(space, np.zeros((1, space.num_slots), dtype=int)))
    sizes: list[tuple[int, int]] = []
    for layer in network.blocks:
        layer.register_forward_hook(lambda _m, inputs, output: sizes.append((inputs[0].shape[-1], output.shape[-1])))
    with torch.no_grad():
        network(torch.zeros(1, 3, resolution, resolution))
    instances = [space.instances[index] for index in space.instance_ids[:, 0]]
    assert sizes[1:] == [(i.in_size(resolution), i.out_size(resolution)) for i in instances]


def test_subnet_settings_are_what_was_asked(space: Space) -> None:
    rng = np.random.default_rng(1)
    depths = [unit.depths[0] for unit in space.units]
    blocks = rng.integers(9, size=(1, space.num_slots))
    blocks[0, space.slot_layer >= np.array(depths)[space.slot_unit]] = -1
    settings = subnet_settings(Architectures(space, blocks))
    assert settings["d"] == depths
    for slot in np.flatnonzero(blocks[0] >= 0):
        assert settings["ks"][slot] == space.blocks[blocks[0, slot]].kernel
        assert settings["e"][slot] == space.blocks[blocks[0, slot]].expand
