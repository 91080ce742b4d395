"""The network is the paper's, with what it is fed, for each space."""

import numpy as np
import pytest
import torch

from blockprof.predictors.gru.features import chains, network_inputs, num_operators, shape_scales
from blockprof.predictors.gru.network import GruNetwork, NetworkSpec
from blockprof.spaces import Architectures, load_space
from blockprof.spaces.sampling import sample_architectures

PN_NET = (
    "mbconv2_e6_k3->mbconv2_e4_k7|mbconv2_e3_k3->mbconv2_e3_k5|mbconv2_e4_k3->mbconv2_e6_k7->mbconv2_e6_k5|"
    "mbconv2_e4_k3->mbconv2_e4_k5|mbconv2_e3_k3->mbconv2_e4_k5|mbconv2_e3_k7"
)
RESNET_NET = (
    "stem_h32_o48|res_e0.25_k3_w256->res_e0.2_k3_w256|res_e0.35_k3_w336->res_e0.2_k3_w336|"
    "res_e0.2_k3_w816->res_e0.2_k3_w816->res_e0.2_k3_w816->res_e0.25_k3_w816|res_e0.2_k3_w1328->res_e0.35_k3_w1328"
)


@pytest.mark.parametrize(
    ("space", "operators", "total"), [("pn", 9, 1_974_369), ("mbv3", 9, 1_974_369), ("resnet50", 15, 1_975_041)]
)
def test_it_has_the_papers_parameters(space: str, operators: int, total: int) -> None:
    assert num_operators(load_space(space)) == operators
    network = GruNetwork(NetworkSpec(operators))
    shapes = {name: tuple(weights.shape) for name, weights in network.named_parameters()}
    direction = {"weight_ih_l0": (1536, 128), "weight_hh_l0": (1536, 512), "bias_ih_l0": (1536,), "bias_hh_l0": (1536,)}
    assert shapes == {
        "operators.weight": (operators, 112),
        "shapes.weight": (16, 6),
        "shapes.bias": (16,),
        **{f"gru.{name}": shape for name, shape in direction.items()},
        **{f"gru.{name}_reverse": shape for name, shape in direction.items()},
        "output.weight": (1, 1024),
        "output.bias": (1,),
    }
    assert sum(weights.numel() for weights in network.parameters()) == total
    assert total == operators * 112 + 112 + 2 * 3 * (512 * 128 + 512 * 512 + 2 * 512) + 1025


def test_inputs_of_pn_are_those_of_the_released_code() -> None:
    """Operators by expansion ratio, then kernel; sizes halved rounding down, over 112; channels over 416."""
    space = load_space("pn")
    archs = Architectures.from_strings(space, [PN_NET])
    operators, shapes, lengths = network_inputs(archs, np.array([204]), shape_scales(space))
    assert lengths.tolist() == [12]
    assert operators[0, :12].tolist() == [6, 5, 0, 1, 3, 8, 7, 3, 4, 0, 4, 2]
    assert operators.shape == (1, 22)  # the most layers, and a stem where these vary
    assert not operators[0, 12:].any()
    assert not shapes[0, 12:].any()
    expected = [
        (102, 51, 102, 51, 24, 32),
        (51, 51, 51, 51, 32, 32),
        (51, 25, 51, 25, 32, 56),
        (25, 25, 25, 25, 56, 56),
    ]
    np.testing.assert_allclose(shapes[0, :4], np.array(expected) / ([112] * 4 + [416] * 2), rtol=1e-6)


def test_a_step_of_the_backward_direction_is_all_of_it() -> None:
    torch.manual_seed(0)
    network = GruNetwork(NetworkSpec(9, hidden=24)).eval()
    rng = np.random.default_rng(0)
    space = load_space("mbv3")
    archs = sample_architectures(space, 30, rng)
    inputs = [torch.from_numpy(array) for array in network_inputs(archs, np.full(30, 224), shape_scales(space))]
    operators, shapes, lengths = inputs
    found = network(operators, shapes, lengths)
    for index, length in enumerate(lengths.tolist()):
        chain = slice(index, index + 1), slice(length)
        embedded = torch.cat([network.operators(operators[chain]), network.shapes(shapes[chain])], dim=-1)
        both, _ = network.gru(embedded)
        torch.testing.assert_close(found[index], network.output(both[0, -1])[0])


def test_a_resnet50_begins_with_its_stem() -> None:
    """Stems: by width within, width out, then with the block and without; their shapes are before the pooling."""
    space = load_space("resnet50")
    archs = Architectures.from_strings(space, [RESNET_NET])
    ids, lengths = chains(archs)
    assert ids.shape == (1, 19)
    operators, shapes, _ = network_inputs(archs, np.array([200]), np.ones(6))
    assert lengths.tolist() == [11]
    assert operators[0, :11].tolist() == [9, 13, 12, 14, 12, 12, 12, 12, 13, 12, 14]
    assert shapes[0, :4].tolist() == [
        [200, 100, 200, 100, 3, 48],
        [50, 50, 50, 50, 48, 256],
        [50, 50, 50, 50, 256, 256],
        [50, 25, 50, 25, 256, 336],
    ]
