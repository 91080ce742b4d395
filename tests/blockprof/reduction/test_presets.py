"""The paper's reductions, against the figures of the paper's reductions as it states them."""

import numpy as np
import pytest
from codes import coded
from known_spaces import SPACES

from blockprof.foundation.errors import InputError
from blockprof.reduction import Reduction, load_preset, preset_names, sample_reduced
from blockprof.spaces import Space, load_space

ALL = [(space, name) for space in SPACES.values() for name in preset_names(space)]


def kept(reduction: Reduction) -> list[str]:
    """The blocks that every slot keeps, where all keep the same."""
    assert (reduction.blocks == reduction.blocks[0]).all()
    return [block.name for block, here in zip(reduction.space.blocks, reduction.blocks[0], strict=True) if here]


def test_the_names() -> None:
    assert preset_names(load_space("pn")) == ("paper-npu", "paper-gpu", "paper-cpu", "paper-max-accuracy")
    assert set(preset_names(load_space("mbv3"))) == {*preset_names(load_space("pn")), "paper-note10"}
    assert preset_names(load_space("resnet50")) == ("paper-max-accuracy",)


def test_npu_has_no_7x7_kernel_and_mutates_the_late_units_more() -> None:
    reduction = load_preset(load_space("pn"), "paper-npu")
    assert kept(reduction) == ["e3k3", "e3k5", "e4k3", "e4k5", "e6k3", "e6k5"]
    assert reduction.mutation_probabilities.tolist() == [0.25, 0.25, 0.25, 0.5, 0.5, 0.5]
    assert reduction.num_networks == (6**2 + 6**3 + 6**4) ** 5 * 6


def test_gpu_drops_blocks_and_layers() -> None:
    reduction = load_preset(load_space("mbv3"), "paper-gpu")
    assert kept(reduction) == ["e3k5", "e4k5", "e4k7", "e6k3", "e6k5", "e6k7"]
    assert [max(depths) for depths in reduction.depths] == [4, 3, 4, 3, 3]
    assert (reduction.mutation_probabilities == 0.5).all()


def test_resnet50_keeps_the_widest_late_units() -> None:
    reduction = load_preset(load_space("resnet50"), "paper-max-accuracy")
    assert reduction.depths == ((2, 3, 4), (2, 3, 4), (6,), (4,))
    assert [reduction.widths(unit) for unit in range(4)] == [(0, 1, 2), (0, 1, 2), (2,), (2,)]
    assert reduction.stems.all()


@pytest.mark.parametrize(("space", "name"), ALL, ids=[f"{space.name}-{name}" for space, name in ALL])
def test_each_is_smaller_than_the_space_and_says_why(space: Space, name: str) -> None:
    reduction = load_preset(space, name)
    assert reduction.num_networks < Reduction.whole(space).num_networks
    assert reduction.reasons
    assert reduction.contains(sample_reduced(reduction, 100, np.random.default_rng(0))).all()


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"pn.*paper-note10.*paper-npu.*paper-gpu", check=coded("unknown-name")):
        load_preset(load_space("pn"), "paper-note10")
