"""A search algorithm: children of the best network alone."""

from collections.abc import Iterator

import numpy as np

from blockprof.reduction import sample_reduced
from blockprof.searching import Algorithm, Budget
from blockprof.searching.archive import Archive
from blockprof.searching.mutation import mutate
from blockprof.spaces import Architectures


def _climb(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    reduction = archive.problem.reduction
    yield sample_reduced(reduction, budget.initial, rng)
    for _ in range(budget.generations):
        best = np.repeat(archive.parents[:1], budget.children)
        yield mutate(reduction, archive.networks(best), rng)


CLIMB = Algorithm(_climb)
