"""Searches that are interrupted and resumed, and files that belong to another search."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from listening import Heard

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.journal_lines import encode
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
        tmp_path / "new" / "s.journal",
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
    path, heard = tmp_path / "s.journal", Heard()
    first = search(make_problem(), SPEC, state=path)
    again = search(make_problem(), SPEC, state=path, listener=heard)
    assert not heard.results
    assert np.array_equal(first.archs.genes, again.archs.genes)
    assert np.array_equal(first.values, again.values)
    assert [file.name for file in tmp_path.iterdir()] == ["s.journal"]


def test_a_search_of_another_kind_is_refused_with_what_differs(make_problem: MakeProblem, tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    problem = make_problem()
    search(problem, SPEC, state=path)
    kept = path.read_bytes()
    cost = problem.metrics[1]
    costlier = replace(problem.objectives[1], metric=replace(cost, base=2.0))
    shallow = replace(problem.reduction, depths=((2, 3), *problem.reduction.depths[1:]))
    for other, spec, message in [
        (problem, replace(SPEC, children=31, seed=6), "children 30 .now 31., seed 5 .now 6."),
        (problem, replace(SPEC, algorithm="nsga2"), "algorithm evolution .now nsga2."),
        (make_problem("mbv3"), SPEC, "space pn .now mbv3.:"),
        (make_problem(bound=60.0), SPEC, "objectives maximize good, minimize cost .now maximize good.:"),
        (replace(problem, objectives=(problem.objectives[0], costlier)), SPEC, "another metric cost:"),
        (replace(problem, reduction=shallow), SPEC, "another reduction:"),
        (replace(problem, reduction=replace(shallow, name="mine")), SPEC, "reduction whole space .now mine.:"),
    ]:
        with pytest.raises(InputError, match=f"^{path}: was searched with {message}"):
            search(other, spec, state=path)
    assert path.read_bytes() == kept


def test_files_that_are_no_searches_are_refused(make_problem: MakeProblem, tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    np.savez(tmp_path / "earlier.npz", header=np.array("{}"))  # what an earlier version kept
    for wrong in (b"net_id,net_str\n", b"{}\n", (tmp_path / "earlier.npz").read_bytes()):
        path.write_bytes(wrong)
        with pytest.raises(DataFileError, check=coded("not-a-journal")):
            search(make_problem(), SPEC, state=path)
        assert path.read_bytes() == wrong
    with pytest.raises(InputError, check=coded("journal-not-a-file")):
        search(make_problem(), SPEC, state=tmp_path)


def test_a_damaged_generation_is_named(make_problem: MakeProblem, tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    whole = search(make_problem(), SPEC, state=path)
    lines = path.read_bytes().splitlines(keepends=True)
    other = json.loads(lines[2])
    del other["crc"]
    other["values"]["data"] = other["values"]["data"][:-8]
    moved = json.loads(lines[4])
    del moved["crc"]
    for wrong, said in [
        (lines[3][:60] + b"?" + lines[3][61:], "is damaged"),
        (encode(other), "is damaged"),
        (encode(moved), "is of other networks"),
    ]:
        path.write_bytes(b"".join([*lines[:3], wrong, *lines[4:]]))
        with pytest.raises(DataFileError, match=f"row 4: {said}: remove the row and all after it"):
            search(make_problem(), SPEC, state=path)
    path.write_bytes(b"".join([*lines[:3], lines[3][:-20]]))
    assert np.array_equal(search(make_problem(), SPEC, state=path).archs.genes, whole.archs.genes)
    assert path.read_bytes().splitlines()[3].startswith(lines[3][:60])


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
        search(squared, SPEC, state=tmp_path / "s.journal", listener=Heard(stop_at=4, error=InterruptedSearchError))
    assert np.array_equal(whole.archs.genes, search(squared, SPEC, state=tmp_path / "s.journal").archs.genes)
