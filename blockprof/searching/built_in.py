"""The algorithms that come with blockprof. They are imported when they run: pymoo and SciPy take their time."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.reduction import sample_reduced
from blockprof.searching.algorithm import Algorithm, Budget, register_algorithm
from blockprof.searching.archive import Archive
from blockprof.searching.drawing import draw_new
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.searching import evolution, exact, nsga2
else:
    evolution = lazy_import("blockprof.searching.evolution")
    exact = lazy_import("blockprof.searching.exact")
    nsga2 = lazy_import("blockprof.searching.nsga2")


def _evolution(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    return evolution.evolve(archive, budget, rng)


def _nsga2(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    return nsga2.evolve(archive, budget, rng)


def _exact(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    yield exact.solve_exactly(archive.problem, archive.top_k)[0]


def _random(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    draw = partial(sample_reduced, archive.problem.reduction, rng=rng)
    for size in (budget.initial, *[budget.children] * budget.generations):
        yield draw_new(archive, draw, size)


register_algorithm("evolution", Algorithm(_evolution))
register_algorithm("nsga2", Algorithm(_nsga2))
register_algorithm("exact", Algorithm(_exact, is_exact=True))
register_algorithm("random", Algorithm(_random))
