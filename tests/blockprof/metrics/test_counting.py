"""Counts from block instances against torchprofile on whole networks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from torch import nn

from blockprof.foundation.errors import BlockprofError
from blockprof.metrics.counting import is_counted, load_count
from blockprof.networks import facts
from blockprof.networks.counting import count_macs
from blockprof.networks.modules import build_subnet
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures


@pytest.mark.parametrize(("name", "count"), [("mbv3", 50), ("pn", 50), ("resnet50", 30)])
def test_macs_and_parameters_of_many_networks_equal_whole_network_counts(name: str, count: int) -> None:
    space = load_space(name)
    archs = sample_architectures(space, count, np.random.default_rng(7))
    image = torch.zeros(1, 3, 224, 224)
    macs, params = [], []
    for index in range(count):
        network = build_subnet(archs, index)
        macs.append(count_macs(network, image))
        params.append(sum(parameter.numel() for parameter in network.parameters()))
    np.testing.assert_array_equal(load_count(space, "macs", 224).evaluate(archs), macs)
    np.testing.assert_array_equal(load_count(space, "params", 224).evaluate(archs), params)


@pytest.mark.parametrize(("name", "resolution"), [("mbv3", 180), ("mbv3", 132), ("resnet50", 132)])
def test_macs_at_odd_sizes(name: str, resolution: int) -> None:
    space = load_space(name)
    archs = sample_architectures(space, 5, np.random.default_rng(8))
    image = torch.zeros(1, 3, resolution, resolution)
    whole = [count_macs(build_subnet(archs, index), image) for index in range(len(archs))]
    np.testing.assert_array_equal(load_count(space, "macs", resolution).evaluate(archs), whole)


def _by_definition(network: nn.Module, image: torch.Tensor) -> int:
    """Multiply-adds by hand: a k x k convolution's are its outputs times its inputs a group times k * k."""
    total = 0

    def add(part: nn.Module, _: object, out: torch.Tensor) -> None:
        nonlocal total
        if isinstance(part, nn.Conv2d):
            channels, height, width = out.shape[1:]
            kernel = part.kernel_size[0] * part.kernel_size[1]
            total += channels * height * width * kernel * part.in_channels // part.groups
        elif isinstance(part, nn.Linear):
            total += part.in_features * part.out_features

    for part in network.modules():
        part.register_forward_hook(add)
    with torch.no_grad():
        network(image)
    return total


@pytest.mark.parametrize(("name", "resolution"), [("mbv3", 224), ("mbv3", 132), ("pn", 224), ("resnet50", 224)])
def test_convolutions_and_linear_layers_alone_equal_the_count_of_whole_networks(name: str, resolution: int) -> None:
    from blockprof.foundation.torchvision_import import import_torchvision

    import_torchvision()
    from ofa.utils.flops_counter import profile

    space = load_space(name)
    archs = sample_architectures(space, 5, np.random.default_rng(9))
    counted = load_count(space, "conv_macs", resolution).evaluate(archs)
    image = torch.zeros(1, 3, resolution, resolution)
    whole = [_by_definition(build_subnet(archs, index), image) for index in range(5)]
    np.testing.assert_array_equal(counted, whole)
    # OFA's own counter adds in single precision.
    ofa = [profile(build_subnet(archs, index), image.shape)[0] for index in range(5)]
    np.testing.assert_allclose(counted, ofa, rtol=1e-6)


def test_torchprofile_counts_more_than_convolutions_and_says_so() -> None:
    for name, least, most in (("mbv3", 1.02, 1.03), ("pn", 1.012, 1.02), ("resnet50", 1.002, 1.005)):
        space = load_space(name)
        archs = sample_architectures(space, 200, np.random.default_rng(0))
        macs, conv_macs = (load_count(space, each, 224) for each in ("macs", "conv_macs"))
        ratio = macs.evaluate(archs) / conv_macs.evaluate(archs)
        assert (least <= ratio).all()
        assert (ratio <= most).all()
    assert "with batch norm, pooling and squeeze-and-excite (up to 3 % above conv_macs" in macs.info.source
    assert conv_macs.info.source.startswith("counted of convolutions and linear layers only")
    assert load_count(space, "params", 224).info.source == "counted from the modules at 224 x 224"


def test_flops_are_twice_the_macs_in_millions() -> None:
    space = load_space("pn")
    archs = sample_architectures(space, 10, np.random.default_rng(0))
    macs, flops = (load_count(space, name, 224).evaluate(archs) for name in ("macs", "flops"))
    np.testing.assert_allclose(flops, macs * 2e-6, rtol=1e-12)


def test_the_papers_flops_heat_map() -> None:
    """Fig. 2 prints 790 to 824 MFLOPs for mbv3; its sampler is upstream's."""
    from blockprof.profiling import profile

    responses = profile(load_space("mbv3"), [load_count(load_space("mbv3"), "flops", 224)], sampler="upstream")
    by_block = responses.response_frame().set_index("block")["response"]
    assert by_block["e6k7"] > by_block["e6k3"] > by_block["e4k3"] > by_block["e3k3"]


def test_counts_are_kept_and_damaged_ones_counted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path))
    pn = load_space("pn")
    units = (*(replace(unit, depths=(2,)) for unit in pn.units[:-1]), pn.units[-1])
    space = replace(pn, name="small", units=units, expands=(3,), kernels=(3,))
    assert not is_counted(space, 160)
    first = load_count(space, "macs", 160)
    assert is_counted(space, 160)
    (kept,) = (tmp_path / "facts").iterdir()
    assert "torchprofile" in kept.name
    whole = kept.read_text()
    damages = ["", "{", "[1]", "3", "null", json.dumps({"macs": [1.0]}), "9" * 5000, '{"macs": 1' + "0" * 5000 + "}"]
    damages += ["[" * 100_000, whole.replace("[", "[NaN, ", 1), whole.replace("[", "[[", 1), whole[:-1]]
    damages += [json.dumps({**json.loads(whole), key: value}) for key in ("values", "base") for value in ({}, None)]
    for damage in damages:
        facts._load.cache_clear()
        kept.write_text(damage)
        assert not is_counted(space, 160)
        repaired = load_count(space, "macs", 160)
        assert is_counted(space, 160)
        np.testing.assert_array_equal(first.costs, repaired.costs)


def test_an_operator_that_cannot_be_counted_is_an_error() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.inv(x)

    with pytest.raises(BlockprofError, match=r"aten.*linalg_inv", check=coded("operator-not-counted")):
        count_macs(Odd(), torch.eye(3)[None])
