"""The spaces' data against the networks of the ofa package, and against the paper's counts."""

import numpy as np
import pytest
import torch
from codes import coded
from known_spaces import SPACES
from torch import nn

from blockprof.foundation.errors import InputError
from blockprof.foundation.torchvision_import import import_torchvision
from blockprof.networks.modules import build_subnet, subnet_settings, take_apart
from blockprof.spaces import (
    Architectures,
    BottleneckInstance,
    Space,
    StemInstance,
    all_placements,
    load_space,
    network_holding,
)
from blockprof.spaces.sampling import sample_architectures

import_torchvision()
from ofa.utils.layers import IdentityLayer  # noqa: E402


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


@pytest.mark.parametrize(
    ("name", "placements", "instances"), [("pn", 189, 99), ("mbv3", 180, 90), ("resnet50", 169, 159)]
)
def test_counts_of_placements_and_instances(name: str, placements: int, instances: int) -> None:
    space = load_space(name)
    assert len(all_placements(space)) == placements
    assert len(space.instances) == instances


@pytest.mark.parametrize(
    ("upstream", "name"),
    [("OFAPred", "mbv3"), ("OFASupernet", "mbv3"), ("ProxylessSupernet", "pn"), ("ResNet50Supernet", "resnet50")],
)
def test_upstream_names(upstream: str, name: str) -> None:
    assert load_space(upstream).name == name


def test_unknown_space_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"vgg.*mbv3.*pn", check=coded("unknown-space")):
        load_space("vgg")


@pytest.fixture(params=["mbv3", "pn"])
def mobile(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


def test_instances_describe_the_modules_of_ofa(mobile: Space) -> None:
    for block_index, block in enumerate(mobile.blocks):
        archs = Architectures(mobile, np.full((1, mobile.num_slots), block_index))
        layers = list(build_subnet(archs).blocks)[1:]
        for slot, layer in enumerate(layers):
            instance = mobile.instances[mobile.catalogue().layers[slot, 0, block_index]]
            depthwise = layer.conv.depth_conv
            assert instance.block == block
            assert instance.unit == mobile.slot_unit[slot]
            assert layer.conv.in_channels == instance.in_channels
            assert layer.conv.out_channels == instance.out_channels
            assert depthwise.conv.in_channels == instance.mid_channels
            assert depthwise.conv.kernel_size == (block.kernel, block.kernel)
            assert depthwise.conv.stride == (instance.stride, instance.stride)
            assert (layer.shortcut is not None) == instance.has_skip
            assert hasattr(depthwise, "se") == instance.squeeze_excite
            if instance.squeeze_excite:
                assert depthwise.se.fc.reduce.out_channels == instance.squeeze_channels


def test_every_instance_of_resnet50_describes_the_module_of_ofa() -> None:
    space = load_space("resnet50")
    seen: set[int] = set()
    for index in range(len(space.instances)):
        if index in seen:
            continue
        archs = network_holding(space, index)
        ids = archs.ids[0].tolist()
        assert index in ids
        for found, module in zip(ids, take_apart(build_subnet(archs)), strict=True):
            seen.add(found)
            instance = space.instances[found]
            if isinstance(instance, StemInstance):
                convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
                assert len(convolutions) == (2 if instance.stem.skip else 3)
                assert convolutions[0].out_channels == instance.stem.mid_channels
                assert convolutions[-1].out_channels == instance.out_channels
            elif isinstance(instance, BottleneckInstance):
                assert (module.in_channels, module.out_channels) == (instance.in_channels, instance.out_channels)
                assert module.mid_channels == instance.mid_channels
                assert module.expand_ratio * 100 == pytest.approx(instance.block.expand)
                assert module.conv2.conv.stride == (instance.stride, instance.stride)
                assert isinstance(module.downsample, IdentityLayer) == instance.has_skip
            else:
                assert module.classifier.linear.in_features == instance.in_channels
    assert seen == set(range(len(space.instances)))


def test_stem_and_head_widths_are_ofas(mobile: Space) -> None:
    network = build_subnet(Architectures(mobile, np.zeros((1, mobile.num_slots), dtype=int)))
    assert (network.first_conv.out_channels,) == mobile.stem.mid_channels
    assert (next(iter(network.blocks)).conv.out_channels,) == mobile.stem.out_channels
    head = [getattr(network, name) for name in ("final_expand_layer", "feature_mix_layer") if hasattr(network, name)]
    assert tuple(layer.out_channels for layer in head) == mobile.head_widths


@pytest.mark.parametrize("resolution", [224, 180, 132])
def test_sizes_follow_the_convolutions(space: Space, resolution: int) -> None:
    archs = network_holding(space, 0)
    modules = take_apart(build_subnet(archs))
    tensor, sizes = torch.zeros(1, 3, resolution, resolution), []
    with torch.no_grad():
        for module in modules[:-1]:
            before, tensor = tensor.shape[-1], module(tensor)
            sizes.append((before, tensor.shape[-1]))
    *chain, _ = archs.ids[0].tolist()
    instances = [space.instances[index] for index in chain if index < len(space.instances)]
    described = [(instance.in_size(resolution), instance.out_size(resolution)) for instance in instances]
    assert sizes[-len(described) :] == described
    assert len(sizes) - len(described) == space.fixed_parts.count("stem")


def test_subnet_settings_are_what_was_asked(mobile: Space) -> None:
    archs = sample_architectures(mobile, 1, np.random.default_rng(1))
    settings = subnet_settings(archs)
    assert settings["d"] == archs.depths[0].tolist()
    for slot in np.flatnonzero(archs.blocks[0] >= 0):
        assert settings["ks"][slot] == mobile.blocks[archs.blocks[0, slot]].kernel
        assert settings["e"][slot] == mobile.blocks[archs.blocks[0, slot]].expand


def test_subnet_settings_of_resnet50() -> None:
    units = [("168", 2), ("512", 4), ("816", 5), ("2048", 3)]
    net = "|".join(["stem+res_h32_o48", *("->".join([f"res_e0.25_k3_w{width}"] * depth) for width, depth in units)])
    settings = subnet_settings(Architectures.from_strings(load_space("resnet50"), [net]))
    assert settings["d"] == [2, 0, 2, 1, 1]
    assert settings["w"] == [2, 1, 0, 2, 1, 2]
    assert len(settings["e"]) == 18
    assert settings["e"][:2] == [0.25, 0.25]
