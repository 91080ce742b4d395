"""An effect is the sum of its layer's and its block's: by hand, by sampling, and with the intervals of both."""

from dataclasses import replace

import numpy as np
import pytest

import blockprof
from blockprof.metrics import load_reference
from blockprof.profiling.additive import additive_statistics
from blockprof.profiling.places import complete_places
from blockprof.spaces import all_constraints
from blockprof.spaces.sampling import draw_base


@pytest.fixture(scope="module")
def space():
    return blockprof.load_space("pn")


def test_the_parts_are_the_mean_of_the_place_and_what_is_beyond_it(space):
    frame = blockprof.profile(space, ["npu"]).placement_frame()
    there = frame[(frame["unit"] == 5) & (frame["layer"] == 4)]
    assert there["depth_effect"].to_numpy() == pytest.approx(np.full(9, there["effect"].mean()))
    assert there["contrast"].to_numpy() == pytest.approx((there["effect"] - there["effect"].mean()).to_numpy())
    assert (frame.loc[frame["layer"] <= 2, "depth_effect"] == 0.0).all(), "every network has these layers"
    assert frame["depth_effect"].to_numpy() == pytest.approx((frame["effect"] - frame["contrast"]).to_numpy())


def test_the_depth_effect_is_that_of_networks_that_have_the_layer(space):
    metric = load_reference(space, "npu")
    archs = draw_base(space, 40_000, np.random.default_rng(0)).networks()
    values = metric.evaluate(archs)
    has_fourth = archs.depths[:, 4] == 4
    frame = blockprof.profile(space, ["npu"]).placement_frame().set_index("placement")
    noise = values.std() / np.sqrt(has_fourth.sum())
    found = values[has_fourth].mean() - values.mean()
    assert frame.loc["u5.l4.e3k3", "depth_effect"] == pytest.approx(found, abs=4 * noise)


def test_parts_are_empty_where_a_block_of_the_place_is_missing(space):
    names = [each.name for each in all_constraints(space)][:10]
    frame = blockprof.profile(space, ["npu"], blocks=[*names, "u3.l1.e6k7+u4.l1.e6k7"]).placement_frame()
    assert frame["contrast"].notna().tolist() == [True] * 9 + [False] * 2
    assert frame["depth_effect_upper"].notna().tolist() == [True] * 9 + [False] * 2


def test_stems_have_parts_too():
    space = blockprof.load_space("resnet50")
    places = complete_places(space, all_constraints(space))
    assert sorted(map(len, places)) == [2, 2, 3] + [9] * 18
    frame = blockprof.profile(space, ["flops"]).placement_frame().set_index("placement")
    assert frame.loc["stem.skip", "contrast"] == pytest.approx(-frame.loc["stem.noskip", "contrast"])
    assert frame.loc["stem1.c24", "depth_effect"] > 0, "the stem's middle layer is there, or not"


def test_intervals_of_fitted_costs_follow_the_one_direction_in_which_they_are_uncertain(space):
    metric = load_reference(space, "npu")
    *costs, base = direction = 0.1 * np.random.default_rng(0).standard_normal(len(metric.costs) + 1)
    fitted = replace(metric, covariance=np.outer(direction, direction))
    moved = replace(metric, base=base, costs=np.reshape(costs, metric.costs.shape))
    constraints = all_constraints(space)
    found = additive_statistics(fitted, constraints, [], "paper")
    frame = blockprof.profile(space, [moved]).placement_frame()
    assert found.depth_half_widths[1:] == pytest.approx(
        1.96 * frame["depth_effect"].abs().to_numpy(), rel=1e-3, abs=1e-6
    )
    assert found.contrast_half_widths[1:] == pytest.approx(1.96 * frame["contrast"].abs().to_numpy(), rel=1e-3)


def test_sampled_parts_are_paired_differences(space):
    exact = blockprof.profile(space, ["npu"]).placement_frame()
    sampled = blockprof.profile(space, ["npu"], num_archs=60).placement_frame()
    assert sampled["contrast"].to_numpy() == pytest.approx(exact["contrast"].to_numpy())
    half = sampled["depth_effect_upper"] - sampled["depth_effect"]
    late = sampled["layer"] > 2
    inside = (sampled["depth_effect"] - exact["depth_effect"]).abs() <= half
    assert (half[late] > 0).all()
    assert inside[late].mean() > 0.7
