"""Searches: the one function that runs them, whatever the algorithm."""

import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from blockprof.foundation.errors import InputError
from blockprof.foundation.listener import SILENT, Listener
from blockprof.searching.algorithm import ALGORITHMS
from blockprof.searching.archive import Archive
from blockprof.searching.limits import check_limits, nearest_found
from blockprof.searching.problem import Problem
from blockprof.searching.result import SearchResult, SearchSpec
from blockprof.searching.state import State, open_state


def search(
    problem: Problem,
    spec: SearchSpec | None = None,
    *,
    listener: Listener = SILENT,
    state: Path | None = None,
) -> SearchResult:
    """Find the best networks of a problem.

    A small space may have fewer networks than ``spec`` asks for: ``SearchResult.shortfall`` says so. The same seed
    gives the same networks, also where the search was interrupted and resumed: then the algorithm proposes the
    same again, and what is kept is not evaluated again.

    Args:
        problem: what to search for.
        spec: how; the paper's search where None.
        listener: told of each generation, the initial networks' included.
        state: a file that keeps the search after each generation; where it is there, the search is resumed from it. An
            exact search keeps nothing.

    Raises:
        InputError: limits that no network meets, or that none that was found meets; ``exact`` where a metric is not
            additive; ``state`` is of another search, or cannot be written.
        DataFileError: ``state`` is not such a file.
        BlockprofError: a metric gives a network no number.
    """
    spec = (spec or SearchSpec()).filled(problem)
    check_limits(problem)
    if spec.is_exact:
        state = None
    with open_state(state, problem, spec) if state else nullcontext() as kept:
        return _checked(_search(problem, spec, listener, kept))


def _search(problem: Problem, spec: SearchSpec, listener: Listener, kept: State | None) -> SearchResult:
    start = time.perf_counter() - (kept.seconds if kept else 0.0)
    archive = Archive(problem, spec.top_k)
    num_generations = 1 if spec.is_exact else 1 + spec.budget.generations

    def found() -> SearchResult:
        seconds = time.perf_counter() - start
        return SearchResult(problem, spec, archive.networks(), archive.values, archive.generations, seconds)

    propose = ALGORITHMS.get(spec.algorithm).propose
    for proposed in propose(archive, spec.budget, np.random.default_rng(spec.seed)):
        archs, generation = archive.new_among(proposed), archive.num_generations
        if not len(archs):
            continue
        if kept and generation < kept.num_generations:
            archive.add(archs, kept.values_of(archs, generation))
        else:
            values = archive.evaluate(archs)
            archive.add(archs, values)
            if kept:
                kept.add(archs, values, time.perf_counter() - start)
            listener.on_generation(generation, found)
            listener.on_step("searching", generation + 1, num_generations)
        if archive.is_exhausted:
            break
    return found()


def _checked(result: SearchResult) -> SearchResult:
    problem = result.problem
    if problem.limits and not len(result.best):
        limits = " and ".join(limit.text for limit in problem.limits)
        raise InputError(
            f"none of {len(result.archs):,} networks found meets this; the nearest has "
            f"{nearest_found(problem, result.values)}",
            where=limits,
            remedy="loosen a limit, or search longer",
            code="limits-not-met",
        )
    return result
