"""Expected counts against exact means and against counted samples."""

import numpy as np
import pytest
from known_spaces import SPACES

from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.predictors.features import instance_counts
from blockprof.profiling.exact import exact_statistics
from blockprof.spaces import Constraint, Space, all_constraints, load_space, parse_constraint
from blockprof.spaces.expectation import expected_counts
from blockprof.spaces.sampling import SAMPLERS, Sampler, draw_base

INFO = MetricInfo("cost", "ms", False, "table", "made up")
MBCONVS = ("u2.l1.e6k7+u3.l2.e3k3", "u2.l2.e4k5+u2.l4.e3k7", "u1.l3.e6k3+u4.l4.e6k7+u5.l1.e3k5")
JOINT = {
    "pn": MBCONVS,
    "mbv3": MBCONVS,
    "resnet50": ("u2.l1.w80.e20+u3.l6.w100.e35", "u1.l2.w65.e25+u1.l4.w65.e20+stem.skip"),
}


def joint_constraints(space: Space) -> list[Constraint]:
    return [parse_constraint(space, text) for text in JOINT[space.name]]


def constraints_of(space: Space) -> list[Constraint | None]:
    return [None, *all_constraints(space), *joint_constraints(space)]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("by", ["instance", "placement"])
@pytest.mark.parametrize("name", sorted(SPACES))
def test_exact_means_are_counts_times_costs(name: str, by, sampler: Sampler) -> None:
    space = load_space(name)
    counts = expected_counts(space, constraints_of(space), sampler, by)
    costs = np.random.default_rng(0).normal(1.0, 2.0, counts.shape[1])
    metric = AdditiveMetric(INFO, space, base=float(costs[-1]), costs=costs[:-1], by=by)
    exact = exact_statistics(metric, constraints_of(space), sampler).column("mean")
    np.testing.assert_allclose(counts @ costs, exact, rtol=1e-9)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", sorted(SPACES))
def test_counting_sampled_networks_agrees(name: str, sampler: Sampler) -> None:
    """Within four and a half standard errors, of some 1,500 counts; what is never there is never expected."""
    space, n = load_space(name), 20_000
    base = draw_base(space, n, np.random.default_rng(3))
    constraints = [None, *all_constraints(space)[5::23], *joint_constraints(space)]
    for expected, constraint in zip(expected_counts(space, constraints, sampler), constraints, strict=True):
        counts = instance_counts(base.networks(constraint, sampler))
        error = np.abs(counts.mean(axis=0) - expected)
        assert (error <= 4.5 * counts.std(axis=0) / np.sqrt(n) + 1e-12).all(), constraint


def test_random_networks_hold_a_block_a_layer() -> None:
    space = load_space("pn")
    (random,) = expected_counts(space, [None], "paper")
    assert random[-1] == 1
    assert random[:-1].sum() == pytest.approx(sum(np.mean(unit.depths) for unit in space.units))
