"""Searches: the one function that runs them, whatever the algorithm."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from blockprof.foundation.errors import InputError
from blockprof.reduction import sample_reduced
from blockprof.search.archive import Archive
from blockprof.search.evolution import Arrays, Evolution, Method, draw_new
from blockprof.search.exact import solve_exactly
from blockprof.search.limits import check_limits, nearest_found
from blockprof.search.problem import Problem
from blockprof.search.result import SearchResult, SearchSpec
from blockprof.search.state import State, read_state, write_state
from blockprof.spaces import Architectures


def search(
    problem: Problem,
    spec: SearchSpec | None = None,
    *,
    on_generation: Callable[[SearchResult], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
    state: Path | None = None,
) -> SearchResult:
    """Find the best networks of a problem.

    A small space may have fewer networks than ``spec`` asks for: ``SearchResult.shortfall`` says so. The same seed
    gives the same networks, also where the search was interrupted and gone on with.

    Args:
        problem: what to search for.
        spec: how; the paper's search where None.
        on_generation: told what is found after each generation, the initial networks' included.
        on_progress: told the number of each generation, without the work of telling what is found.
        state: a file that keeps the search after each generation; where it is there, the search goes on from it. An
            exact search keeps nothing.

    Raises:
        InputError: limits that no network meets, or that none that was found meets; ``exact`` where a metric is not
            additive; ``state`` is of another search, or cannot be written.
        DataFileError: ``state`` is not such a file.
        BlockprofError: a metric gives a network no number.
    """
    spec = (spec or SearchSpec()).filled(problem)
    if spec.algorithm == "exact":
        solved = _solve(problem, spec)
        if on_generation:
            on_generation(solved)
        if on_progress:
            on_progress(0)
        return solved
    check_limits(problem)
    kept = read_state(state, problem, spec) if state else None
    start = time.perf_counter() - (kept.seconds if kept else 0.0)
    rng = kept.rng if kept else np.random.default_rng(spec.seed)
    archive = kept.archive if kept else Archive.empty(problem, spec.top_k)
    method = _method(spec, archive, kept.method if kept else {})

    def found() -> SearchResult:
        seconds = time.perf_counter() - start
        return SearchResult(problem, spec, archive.networks(), archive.values, archive.generations, seconds)

    def add(archs: Architectures) -> None:
        archive.evaluate(archs)
        method.advance(rng)
        if state:
            write_state(state, spec, State(archive, method.arrays(), rng, time.perf_counter() - start))
        if on_generation:
            on_generation(found())
        if on_progress:
            on_progress(int(archive.generations[-1]))

    if not kept:
        add(draw_new(archive, partial(sample_reduced, problem.reduction, rng=rng), spec.initial or 0))
    for _ in range(int(archive.generations[-1]), spec.generations or 0):
        if archive.is_exhausted:
            break
        children = draw_new(archive, partial(method.draw, rng=rng), spec.children or 0)
        if not len(children):
            break
        add(children)
    return _checked(found())


def _solve(problem: Problem, spec: SearchSpec) -> SearchResult:
    start = time.perf_counter()
    archs, values = solve_exactly(problem, spec.top_k)
    generations = np.zeros(len(archs), dtype=np.int64)
    return SearchResult(problem, spec, archs, values, generations, time.perf_counter() - start)


def _method(spec: SearchSpec, archive: Archive, kept: Arrays) -> Method:
    if spec.algorithm == "nsga2":
        # Imported here: pymoo takes its time.
        from blockprof.search.nsga2 import Nsga2

        return Nsga2(archive, spec.initial or 0, kept)
    return Evolution(archive)


def _checked(result: SearchResult) -> SearchResult:
    problem = result.problem
    if problem.limits and not len(result.best):
        limits = " and ".join(limit.text for limit in problem.limits)
        raise InputError(
            f"{limits}: none of {len(result.archs):,} networks found meets this; the nearest has "
            f"{nearest_found(problem, result.values)}: loosen a limit, or search longer"
        )
    return result
