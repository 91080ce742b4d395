"""Searches: their speed, how near they come to the true front, and what the paper's hand-made reductions gain.

Run with: python tests/benchmarks/bench_search.py

Speed: the paper's search of 2,100 networks, NSGA-II's of as many, and one of a million, all by built-in metrics, in one
process. Gap: the hypervolume of the front found in the whole space, as a share of the true front's. Gain: for each seed
the hypervolume of the front of accuracy and NPU latency that a search of the reduced space finds, over that of a search
of the whole space, both with the paper's budget and against one reference point.
"""

import time
from collections.abc import Callable

import numpy as np

from blockprof import load_metrics
from blockprof.profiling.statistics import half_width
from blockprof.reduction import Reduction, load_reduction
from blockprof.search import Objective, Problem, SearchResult, SearchSpec, compare, reference_point, search
from blockprof.search.pareto import hypervolume
from blockprof.spaces import FloatArray, load_space

SPACES = ("pn", "mbv3")
PRESET = "paper-npu"
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


def print_gain(space_name: str) -> None:
    """What the preset gains, seed by seed."""
    space = load_space(space_name)
    whole, reduced = (
        [search(make_problem(space_name, reduction), SearchSpec(seed=seed)) for seed in SEEDS]
        for reduction in (Reduction.whole(space), load_reduction(space, PRESET))
    )
    reference = reference_point([*whole, *reduced])
    for name, results in (("whole space", whole), (PRESET, reduced)):
        each = volumes(results, reference)
        listed = " ".join(f"{volume:.1f}" for volume in each)
        print(f"{space_name:5s} {name:12s} hypervolume {each.mean():.1f} +- {half_width(each):.1f}   by seed: {listed}")
    gain = compare(whole, reduced)
    listed = " ".join(f"{ratio:.3f}" for ratio in gain.ratios)
    interval = f"95 % interval {gain.lower:.3f} to {gain.upper:.3f}"
    print(f"{space_name:5s} ratio {gain.mean:.3f} ({interval})   by seed: {listed}")


def main() -> None:
    """Measure and print."""
    print_speed()
    for space_name in SPACES:
        print_gap(space_name)
        print_gain(space_name)


if __name__ == "__main__":
    main()
