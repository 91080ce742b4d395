"""What the derived reductions are worth: hypervolumes at the paper's budget, against the whole space and the paper's.

    python tests/benchmarks/bench_reduction.py [SEEDS]

For each space and device of the reference tables: the ratio of hypervolumes of accuracy and latency after 2,100
evaluations, of the derived reduction to the whole space and to the paper's own reduction, and of the paper's to the
whole space; paired by seed, with 95 % t intervals, all against the one reference point of ``compare``.
"""

import sys
from math import log10

import blockprof
from blockprof.reduction import Reduction, derive_reduction, load_preset
from blockprof.search import Objective, Problem, SearchSpec, compare, search

SPACES = ("pn", "mbv3")
DEVICES = ("npu", "gpu", "cpu")
TRIMS = (0.0, 1.0, 5.0)


def main(seeds: int) -> None:
    print(f"hypervolume ratios over {seeds} seeds [95 % interval]; networks left")
    for space_name in SPACES:
        for device in DEVICES:
            space = blockprof.load_space(space_name)
            accuracy, latency = metrics = blockprof.load_metrics(space, ["accuracy", device])
            objectives = (Objective(accuracy, maximize=True), Objective(latency, maximize=False))
            profile = blockprof.profile(space, metrics)

            def searched(reduction: Reduction, objectives=objectives):
                problem = Problem(reduction, objectives)
                return [search(problem, SearchSpec(seed=seed)) for seed in range(seeds)]

            paper = load_preset(space, f"paper-{device}")
            of_whole, of_paper = searched(Reduction.whole(space)), searched(paper)
            print(f"{space_name} {device}")
            line("paper / whole", of_whole, of_paper, paper)
            for trim in TRIMS:
                derived = derive_reduction(space, profile, trim=trim)
                of_derived = searched(derived)
                line(f"derived, trim {trim:g} / whole", of_whole, of_derived, derived)
                line(f"derived, trim {trim:g} / paper", of_paper, of_derived, derived)


def line(label: str, base: list, reduced: list, reduction: Reduction) -> None:
    found = compare(base, reduced)
    print(
        f"  {label:26} {found.mean:.3f} [{found.lower:.3f}, {found.upper:.3f}]  1e{log10(reduction.num_networks):.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
