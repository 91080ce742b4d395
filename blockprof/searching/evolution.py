"""The paper's search: children of the best networks so far, by unit-wise random mutation."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from blockprof.reduction import sample_reduced
from blockprof.searching.algorithm import Budget
from blockprof.searching.archive import Archive
from blockprof.searching.drawing import draw_new
from blockprof.searching.mutation import mutate
from blockprof.spaces import Architectures


def evolve(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    """Random networks, then generations of mutated copies of the archive's parents, which are drawn uniformly: the
    front so far, or the best few in one objective. It ends early where no new network is found.
    """
    reduction = archive.problem.reduction

    def mutants(n: int) -> Architectures:
        return mutate(reduction, archive.networks(rng.choice(archive.parents, size=n)), rng)

    yield draw_new(archive, partial(sample_reduced, reduction, rng=rng), budget.initial)
    for _ in range(budget.generations):
        children = draw_new(archive, mutants, budget.children)
        if not len(children):
            return
        yield children
