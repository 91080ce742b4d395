"""The best networks against listing every network, and against large samples of whole spaces."""

from dataclasses import replace
from itertools import chain as chained
from itertools import product

import moocore
import numpy as np
import pytest
from codes import coded
from known_spaces import SPACES

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.metrics import AdditiveMetric, Link, Metric, MetricInfo, MonotoneMetric, PeakMetric
from blockprof.metrics.counting import load_count
from blockprof.metrics.reference import load_reference
from blockprof.reduction import Reduction, sample_reduced
from blockprof.searching import Limit, Objective, Problem
from blockprof.searching import chain as chain_module
from blockprof.searching.chain import Chain, first_fronts
from blockprof.searching.exact import solve_exactly
from blockprof.searching.guide import find_guide
from blockprof.searching.limits import check_limits, count_forbidden, least_value
from blockprof.spaces import Architectures, CostsBy, Space, load_space


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


def random_metric(space: Space, name: str, rng: np.random.Generator, by: CostsBy, *, whole: bool = False, up=False):
    """Costs of either sign; multiples of 0.1, of which many networks have the same sum but for rounding, or not.

    Metrics that are better high saturate.
    """
    size = space.catalogue(by).absent
    costs = rng.integers(-3, 6, size) * 0.1 if whole else rng.normal(1.0, 2.0, size)
    info = MetricInfo(name, "u", up, "table", "made up")
    score = AdditiveMetric(info, space, rng.normal(), costs, by)
    return MonotoneMetric(info, score, Link(10.0, 20.0, -0.2, 0.02, -50.0, 60.0)) if up else score


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
            [stem, *chained.from_iterable(rows)]
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
def test_limits_of_peaks_are_those_of_listing_every_network(space: Space, seed: int) -> None:
    rng = np.random.default_rng([seed, 11])
    reduction = small_reduction(space, rng)
    good, cost = (random_metric(space, name, rng, "instance") for name in ("good", "cost"))
    peak = PeakMetric(MetricInfo("peak", "MB", False, "table", "made up"), space, 0.0, rng.random(len(space.instances)))
    archs = all_networks(reduction)
    bound = float(np.quantile(peak.evaluate(archs), 0.3))
    limits = (Limit(peak, bound), Limit(cost, float(np.quantile(cost.evaluate(archs), 0.7))))
    within = (peak.evaluate(archs) <= bound) & (cost.evaluate(archs) <= limits[1].bound)
    _, best = solve_exactly(Problem(reduction, (Objective(good, maximize=True),), limits), top_k=3)
    expected = np.sort(good.evaluate(archs)[within])[::-1][:3]
    np.testing.assert_allclose(best[:, 0], expected)
    assert (best[:, 1] <= bound).all()
    front = Problem(reduction, (Objective(good, maximize=True), Objective(cost, maximize=False)), limits[:1])
    values = front.evaluate(archs[np.flatnonzero(peak.evaluate(archs) <= bound)])
    found = solve_exactly(front)[1]
    np.testing.assert_allclose(
        sorted_rows(front.losses(found).round(9)), sorted_rows(true_front(front.losses(values))), atol=1e-8
    )
    assert least_value(peak, reduction) == peak.evaluate(archs).min()
    assert count_forbidden(limits[0]) == (peak.costs > bound).sum()


def test_peaks_that_no_network_is_below_and_peaks_to_minimise(space: Space) -> None:
    rng = np.random.default_rng(12)
    reduction = small_reduction(space, rng)
    good, cost = (random_metric(space, name, rng, "instance") for name in ("good", "cost"))
    peak = PeakMetric(MetricInfo("peak", "MB", False, "table", "made up"), space, 0.0, rng.random(len(space.instances)))
    archs = all_networks(reduction)
    least = peak.evaluate(archs).min()
    with pytest.raises(InputError, match=f"no network of .* goes below {least:.6g} MB: loosen the limit"):
        solve_exactly(Problem(reduction, (Objective(good, maximize=True),), (Limit(peak, least / 2),)))
    small = archs[np.flatnonzero(peak.evaluate(archs) == least)]
    cheapest = cost.evaluate(small).min()
    if cost.evaluate(archs).min() < cheapest - 1e-6:
        limits = (Limit(peak, float(least)), Limit(cost, float(cheapest - 1e-6)))
        with pytest.raises(InputError, match=f"with peak <= .* goes below {cheapest:.6g} u: loosen a limit"):
            solve_exactly(Problem(reduction, (Objective(good, maximize=True),), limits))
    with pytest.raises(InputError, match=r"no sum of costs of blocks, .* give it a limit instead") as no:
        solve_exactly(Problem(reduction, (Objective(peak, maximize=False),)))
    assert no.value.code == "not-additive"


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
            Limit(metrics[number], float(np.quantile(metrics[number].evaluate(archs), 0.5, method="nearest")))
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


