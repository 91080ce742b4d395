"""What reductions are worth: hypervolumes at the paper's budget, in a reduced space over the whole one.

Run with: python tests/benchmarks/bench_reduction.py [SEEDS]

For each space and device: accuracy up and latency down, 2,100 evaluations, the paper's hand-made reduction of that
device, the one that ``reduce`` derives from the exact profile, and a control that leaves out as much as the derived
one, at random, drawn again for each seed.

Profile, reduction and search know one half of what the judge says (``fit_reference.py``), fitted as the reference
tables are; the networks that a search answers with are scored by a fit to the other half, so that what was fitted to
noise gains nothing. Each seed splits the judge's networks again. Ratios are paired by seed, with 95 % t intervals,
against one reference point: the worst initial network, and where latency is limited the limit, the mean latency of
random networks.
"""

import sys
from dataclasses import dataclass
from math import log10

import fit_reference
import numpy as np

import blockprof
from blockprof.foundation.arrays import FloatArray
from blockprof.metrics import ExactMetric
from blockprof.reduction import Reduction, derive_reduction, load_preset, random_control
from blockprof.searching import Limit, Objective, Problem, SearchSpec, search
from blockprof.searching.pareto import hypervolume
from blockprof.searching.study import Estimate

SPACES = ("pn", "mbv3")
DEVICES = ("npu", "gpu", "cpu")
RESOLUTION = 224
NAMES = ("paper", "derived", "random")


@dataclass(frozen=True, eq=False)
class Searched:
    """What the other half says of a search: (N, 2) losses of its initial networks, and of those it answers with."""

    initial: FloatArray
    answer: FloatArray


def search_judged(
    reduction: Reduction, known: list[ExactMetric], judging: list[ExactMetric], limit: float | None, seed: int
) -> Searched:
    """Search by ``known`` metrics, accuracy and latency, and score by ``judging`` ones."""
    accuracy, latency = known
    limits = () if limit is None else (Limit(latency, limit),)
    problem = Problem(reduction, (Objective(accuracy, maximize=True), Objective(latency, maximize=False)), limits)
    result = search(problem, SearchSpec(seed=seed))
    said = np.column_stack([-judging[0].evaluate(result.archs), judging[1].evaluate(result.archs)])
    return Searched(said[result.generations == 0], said[result.best])


def ratios_of_one_seed(space_name: str, device: str, seed: int) -> tuple[dict[tuple[str, bool], float], list[float]]:
    """By reduction, and whether latency is limited: its hypervolume over the whole space's; and log10 of the sizes."""
    judged = fit_reference.read_judged(blockprof.load_space(space_name))
    half_of = judged.folds(2, seed)
    known, judging = (
        [fit_reference.fit_metric(judged.select(np.flatnonzero(half_of == half)), name, RESOLUTION) for name in metrics]
        for half, metrics in ((0, ("accuracy", device)), (1, ("accuracy", device)))
    )
    profile = blockprof.profile(space_name, known)
    derived = derive_reduction(profile.space, profile)
    reductions = {
        "paper": load_preset(profile.space, f"paper-{device}"),
        "derived": derived,
        "random": random_control(derived, seed),
    }
    mean = float(profile.random_frame().set_index("metric").loc[device, "mean"])
    ratios = {}
    for limit in (None, mean):
        found = {
            name: search_judged(reduction, known, judging, limit, seed)
            for name, reduction in {"whole": Reduction.whole(profile.space), **reductions}.items()
        }
        reference = np.concatenate([one.initial for one in found.values()]).max(axis=0)
        if limit is not None:
            reference[1] = limit
        volumes = {name: hypervolume(one.answer, reference) for name, one in found.items()}
        ratios |= {(name, limit is not None): volumes[name] / volumes["whole"] for name in NAMES}
    return ratios, [log10(one.num_networks) for one in reductions.values()]


def main(num_seeds: int) -> None:
    """Measure and print."""
    print(f"hypervolume over the whole space's, {num_seeds} seeds [95 % interval]; networks left, as powers of 10")
    print(f"{'':10s} {'latency':>8s} " + " ".join(f"{name:>22s}" for name in NAMES))
    for space_name in SPACES:
        for device in DEVICES:
            by_seed, sizes = zip(
                *(ratios_of_one_seed(space_name, device, seed) for seed in range(num_seeds)), strict=True
            )
            for limited in (False, True):
                found = [Estimate.of(np.array([ratios[name, limited] for ratios in by_seed])) for name in NAMES]
                cells = " ".join(f"{f'{one.mean:.3f} [{one.lower:.3f}, {one.upper:.3f}]':>22s}" for one in found)
                print(f"{space_name:5s}{device:5s} {'to mean' if limited else 'any':>8s} {cells}", flush=True)
            left = np.mean(sizes, axis=0)
            print(f"{'':19s} " + " ".join(f"{f'10^{size:.1f}':>22s}" for size in left), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
