"""Fronts, constraint domination, hypervolumes and comparisons, against definitions spelt out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from codes import coded

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.reduction import sample_reduced
from blockprof.searching import Limit, Problem, SearchResult, SearchSpec, compare, reference_point, search
from blockprof.searching.pareto import best_networks, choose_parents, hypervolume

MakeProblem = Callable[..., Problem]


def result_of(problem: Problem, values: FloatArray, generations: list[int]) -> SearchResult:
    archs = sample_reduced(problem.reduction, len(values), np.random.default_rng(0))
    return SearchResult(problem, SearchSpec(top_k=2), archs, values, np.array(generations), 0.0)


def test_front_is_what_nothing_dominates(make_problem: MakeProblem) -> None:
    problem = make_problem()
    values = np.random.default_rng(0).integers(0, 20, size=(400, 2)).astype(float)
    losses = values * [-1, 1]
    dominated = [((losses <= one).all(axis=1) & (losses < one).any(axis=1)).any() for one in losses]
    front = best_networks(problem, values, 10)
    assert {tuple(row) for row in values[front]} == {tuple(row) for row in values[~np.array(dominated)]}
    assert len(np.unique(values[front], axis=0)) == len(front)
    assert (np.diff(values[front, 0]) < 0).all()
    assert all(index == np.flatnonzero((values == values[index]).all(axis=1))[0] for index in front)


def test_limits_come_before_objectives(make_problem: MakeProblem) -> None:
    problem = make_problem(bound=4.0)
    values = np.array([[9.0, 8.0], [1.0, 3.0], [2.0, 4.0], [8.0, 5.0], [2.0, 1.0]])
    assert best_networks(problem, values, 10).tolist() == [2, 4, 1]
    assert best_networks(problem, values, 2).tolist() == [2, 4]
    assert choose_parents(problem, values, 2).tolist() == [2, 4]
    assert choose_parents(problem, values, 4).tolist() == [2, 4, 1, 3]
    assert choose_parents(problem, values[[0, 3]], 10).tolist() == [1, 0]


def test_where_no_network_is_within_the_limits_the_nearest_have_children(make_problem: MakeProblem) -> None:
    pareto = make_problem()
    problem = replace(pareto, limits=(Limit(pareto.metrics[1], 4.0),))
    values = np.array([[9.0, 8.0], [1.0, 6.0], [8.0, 5.0], [7.0, 5.0]])
    assert best_networks(problem, values, 2).tolist() == []
    assert choose_parents(problem, values, 2).tolist() == [2, 3]
    within = np.append(values, [[1.0, 4.0]], axis=0)
    assert choose_parents(problem, within, 2).tolist() == [4]


def test_hypervolume_and_reference_point(make_problem: MakeProblem) -> None:
    problem = make_problem()
    values = np.array([[1.0, 5.0], [3.0, 4.0], [4.0, 4.5], [0.0, 9.0]])
    result = result_of(problem, values, [0, 0, 1, 1])
    assert reference_point([result]).tolist() == [-1.0, 5.0]
    assert hypervolume(problem.losses(values[:2]), np.array([-1.0, 5.0])) == pytest.approx(2.0)
    history = result.history()
    assert history["num_evaluated"].tolist() == [2, 4]
    assert history["front_size"].tolist() == [1, 2]
    assert history["hypervolume"].tolist() == pytest.approx([2.0, 2.5])
    assert history["best_good"].tolist() == [3.0, 4.0]
    assert history["best_cost"].tolist() == [4.0, 4.0]


def test_history_has_no_best_value_before_a_network_is_within_the_limits(make_problem: MakeProblem) -> None:
    problem = make_problem(bound=4.0)
    result = result_of(problem, np.array([[1.0, 5.0], [3.0, 6.0], [2.0, 4.0]]), [0, 0, 1])
    history = result.history()
    assert np.isnan(history["best_good"].iloc[0])
    assert history["best_good"].iloc[1] == 2.0
    assert history["hypervolume"].tolist() == [0.0, 1.0]
    assert history["front_size"].tolist() == [0, 1]


def test_frame_lists_networks_with_their_metrics(make_problem: MakeProblem) -> None:
    result = search(make_problem(), SearchSpec(initial=30, generations=2, children=20))
    frame = result.frame()
    assert frame.columns.tolist() == ["net_id", "net_str", "good", "cost", "generation", "on_front"]
    assert frame["net_str"].is_unique
    assert frame["generation"].value_counts(sort=False).tolist() == [30, 20, 20]
    assert np.flatnonzero(frame["on_front"]).tolist() == sorted(result.best.tolist())
    front = result.frame(result.best)
    assert front["net_id"].tolist() == result.best.tolist()
    assert front["on_front"].all()
    assert front["good"].is_monotonic_decreasing


def test_comparison_is_paired_and_has_an_interval(make_problem: MakeProblem) -> None:
    spec = SearchSpec(initial=20, generations=2, children=20)
    whole = [search(make_problem(), replace(spec, seed=seed)) for seed in range(3)]
    longer = [search(make_problem(), replace(spec, seed=seed, generations=10)) for seed in range(3)]
    same = compare(whole, whole)
    assert same.ratios.tolist() == [1.0, 1.0, 1.0]
    assert (same.lower, same.mean, same.upper) == (1.0, 1.0, 1.0)
    gained = compare(whole, longer)
    assert (gained.ratios > 1).all()
    assert gained.lower < gained.mean < gained.upper
    alone = compare(whole[:1], longer[:1])
    assert np.isnan([alone.lower, alone.upper]).all()
    assert not np.isnan(alone.mean)
    with pytest.raises(InputError, match=r"3.*1", check=coded("unpaired-searches")):
        compare(whole, longer[:1])


def test_what_lies_beyond_a_limit_of_an_objective_has_no_volume(make_problem: MakeProblem) -> None:
    pareto = make_problem()
    problem = replace(pareto, limits=(Limit(pareto.metrics[1], 4.0),))
    values = np.array([[1.0, 5.0], [3.0, 3.0], [4.0, 4.5]])
    assert reference_point([result_of(problem, values, [0, 0, 1])]) == pytest.approx([-1.0, 4.0])
    at_least = replace(pareto, limits=(Limit(pareto.metrics[0], 2.0),))
    assert reference_point([result_of(at_least, values, [0, 0, 1])]) == pytest.approx([-2.0, 5.0])
    lowered = replace(pareto, objectives=tuple(replace(one, maximize=False) for one in pareto.objectives))
    against = replace(lowered, limits=at_least.limits)
    assert reference_point([result_of(against, values, [0, 0, 1])]) == pytest.approx([3.0, 5.0])


def test_a_limit_of_nothing(make_problem: MakeProblem) -> None:
    pareto = make_problem()
    problem = replace(pareto, limits=(Limit(pareto.metrics[1], 0.0),))
    assert problem.violations(np.array([[1.0, 5.0], [1.0, 0.0], [1.0, -1.0]])).tolist() == [5.0, 0.0, 0.0]
