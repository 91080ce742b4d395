"""Facts of block instances: those that ship against fresh modules and graphs, and against formulas written by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from blockprof.networks import facts
from blockprof.networks.facts import count_modules, read_graphs
from blockprof.networks.graph import read_quantities, without_weights
from blockprof.networks.onnx.fragments import export_fragment
from blockprof.spaces import Space, load_space, space_names
from blockprof.spaces.facts import COUNTS, QUANTITIES, shipped_facts

SHIPPED = tuple(name for name in space_names() if load_space(name).assets.facts is not None)


def small(space: Space) -> Space:
    """As many of a space's instances as a test has time for, by its own names."""
    num_depths = 2 if len(space.stems) > 1 else 1  # OFA tells a stem that is skipped by a depth: it needs two
    units = tuple(replace(unit, depths=unit.depths[:num_depths]) for unit in space.units)
    return replace(space, units=units, expands=space.expands[-1:], kernels=space.kernels[-1:])


def test_all_large_spaces_bring_their_facts() -> None:
    assert set(SHIPPED) >= {"pn", "mbv3"}
    for name in SHIPPED:
        shipped = shipped_facts(load_space(name), 224)
        assert shipped is not None
        assert shipped.counted_by.startswith("torchprofile ")


@pytest.mark.parametrize(("name", "resolution"), [("mbv3", 180), ("pn", 144), ("resnet50", 132)])
def test_shipped_facts_are_those_of_fresh_modules_and_graphs(name: str, resolution: int) -> None:
    space = load_space(name)
    shipped = shipped_facts(space, resolution)
    if shipped is None:
        pytest.skip(f"{name} brings none")
    few = small(space)
    known = [space.instances.index(instance) for instance in few.instances]
    counted, read = count_modules(few, resolution), read_graphs(few, resolution)
    for quantity in COUNTS:
        np.testing.assert_array_equal(shipped.values[quantity][known], counted.values[quantity])
        assert shipped.base[quantity] == counted.base[quantity]
    for quantity, values in read.values.items():
        np.testing.assert_array_equal(shipped.values[quantity][known], values)


def test_a_space_of_the_same_name_and_other_blocks_does_not_get_them() -> None:
    pn = load_space("pn")
    assert shipped_facts(replace(pn, kernels=(3, 5)), 224) is None


def _read(module: nn.Module, size: int) -> dict[str, float]:
    return read_quantities(without_weights(export_fragment(module.eval())), size, "layer")


class _Excited(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.expand, self.spatial = nn.Conv2d(4, 12, 1), nn.Conv2d(12, 12, 5, padding=2, groups=12)
        self.squeeze, self.excite, self.project = nn.Conv2d(12, 3, 1), nn.Conv2d(3, 12, 1), nn.Conv2d(12, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.spatial(torch.relu(self.expand(x)))
        y = y * torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        return x + self.project(y)


def test_an_inverted_residual_with_squeeze_and_excite() -> None:
    read, area = _read(_Excited(), 10), 100
    expected = dict.fromkeys(QUANTITIES, 0.0) | {
        "blocks": 1,
        "expand_macs": 4 * 12 * area,
        "depthwise_macs": 25 * 12 * area,
        "depthwise5_macs": 25 * 12 * area,
        "project_macs": 12 * 4 * area,
        "squeeze_excites": 1,
        "squeeze_macs": 2 * 12 * 3,
        "squeeze_activations": 2 * 12 * area,
        "activations": (4 + 12 + 12 + 12 + 12 + 4 + 4) * area,
        "weights": 4 * 12 + 25 * 12 + 2 * 12 * 3 + 12 * 4,
    }
    assert {name: value for name, value in read.items() if name != "nodes"} == expected
    assert read["nodes"] == 11  # 5 convolutions, 2 relu, mean, sigmoid, product, sum


def test_a_stride_and_groups_and_a_pair_of_1x1_convolutions() -> None:
    strided = _read(nn.Conv2d(4, 8, 3, stride=2, padding=1), 10)
    assert strided["spatial_macs"] == strided["strided_macs"] == 9 * 4 * 8 * 25
    assert strided["depthwise_macs"] == 0
    grouped = _read(nn.Conv2d(4, 8, 1, groups=2), 10)
    assert (grouped["shortcut_macs"], grouped["weights"]) == (2 * 8 * 100, 2 * 8)


def test_linear_maps_and_products_of_activations() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.map = nn.Linear(6, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = self.map(x.flatten(2).transpose(1, 2))
            mixed = torch.softmax(tokens @ tokens.transpose(1, 2), -1) @ tokens
            return x + mixed.transpose(1, 2).reshape(x.shape)

    bare = without_weights(export_fragment(Attends().eval(), (6, 4)))
    read = read_quantities(bare, 4, "layer")
    assert (read["linear_macs"], read["attention_macs"], read["weights"]) == (36 * 16, 2 * 6 * 16**2, 36)


def test_what_no_space_brings_is_counted_once_and_kept(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path))
    space = replace(small(load_space("pn")), name="once")
    first = facts.load_quantities(space, 128)
    facts._load.cache_clear()
    monkeypatch.setattr(facts, "read_graphs", lambda *_: pytest.fail("read again"))
    again = facts.load_quantities(space, 128)
    for quantity, values in first.values.items():
        np.testing.assert_array_equal(again.values[quantity], values)
