"""Searches: against listed spaces, by seed, by budget; spaces that are too small and limits that are too tight."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from codes import coded
from known_spaces import SPACES
from listening import Heard

from blockprof import load_metrics
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.metrics import MetricInfo
from blockprof.reduction import Reduction, sample_reduced
from blockprof.searching import Limit, Objective, Problem, SearchSpec, search
from blockprof.searching.limits import least_value
from blockprof.searching.pareto import best_networks, hypervolume
from blockprof.spaces import Architectures, Space, load_space

MakeProblem = Callable[..., Problem]
Few = Callable[[str], Reduction]
ListNetworks = Callable[[Reduction], Architectures]

RANDOM = pytest.mark.parametrize("algorithm", ["evolution", "nsga2"])


class Recorder:
    """A metric that is not additive, the number of different blocks, and remembers what it was asked."""

    info = MetricInfo("variety", "blocks", True, "counted", "different blocks")

    def __init__(self, space: Space) -> None:
        self.space, self.resolution = space, None
        self.asked: list[str] = []
        self.batches: list[int] = []

    def evaluate(self, archs: Architectures) -> FloatArray:
        self.asked += archs.to_strings()
        self.batches.append(len(archs))
        return np.array([len(set(row) - {-1}) for row in archs.blocks.tolist()], dtype=float)


@RANDOM
@pytest.mark.parametrize("name", SPACES)
def test_front_of_a_small_space_is_the_true_one(
    name: str, algorithm: str, make_problem: MakeProblem, few_networks: Few, list_networks: ListNetworks
) -> None:
    problem = make_problem(name, reduction=few_networks(name))
    every = list_networks(problem.reduction)
    assert len(every) == problem.reduction.num_networks
    true = problem.evaluate(every)
    result = search(problem, SearchSpec(algorithm, initial=20, generations=30, children=60))
    assert problem.reduction.contains(result.archs).all()
    found = result.values[result.best]
    assert found == pytest.approx(true[best_networks(problem, true, 10)])


@RANDOM
def test_best_few_of_a_small_space_are_the_true_ones(
    algorithm: str, make_problem: MakeProblem, few_networks: Few, list_networks: ListNetworks
) -> None:
    reduction = few_networks("mbv3")
    values = make_problem("mbv3").evaluate(list_networks(reduction))
    problem = make_problem("mbv3", reduction=reduction, bound=float(np.quantile(values[:, 1], 0.2)))
    result = search(problem, SearchSpec(algorithm, initial=20, generations=30, children=40, top_k=5))
    true = values[best_networks(problem, values, 5)]
    assert result.values[result.best] == pytest.approx(true)
    assert len(result.best) == 5


@RANDOM
@pytest.mark.parametrize("name", SPACES)
def test_searching_beats_drawing(name: str, algorithm: str, make_problem: MakeProblem) -> None:
    problem = make_problem(name)
    result = search(problem, SearchSpec(algorithm))
    assert len(result.archs) == 2100
    drawn = search(problem, SearchSpec(initial=2100, generations=1, children=1))
    reference = np.maximum(*(problem.losses(one.values).max(axis=0) for one in (result, drawn)))
    volumes = [one.history(reference)["hypervolume"].iloc[-1] for one in (result, drawn)]
    assert volumes[0] > 1.1 * volumes[1]


@RANDOM
def test_a_seed_gives_the_same_networks(algorithm: str, make_problem: MakeProblem) -> None:
    spec = SearchSpec(algorithm, initial=30, generations=4, children=30, seed=3)
    first, second, other = (search(make_problem(), one) for one in (spec, spec, replace(spec, seed=4)))
    assert np.array_equal(first.archs.genes, second.archs.genes)
    assert np.array_equal(first.values, second.values)
    assert not np.array_equal(first.archs.genes, other.archs.genes)


@RANDOM
def test_no_network_is_evaluated_twice_and_generations_are_batches(algorithm: str) -> None:
    space = load_space("pn")
    metric = Recorder(space)
    (flops,) = load_metrics("pn", ["npu"])
    problem = Problem(Reduction.whole(space), (Objective(metric, maximize=True), Objective(flops, maximize=False)))
    heard = Heard()
    result = search(problem, SearchSpec(algorithm, initial=40, generations=3, children=50), listener=heard)
    assert metric.batches == [40, 50, 50, 50]
    assert len(set(metric.asked)) == len(metric.asked) == len(result.archs)
    assert [len(one.archs) for one in heard.results] == [40, 90, 140, 190]
    assert result.archs.to_strings() == metric.asked


def test_the_papers_numbers_are_the_defaults(make_problem: MakeProblem) -> None:
    assert SearchSpec().filled(make_problem()) == SearchSpec(initial=100, generations=10, children=200)
    assert SearchSpec().filled(make_problem(bound=1.0)) == SearchSpec(initial=20, generations=4, children=50)
    assert SearchSpec(children=7).filled(make_problem()).children == 7


@RANDOM
def test_a_space_that_runs_out_ends_the_search_and_says_so(
    algorithm: str, make_problem: MakeProblem, few_networks: Few
) -> None:
    problem = make_problem(reduction=few_networks("pn"))
    result = search(problem, SearchSpec(algorithm, initial=2000, generations=50, children=200))
    assert len(result.archs) == problem.reduction.num_networks == 448
    assert result.shortfall == "448 networks evaluated, not 12,000: pn (few) has no more"
    assert search(problem, SearchSpec(algorithm, initial=10, generations=2, children=10)).shortfall is None


def test_where_nothing_mutates_the_search_ends_and_says_so(make_problem: MakeProblem) -> None:
    still = replace(Reduction.whole(load_space("pn")), name="still", mutation_probabilities=np.zeros(6))
    result = search(make_problem(reduction=still), SearchSpec(initial=30))
    assert len(result.archs) == 30
    assert result.shortfall == "30 networks evaluated, not 2,030: no more new ones were found"


def test_everything_stays_inside_the_reduction(make_problem: MakeProblem) -> None:
    space = load_space("resnet50")
    whole = Reduction.whole(space)
    blocks = whole.blocks.copy()
    blocks[:, 1] = False
    reduction = replace(whole, name="less", blocks=blocks, depths=((2, 4), (2,), (4, 6), (3, 4)))
    for algorithm in ("evolution", "nsga2"):
        result = search(make_problem("resnet50", reduction=reduction), SearchSpec(algorithm))
        assert reduction.contains(result.archs).all()


@pytest.mark.parametrize("name", SPACES)
def test_least_value_is_the_least_of_all_networks(
    name: str, make_problem: MakeProblem, few_networks: Few, list_networks: ListNetworks
) -> None:
    reduction = few_networks(name)
    every = list_networks(reduction)
    (flops,) = load_metrics(name, ["flops"])
    for metric in (*make_problem(name).metrics, flops):
        values = metric.evaluate(every)
        assert least_value(metric, reduction) == pytest.approx(values.min())
        assert -least_value(metric, reduction, -1.0) == pytest.approx(values.max())


def test_a_limit_that_no_network_meets_is_refused_at_once() -> None:
    accuracy, npu = load_metrics("pn", ["accuracy", "npu"])
    reduction = Reduction.whole(load_space("pn"))
    heard = Heard()
    with pytest.raises(InputError, match=r"^npu <= 1 ms: no network of pn \(whole space\) goes below 2\.08\d* ms"):
        search(Problem(reduction, (Objective(accuracy, True),), (Limit(npu, 1.0),)), listener=heard)
    with pytest.raises(InputError, match=r"^accuracy >= 90 %: no network of pn \(whole space\) goes above 78\.09\d* %"):
        search(Problem(reduction, (Objective(npu, False),), (Limit(accuracy, 90.0),)), listener=heard)
    assert not heard.results


def test_a_limit_at_the_very_least_value_is_no_error(make_problem: MakeProblem, few_networks: Few) -> None:
    problem = make_problem(reduction=few_networks("pn"))
    least = least_value(problem.metrics[1], problem.reduction)
    limited = make_problem(reduction=problem.reduction, bound=least * (1 + 1e-12))
    assert len(search(limited, SearchSpec(initial=300, generations=20, children=100)).best) == 1


def test_limits_that_only_together_are_too_tight_name_the_nearest_network() -> None:
    accuracy, npu = load_metrics("pn", ["accuracy", "npu"])
    limits = (Limit(npu, 6.0), Limit(accuracy, 78))
    problem = Problem(Reduction.whole(load_space("pn")), (Objective(accuracy, True),), limits)
    message = (
        r"^npu <= 6 ms and accuracy >= 78 %: none of 220 networks found meets this; the nearest has npu [\d.]+ ms, "
        r"accuracy [\d.]+ %: loosen a limit, or search longer$"
    )
    with pytest.raises(InputError, match=message):
        search(problem)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"initial": 0}, "initial is 0: give at least 1"),
        ({"generations": -1}, "generations is -1"),
        ({"children": 0}, "children is 0"),
        ({"top_k": 0}, "top_k is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"algorithm": "annealing"}, "unknown algorithm 'annealing': there are evolution, nsga2, exact, random"),
    ],
)
def test_a_wrong_spec_is_refused(numbers: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SearchSpec(**numbers)


def test_a_metric_that_gives_no_number_is_an_error(make_problem: MakeProblem) -> None:
    problem = make_problem()
    good = problem.objectives[0].metric
    broken = replace(good, costs=np.where(np.arange(len(good.costs)) == 3, np.nan, good.costs))
    with pytest.raises(BlockprofError, match=r"good.*nan.*mbconv2_", check=coded("not-finite")):
        search(Problem(problem.reduction, (Objective(broken, True), problem.objectives[1])))


def test_three_objectives(make_problem: MakeProblem) -> None:
    metrics = load_metrics("mbv3", ["accuracy", "npu", "flops"])
    objectives = tuple(Objective(metric, metric.info.higher_is_better) for metric in metrics)
    problem = Problem(Reduction.whole(load_space("mbv3")), objectives)
    result = search(problem, SearchSpec(initial=50, generations=4, children=50))
    drawn = problem.evaluate(sample_reduced(problem.reduction, 50, np.random.default_rng(9)))
    losses, front = problem.losses(drawn), problem.losses(result.values[result.best])
    assert not (losses[:, None] < front[None]).all(axis=2).any(axis=0).all()
    assert result.history()["hypervolume"].is_monotonic_increasing


@pytest.mark.parametrize("name", SPACES)
def test_an_exact_search_is_the_true_front_which_searches_come_near(name: str, make_problem: MakeProblem) -> None:
    problem, heard = make_problem(name), Heard()
    exact = search(problem, SearchSpec("exact"), listener=heard)
    assert [one.values.tolist() for one in heard.results] == [exact.values.tolist()]
    assert exact.shortfall is None
    assert sorted(exact.best.tolist()) == list(range(len(exact.archs)))
    assert len(exact.history()) == 1
    front = problem.losses(exact.values)
    shares = []
    for children in (50, 1000):
        found = search(problem, SearchSpec(children=children))
        losses = problem.losses(found.values[found.best])
        # To rounding: sums differ in their last digits by the order of their terms.
        assert not (losses[:, None] < front - 1e-9).all(axis=2).any()
        reference = problem.losses(found.values).max(axis=0)
        shares.append(hypervolume(losses, reference) / hypervolume(front, reference))
    assert 0.5 < shares[0] < shares[1] <= 1


@RANDOM
def test_the_best_networks_found_are_no_better_than_the_exact_ones(algorithm: str) -> None:
    accuracy, npu = load_metrics("mbv3", ["accuracy", "npu"])
    problem = Problem(Reduction.whole(load_space("mbv3")), (Objective(accuracy, True),), (Limit(npu, 5.0),))
    exact = search(problem, SearchSpec("exact", top_k=3))
    found = search(problem, SearchSpec(algorithm, initial=100, generations=20, children=200, top_k=3))
    assert exact.values[exact.best, 1].max() <= 5.0
    gap = exact.values[exact.best[0], 0] - found.values[found.best[0], 0]
    assert 0 <= gap < 1.5


def test_an_exact_search_wants_additive_metrics() -> None:
    space = load_space("pn")
    problem = Problem(Reduction.whole(space), (Objective(Recorder(space), maximize=True),))
    with pytest.raises(InputError, match="variety", check=coded("not-additive")):
        search(problem, SearchSpec("exact"))
