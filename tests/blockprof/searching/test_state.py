"""Searches that are interrupted and resumed, and files that belong to another search."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from listening import Heard

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.reduction import Reduction
from blockprof.searching import Objective, Problem, SearchSpec, search

MakeProblem = Callable[..., Problem]
SPEC = SearchSpec(initial=30, generations=6, children=30, seed=5)


class InterruptedSearchError(Exception):
    """What a user's Ctrl-C is to a search."""


@pytest.mark.parametrize("algorithm", ["evolution", "nsga2"])
@pytest.mark.parametrize(("name", "bound"), [("pn", None), ("resnet50", None), ("mbv3", 60.0)])
def test_an_interrupted_search_goes_on_to_the_same_result(
    algorithm: str, name: str, bound: float | None, make_problem: MakeProblem, tmp_path: Path
) -> None:
    problem, spec, path = (
        make_problem(name, bound=bound),
        replace(SPEC, algorithm=algorithm),
        tmp_path / "new" / "s.npz",
    )
    whole = search(problem, spec)
    for generation in (0, 2, 3):
        with pytest.raises(InterruptedSearchError):
            search(problem, spec, state=path, listener=Heard(stop_at=generation + 1, error=InterruptedSearchError))
    heard = Heard()
    resumed = search(problem, spec, state=path, listener=heard)
    assert [one.generations[-1] for one in heard.results] == [4, 5, 6]
    assert np.array_equal(whole.archs.genes, resumed.archs.genes)
    assert np.array_equal(whole.values, resumed.values)
    assert np.array_equal(whole.generations, resumed.generations)
    assert np.array_equal(whole.best, resumed.best)


def test_a_finished_search_is_read_back(make_problem: MakeProblem, tmp_path: Path) -> None:
    path, heard = tmp_path / "s.npz", Heard()
    first = search(make_problem(), SPEC, state=path)
    again = search(make_problem(), SPEC, state=path, listener=heard)
    assert not heard.results
    assert np.array_equal(first.archs.genes, again.archs.genes)
    assert np.array_equal(first.values, again.values)
    assert [file.name for file in tmp_path.iterdir()] == ["s.npz"]


def test_a_search_of_another_kind_is_refused_with_what_differs(make_problem: MakeProblem, tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    problem = make_problem()
    search(problem, SPEC, state=path)
    kept = path.read_bytes()
    cost = problem.metrics[1]
    costlier = replace(problem.objectives[1], metric=replace(cost, base=2.0))
    shallow = replace(problem.reduction, depths=((2, 3), *problem.reduction.depths[1:]))
    for other, spec, message in [
        (problem, replace(SPEC, children=31, seed=6), "children 30, not 31, seed 5, not 6"),
        (problem, replace(SPEC, algorithm="nsga2"), "algorithm evolution, not nsga2"),
        (make_problem("mbv3"), SPEC, "space pn, not mbv3:"),
        (make_problem(bound=60.0), SPEC, "objectives maximize good, minimize cost, not maximize good:"),
        (replace(problem, objectives=(problem.objectives[0], costlier)), SPEC, "another metric cost:"),
        (replace(problem, reduction=shallow), SPEC, "another reduction:"),
        (replace(problem, reduction=replace(shallow, name="mine")), SPEC, "reduction whole space, not mine:"),
    ]:
        with pytest.raises(InputError, match=f"^{path}: is a search with {message}"):
            search(other, spec, state=path)
    assert path.read_bytes() == kept


def test_files_that_are_no_searches_are_refused(make_problem: MakeProblem, tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    search(make_problem(), SPEC, state=path)
    content = path.read_bytes()
    middle = len(content) // 2
    for wrong in (b"", b"net_id,net_str\n", content[:middle], content[:middle] + b"?" * 40 + content[middle + 40 :]):
        path.write_bytes(wrong)
        with pytest.raises(DataFileError, check=coded("not-a-search")):
            search(make_problem(), SPEC, state=path)
    np.save(path.with_suffix(".npy"), np.arange(3))
    path.with_suffix(".npy").rename(path)
    with pytest.raises(DataFileError, check=coded("not-a-search")):
        search(make_problem(), SPEC, state=path)
    with pytest.raises(DataFileError, check=coded("unreadable-file")):
        search(make_problem(), SPEC, state=tmp_path)


def test_a_search_of_a_metric_that_is_not_additive_is_kept(make_problem: MakeProblem, tmp_path: Path) -> None:
    problem = make_problem()

    class Squared:
        info = replace(problem.metrics[0].info, name="squared")
        space, resolution = problem.reduction.space, None

        def evaluate(self, archs: object) -> np.ndarray:
            return problem.metrics[0].evaluate(archs) ** 2

    reduction = Reduction.whole(problem.reduction.space)
    squared = Problem(reduction, (Objective(Squared(), maximize=True), problem.objectives[1]))
    whole = search(squared, SPEC)
    with pytest.raises(InterruptedSearchError):
        search(squared, SPEC, state=tmp_path / "s.npz", listener=Heard(stop_at=4, error=InterruptedSearchError))
    assert np.array_equal(whole.archs.genes, search(squared, SPEC, state=tmp_path / "s.npz").archs.genes)
