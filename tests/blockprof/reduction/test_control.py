"""Random reductions as small as another one."""

from dataclasses import replace

import numpy as np
import pytest
from codes import coded
from known_spaces import SPACES

from blockprof.foundation.errors import InputError
from blockprof.metrics import load_reference
from blockprof.reduction import Reduction, load_preset, load_reduction, preset_names, random_control, sample_reduced
from blockprof.searching import Objective, Problem, SearchSpec
from blockprof.searching.study import StudyPlan
from blockprof.spaces import load_space


@pytest.mark.parametrize("space_name", SPACES)
def test_leaves_out_as_much_elsewhere(space_name: str) -> None:
    space = load_space(space_name)
    for name in preset_names(space):
        like = load_preset(space, name)
        drawn = [random_control(like, seed) for seed in range(20)]
        for one in drawn:
            assert [len(depths) for depths in one.depths] == [len(depths) for depths in like.depths]
            assert one.stems.sum() == like.stems.sum()
            for unit, slots in enumerate(space.unit_slots):
                assert len(one.widths(unit)) == len(like.widths(unit))
                reached = slice(slots.start, slots.start + min(max(one.depths[unit]), max(like.depths[unit])))
                kept = one.kinds[reached][:, list(one.widths(unit))].sum(axis=2)
                np.testing.assert_array_equal(kept, like.kinds[reached][:, list(like.widths(unit))].sum(axis=2))
            assert one.contains(sample_reduced(one, 50, np.random.default_rng(0))).all()
        assert len({one.blocks.tobytes() + str(one.depths).encode() for one in drawn}) > 5


def test_a_seed_gives_the_same_draw() -> None:
    like = load_preset(load_space("pn"), "paper-npu")
    assert np.array_equal(random_control(like, 3).blocks, random_control(like, 3).blocks)


def test_is_named_where_reductions_are() -> None:
    space = load_space("pn")
    assert load_reduction(space, "random").control_of is not None
    gpu = load_reduction(space, "random:paper-gpu", seed=2)
    assert np.array_equal(gpu.blocks, random_control(load_preset(space, "paper-gpu"), 2).blocks)
    with pytest.raises(InputError, match="nonsense", check=coded("unknown-name")):
        load_reduction(space, "random:nonsense")


def test_each_seed_of_a_study_draws_its_own() -> None:
    space = load_space("pn")
    objectives = tuple(Objective(load_reference(space, name), name == "accuracy") for name in ("accuracy", "npu"))
    problem = Problem(load_reduction(space, "random", seed=5), objectives)
    plan = StudyPlan(problem, SearchSpec(seed=5, initial=5, generations=1, children=5), num_seeds=2, compares=True)
    first, second, *whole = [searched.reduction for searched, _ in plan.searches]
    assert np.array_equal(first.blocks, problem.reduction.blocks)
    assert not np.array_equal(first.blocks, second.blocks)
    assert [one.name for one in whole] == ["whole space"] * 2
    for result, reduction in zip(plan.run().searches, (first, second), strict=True):
        assert reduction.contains(result.archs).all()


def test_layers_that_the_other_one_never_reaches_keep_all_blocks() -> None:
    space = load_space("pn")
    whole = Reduction.whole(space)
    blocks = whole.blocks.copy()
    blocks[3, 1:] = False
    shallow = replace(whole, blocks=blocks, depths=((2, 3), *whole.depths[1:]))
    drawn = next(one for one in (random_control(shallow, seed) for seed in range(50)) if 4 in one.depths[0])
    assert drawn.kinds[3].all()