def real_problem(space: Space, aims: dict[str, bool], limits: dict[str, float] | None = None) -> Problem:
    def load(name: str) -> Metric:
        counted = name in ("flops", "params")
        return load_count(space, name, 224) if counted else load_reference(space, name)

    metrics = {name: load(name) for name in {**aims, **(limits or {})}}
    return Problem(
        Reduction.whole(space),
        tuple(Objective(metrics[name], maximize) for name, maximize in aims.items()),
        tuple(Limit(metrics[name], bound) for name, bound in (limits or {}).items()),
    )


@pytest.mark.parametrize(
    ("name", "aims", "limits"),
    [
        ("pn", {"accuracy": True, "npu": False}, {}),
        ("mbv3", {"accuracy": True, "gpu": False}, {"npu": 8.0}),
        ("mbv3", {"npu": False, "accuracy": True, "flops": False}, {}),
        ("resnet50", {"flops": True, "params": False}, {}),
        ("resnet50", {"params": True}, {"flops": 6000.0}),
        ("pn", {"accuracy": True}, {"npu": 6.0, "flops": 900.0}),
    ],
)
def test_no_network_of_a_large_sample_is_better(name: str, aims: dict[str, bool], limits: dict[str, float]) -> None:
    problem = real_problem(load_space(name), aims, limits)
    archs, values = solve_exactly(problem)
    sampled = problem.evaluate(sample_reduced(problem.reduction, 100_000, np.random.default_rng(3)))
    # Random networks are far from the best; these are in the corner of the space where the best are.
    near = problem.evaluate(neighbours(archs, 20_000, np.random.default_rng(4)))
    for others in (sampled, near):
        within = problem.losses(others[problem.violations(others) == 0])
        assert len(within)
        if len(aims) == 1:
            assert np.sort(within[:, 0])[0] >= problem.losses(values)[0, 0] - 1e-9
            continue
        best = problem.losses(values)
        for loss in within[:: len(within) // 400 + 1]:
            better = (loss <= best + 1e-9).all(axis=1) & (loss < best - 1e-9).any(axis=1)
            assert not better.any()
        assert moocore.is_nondominated(best).all()


def neighbours(archs: Architectures, n: int, rng: np.random.Generator) -> Architectures:
    """Networks with one block that is another of its width."""
    space = archs.space
    chosen = archs[rng.integers(len(archs), size=n)]
    blocks, slots = chosen.blocks.copy(), rng.integers(space.num_slots, size=n)
    rows = np.arange(n)
    kinds = rng.integers(space.blocks_per_width, size=n)
    old = blocks[rows, slots]
    new = old // space.blocks_per_width * space.blocks_per_width + kinds
    blocks[rows, slots] = np.where(old >= 0, new, old)
    return Architectures(space, blocks, chosen.stems)


def test_the_guide_loses_nothing() -> None:
    problem = real_problem(load_space("mbv3"), {"accuracy": True}, {"npu": 4.0})
    chain = Chain.of(problem.reduction, problem.objectives, problem.limits)
    guide = find_guide(chain, 5)
    assert guide is not None
    (_, guided), (_, unguided) = chain.solve(5, guide), chain.solve(5)
    assert np.sort(guided[:, 0])[:5].tolist() == np.sort(unguided[:, 0])[:5].tolist()
    assert len(guided) <= len(unguided)
    # The limit decides, so it has a price.
    assert guide.weights[1] > 0


def test_a_limit_at_the_least_value_is_met_whatever_rounding_says() -> None:
    problem = real_problem(load_space("pn"), {"accuracy": True}, {"npu": 1e3})
    metric = problem.limits[0].metric
    least = least_value(metric, problem.reduction)
    for below, is_met in ((1e-12, True), (1e-6, False)):
        limited = real_problem(load_space("pn"), {"accuracy": True}, {"npu": least * (1 - below)})
        if is_met:
            check_limits(limited)
        else:
            with pytest.raises(InputError, match="no network of pn"):
                check_limits(limited)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_layers_hold_whatever_fewer_dominate(dimensions: int) -> None:
    points = np.random.default_rng(0).integers(0, 6, (200, dimensions)).astype(float)
    order = np.arange(len(points))
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    equal = (points[:, None] == points[None]).all(axis=2)
    dominators = (no_worse & ~(equal & (order[:, None] >= order))).sum(axis=0)
    for num_fronts in (1, 3, 10):
        found = first_fronts(points, num_fronts)
        assert set(np.flatnonzero(dominators < num_fronts)) <= set(found.tolist())
        if num_fronts == 1:
            assert found.tolist() == np.flatnonzero(dominators == 0).tolist()
    assert len(first_fronts(points[:0], 3)) == 0


def test_equal_networks_are_once_on_a_front_but_each_among_the_best() -> None:
    space = load_space("pn")
    costs = np.zeros(space.catalogue("placement").absent)
    flat, other = (
        AdditiveMetric(MetricInfo(name, "u", False, "table", ""), space, 1.0, costs, "placement") for name in "ab"
    )
    whole = Reduction.whole(space)
    archs, values = solve_exactly(Problem(whole, (Objective(flat, False), Objective(other, True))))
    assert (len(archs), values.tolist()) == (1, [[1.0, 1.0]])
    archs, values = solve_exactly(Problem(whole, (Objective(flat, False),), (Limit(other, 1.0),)), top_k=4)
    assert len(np.unique(archs.genes, axis=0)) == 4
    assert (values == 1.0).all()


def test_limits_that_no_network_meets() -> None:
    pn, mbv3 = load_space("pn"), load_space("mbv3")
    with pytest.raises(InputError, match=r"^npu <= 1 ms: no network of pn .* goes below 2\.08\d* ms"):
        solve_exactly(real_problem(pn, {"accuracy": True}, {"npu": 1.0}))
    with pytest.raises(InputError, match=r"^accuracy >= 90 %: no network of pn .* goes above 78\.\d+ %"):
        solve_exactly(real_problem(pn, {"npu": False}, {"accuracy": 90.0}))
    together = real_problem(mbv3, {"accuracy": True, "gpu": False}, {"npu": 2.5, "accuracy": 79.2})
    with pytest.raises(InputError, match=r"^npu <= 2\.5 ms: .*with accuracy >= 79\.2 % goes below 3\.\d+ ms") as error:
        solve_exactly(together)
    least = float(str(error.value).split(" ms: loosen")[0].split()[-1])
    assert len(solve_exactly(real_problem(mbv3, {"accuracy": True}, {"npu": least + 1e-4, "accuracy": 79.2}))[0])


class Measured:
    """A metric that is no sum."""

    info = MetricInfo("depth", "layers", False, "measured", "counted")
    space, resolution = load_space("pn"), None

    def evaluate(self, archs: Architectures) -> FloatArray:
        return archs.depths.sum(axis=1) ** 2.0


def test_what_is_not_solved_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("pn")
    with pytest.raises(InputError, match="depth", check=coded("not-additive")):
        solve_exactly(Problem(Reduction.whole(space), (Objective(Measured(), False),)))
    problem = real_problem(space, {"accuracy": True, "npu": False})
    with pytest.raises(InputError, match="0", check=coded("below-1")):
        solve_exactly(problem, 0)
    monkeypatch.setattr(chain_module, "MAX_LABELS", 100)
    with pytest.raises(InputError, match=r"100.*1", check=coded("too-many-labels")):
        solve_exactly(problem)
