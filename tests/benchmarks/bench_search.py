"""Searches: their speed, and how near they come to the true front.

Run with: python tests/benchmarks/bench_search.py

Speed: the paper's search of 2,100 networks, NSGA-II's of as many, and one of a million, all by built-in metrics, in one
process. Gap: the hypervolume of the front found in the whole space, as a share of the true front's.
"""

import time
from collections.abc import Callable

import numpy as np

from blockprof import load_metrics
from blockprof.foundation.arrays import FloatArray
from blockprof.profiling.statistics import half_width
from blockprof.reduction import Reduction
from blockprof.searching import Objective, Problem, SearchResult, SearchSpec, reference_point, search
from blockprof.searching.pareto import hypervolume
from blockprof.spaces import load_space

SPACES = ("pn", "mbv3")
SEEDS = range(5)
MILLION = SearchSpec(initial=10_000, generations=99, children=10_000)


def make_problem(space_name: str, reduction: Reduction) -> Problem:
    """Accuracy up, NPU latency down."""
    accuracy, npu = load_metrics(space_name, ["accuracy", "npu"])
    return Problem(reduction, (Objective(accuracy, maximize=True), Objective(npu, maximize=False)))


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median time of ``work``."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def print_speed() -> None:
    """How long searches of ``pn`` take."""
    problem = make_problem("pn", Reduction.whole(load_space("pn")))
    # pymoo is imported with the first search that needs it.
    search(problem, SearchSpec("nsga2", initial=10, generations=1, children=10))
    for what, spec, repeats in [
        ("evolution, 2,100 networks", SearchSpec(), 7),
        ("nsga2, 2,100 networks", SearchSpec("nsga2"), 7),
        ("evolution, 1,000,000 networks", MILLION, 1),
    ]:
        print(f"{what:32s} {seconds(lambda spec=spec: search(problem, spec), repeats):8.2f} s")


def volumes(results: list[SearchResult], reference: FloatArray) -> FloatArray:
    """(S,): the hypervolume of each search's front."""
    return np.array([hypervolume(one.problem.losses(one.values[one.best]), reference) for one in results])


def print_gap(space_name: str) -> None:
    """How much of the true front each algorithm finds, over the seeds."""
    problem = make_problem(space_name, Reduction.whole(load_space(space_name)))
    exact = search(problem, SearchSpec("exact"))
    for algorithm in ("evolution", "nsga2"):
        results = [search(problem, SearchSpec(algorithm, seed=seed)) for seed in SEEDS]
        reference = reference_point(results)
        shares = volumes(results, reference) / volumes([exact], reference)
        share = f"{shares.mean():.3f} +- {half_width(shares):.3f}"
        print(f"{space_name:5s} {algorithm:12s} finds {share} of the true hypervolume")


def main() -> None:
    """Measure and print."""
    print_speed()
    for space_name in SPACES:
        print_gap(space_name)


if __name__ == "__main__":
    main()
