"""Algorithms of one's own: found by name, held to what was evaluated, resumed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from listening import Heard

import blockprof
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.reduction import sample_reduced
from blockprof.searching import ALGORITHMS, Algorithm, Budget, Problem, SearchSpec, search
from blockprof.searching.algorithm import register_algorithm
from blockprof.searching.archive import Archive
from blockprof.spaces import Architectures

MakeProblem = Callable[..., Problem]
BUDGET = {"initial": 10, "generations": 3, "children": 5}


def hill_climb(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    """Draws, with each batch the best network found before, which is evaluated already."""
    yield sample_reduced(archive.problem.reduction, budget.initial, rng)
    for _ in range(budget.generations):
        best = archive.networks(archive.parents[:1])
        yield Architectures.concatenate([best, sample_reduced(archive.problem.reduction, budget.children, rng)])


@pytest.fixture(autouse=True)
def climbing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALGORITHMS.names()[:4] == ("evolution", "nsga2", "exact", "random")
    monkeypatch.setattr(ALGORITHMS, "_things", dict(ALGORITHMS._things))
    register_algorithm("climb", Algorithm(hill_climb))


def test_ones_own_algorithm_searches_by_name(make_problem: MakeProblem) -> None:
    heard = Heard()
    result = search(make_problem(), SearchSpec("climb", **BUDGET), listener=heard)
    # The best ones came again with each batch, and were not evaluated again.
    assert np.bincount(result.generations).tolist() == [10, 5, 5, 5]
    assert len(np.unique(result.archs.genes, axis=0)) == 25
    assert len(heard.results) == 4
    found = blockprof.search("pn", ["params"], ["npu"], algorithm="climb", **BUDGET)
    assert len(found.first.archs) == 25


def test_it_is_resumed_by_proposing_again(make_problem: MakeProblem, tmp_path: Path) -> None:
    problem, spec, path = make_problem(), SearchSpec("climb", **BUDGET), tmp_path / "s.journal"
    whole = search(problem, spec)
    with pytest.raises(KeyboardInterrupt):
        search(problem, spec, listener=Heard(stop_at=2), state=path)
    heard = Heard()
    resumed = search(problem, spec, listener=heard, state=path)
    assert heard.numbers == [2, 3]
    assert heard.steps == [(3, 4), (4, 4)]
    assert np.array_equal(whole.archs.genes, resumed.archs.genes)
    assert np.array_equal(whole.values, resumed.values)


def test_one_that_proposes_others_than_before_is_not_resumed(make_problem: MakeProblem, tmp_path: Path) -> None:
    def fickle(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
        yield sample_reduced(archive.problem.reduction, budget.initial, np.random.default_rng())

    register_algorithm("fickle", Algorithm(fickle))
    problem, spec, path = make_problem(), SearchSpec("fickle"), tmp_path / "s.journal"
    search(problem, spec, state=path)
    with pytest.raises(DataFileError, match="row 2: is of other networks"):
        search(problem, spec, state=path)


def test_drawing_at_random_is_no_search(make_problem: MakeProblem) -> None:
    problem = make_problem(bound=60.0)
    drawn, evolved = (search(problem, SearchSpec(name, children=50)) for name in ("random", "evolution"))
    assert len(drawn.archs) == len(evolved.archs)
    assert drawn.values[drawn.best[0], 0] < evolved.values[evolved.best[0], 0]


def test_a_taken_name_is_refused() -> None:
    with pytest.raises(InputError, match="nsga2", check=coded("name-taken")):
        blockprof.register_algorithm("nsga2", Algorithm(hill_climb))
