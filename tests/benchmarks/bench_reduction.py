"""What reductions are worth: hypervolumes at the paper's budget, in a reduced space over the whole one.

Run with: python tests/benchmarks/bench_reduction.py [SEEDS]

For each space and device of the reference tables: accuracy up and latency down, 2,100 evaluations, the paper's
hand-made reduction of that device and the one that ``reduce`` derives from the exact profile. Ratios are paired by
seed, with 95 % t intervals, against one reference point: the worst initial network, and where latency is limited the
limit. The limits are the mean latency of random networks, and the one that 5 % of them keep.
"""

import sys
from math import log10

import blockprof
from blockprof.reduction import Reduction, derive_reduction, load_preset
from blockprof.search import Limit, Objective, Problem, SearchSpec, compare, search

SPACES = ("pn", "mbv3")
DEVICES = ("npu", "gpu", "cpu")
LIMITED_TO = (None, "mean", "q05")


def main(num_seeds: int) -> None:
    """Measure and print."""
    print(f"hypervolume ratios over {num_seeds} seeds [95 % interval]")
    print(f"{'':18s} {'latency':>12s} {'paper / whole':>22s} {'derived / whole':>22s} {'derived / paper':>22s}")
    for space_name in SPACES:
        for device in DEVICES:
            space = blockprof.load_space(space_name)
            accuracy, latency = metrics = blockprof.load_metrics(space, ["accuracy", device])
            profile = blockprof.profile(space, metrics)
            paper, derived = load_preset(space, f"paper-{device}"), derive_reduction(space, profile)
            of_random = profile.random_frame().set_index("metric").loc[device]
            for statistic in LIMITED_TO:
                limits = () if statistic is None else (Limit(latency, float(of_random[statistic])),)

                def searched(reduction: Reduction, limits=limits, accuracy=accuracy, latency=latency):
                    objectives = (Objective(accuracy, maximize=True), Objective(latency, maximize=False))
                    problem = Problem(reduction, objectives, limits)
                    return [search(problem, SearchSpec(seed=seed)) for seed in range(num_seeds)]

                of_whole, of_paper, of_derived = map(searched, (Reduction.whole(space), paper, derived))
                pairs = ((of_whole, of_paper), (of_whole, of_derived), (of_paper, of_derived))
                found = [compare(*pair) for pair in pairs]
                cells = " ".join(f"{f'{one.mean:.3f} [{one.lower:.3f}, {one.upper:.3f}]':>22s}" for one in found)
                bound = "any" if not limits else f"<= {limits[0].bound:.3g} ms"
                print(f"{space_name:5s} {device:12s} {bound:>12s} {cells}", flush=True)
            left = [f"1e{log10(one.num_networks):.1f}" for one in (Reduction.whole(space), paper, derived)]
            print(f"{'':18s} networks: whole {left[0]}, paper {left[1]}, derived {left[2]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
