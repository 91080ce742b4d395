"""The best networks against listing every network, and against large samples of whole spaces."""

from dataclasses import replace
from itertools import chain, product

import numpy as np
import pytest

from blockprof.errors import InputError
from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.reduction import Reduction
from blockprof.search import Limit, Objective, Problem
from blockprof.search.exact import solve_exactly
from blockprof.spaces import SPACES, Architectures, CostsBy, FloatArray, Space, load_space


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


def random_metric(space: Space, name: str, rng: np.random.Generator, by: CostsBy, *, whole: bool = False, up=False):
    """Costs of either sign; whole numbers, of which many networks have the same sum, or not."""
    size = space.catalogue(by).absent
    costs = rng.integers(-3, 6, size).astype(float) if whole else rng.normal(1.0, 2.0, size)
    return AdditiveMetric(MetricInfo(name, "u", up, "table", "made up"), space, rng.normal(), costs, by)


def small_reduction(space: Space, rng: np.random.Generator) -> Reduction:
    """Some thousand networks: a few blocks a slot, one or two depths a unit, a few stems."""
    while True:
        blocks = rng.random((space.num_slots, len(space.blocks))) < (0.35 if space.num_widths > 1 else 0.12)
        depths = tuple(tuple(rng.choice(unit.depths, rng.integers(1, 3)).tolist()) for unit in space.units)
        stems = rng.permutation(len(space.stems)) < 2
        try:
            reduction = replace(
                Reduction.whole(space),
                name="small",
                blocks=blocks,
                depths=tuple(tuple(sorted(set(each))) for each in depths),
                stems=stems,
            )
        except InputError:
            continue
        if 50 <= reduction.num_networks <= 2000:
            return reduction


def all_networks(reduction: Reduction) -> Architectures:
    """Every network, by listing."""
    space = reduction.space
    units = []
    for index, slots in enumerate(space.unit_slots):
        rows = []
        for width, depth in product(reduction.widths(index), reduction.depths[index]):
            first = width * space.blocks_per_width
            kinds = [np.flatnonzero(reduction.kinds[slots.start + layer, width]) + first for layer in range(depth)]
            rows += [[*blocks, *[-1] * (slots.stop - slots.start - depth)] for blocks in product(*kinds)]
        units.append(rows)
    genes = np.array(
        [
            [stem, *chain.from_iterable(rows)]
            for stem, *rows in product(np.flatnonzero(reduction.stems).tolist(), *units)
        ]
    )
    archs = Architectures(space, genes[:, 1:], genes[:, 0])
    assert len(archs) == reduction.num_networks
    return archs


def true_front(losses: FloatArray) -> FloatArray:
    """The distinct points of the front, by comparing all with all."""
    points = np.unique(losses.round(9), axis=0)
    better = (points[:, None] <= points[None]).all(axis=2) & (points[:, None] < points[None]).any(axis=2)
    return points[~better.any(axis=0)]


def sorted_rows(points: FloatArray) -> FloatArray:
    return points[np.lexsort(points.T[::-1])]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("num_objectives", [2, 3])
@pytest.mark.parametrize("whole", [False, True])
def test_fronts_are_those_of_listing_every_network(space: Space, num_objectives: int, seed: int, whole: bool) -> None:
    rng = np.random.default_rng([seed, num_objectives, whole])
    reduction = small_reduction(space, rng)
    metrics = [
        random_metric(space, f"m{number}", rng, ("instance", "placement")[number % 2], whole=whole, up=number == 3)
        for number in range(4)
    ]
    archs = all_networks(reduction)
    objectives = tuple(Objective(metric, bool(rng.integers(2))) for metric in metrics[:num_objectives])
    for limited in ([], [0], [3], [1, 3]):
        limits = tuple(
            Limit(
                metrics[number], float(np.quantile(metrics[number].evaluate(archs), 0.4 + 0.2 * (number == 3))) + 1e-6
            )
            for number in limited
        )
        problem = Problem(reduction, objectives, limits)
        values = problem.evaluate(archs)
        within = problem.violations(values) == 0
        assert within.any()
        expected = true_front(problem.losses(values[within]))
        found, found_values = solve_exactly(problem)
        np.testing.assert_array_equal(found_values, problem.evaluate(found))
        assert reduction.contains(found).all()
        assert (problem.violations(found_values) == 0).all()
        np.testing.assert_allclose(sorted_rows(problem.losses(found_values).round(9)), sorted_rows(expected), atol=1e-8)
        assert (np.diff(problem.losses(found_values)[:, 0]) >= 0).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("top_k", [1, 7])
def test_best_networks_are_those_of_listing_every_network(space: Space, seed: int, top_k: int, whole: bool) -> None:
    rng = np.random.default_rng([seed, top_k, whole])
    reduction = small_reduction(space, rng)
    metrics = [
        random_metric(space, f"m{number}", rng, ("instance", "placement")[number % 2], whole=whole, up=number == 2)
        for number in range(3)
    ]
    archs = all_networks(reduction)
    objective = Objective(metrics[0], bool(rng.integers(2)))
    for limited in ([], [1], [0], [1, 2], [0, 1, 2]):
        limits = tuple(
            Limit(metrics[number], float(np.quantile(metrics[number].evaluate(archs), 0.5)) + 1e-6)
            for number in limited
        )
        problem = Problem(reduction, (objective,), limits)
        values = problem.evaluate(archs)
        losses = np.sort(problem.losses(values[problem.violations(values) == 0])[:, 0])
        if not len(losses):
            with pytest.raises(InputError, match=r"no network of .* \(small\)"):
                solve_exactly(problem, top_k)
            continue
        found, found_values = solve_exactly(problem, top_k)
        np.testing.assert_allclose(problem.losses(found_values)[:, 0], losses[:top_k], atol=1e-9)
        assert len(np.unique(found.genes, axis=0)) == len(found)
        assert (problem.violations(found_values) == 0).all()
