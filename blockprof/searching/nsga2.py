"""NSGA-II (Deb et al., 2002) as pymoo has it: its survival and its tournament, with networks for individuals.

Children are crossed by unit, then mutated as in the paper's search. Nothing is encoded as numbers: pymoo sees losses
and violations only.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.population import Population
from pymoo.core.problem import Problem as PymooProblem

from blockprof.foundation.arrays import IntArray
from blockprof.reduction import sample_reduced
from blockprof.searching.algorithm import Budget
from blockprof.searching.archive import Archive
from blockprof.searching.drawing import draw_new
from blockprof.searching.mutation import cross, mutate
from blockprof.spaces import Architectures


def evolve(archive: Archive, budget: Budget, rng: np.random.Generator) -> Iterator[Architectures]:
    """Random networks, then generations of children of a population of as many, the survivors of all so far by rank,
    then crowding distance. It ends early where no new network is found.
    """
    yield draw_new(archive, partial(sample_reduced, archive.problem.reduction, rng=rng), budget.initial)
    population = _Population(archive, budget.initial)
    for _ in range(budget.generations):
        population.advance(rng)
        children = draw_new(archive, partial(population.draw, rng=rng), budget.children)
        if not len(children):
            return
        yield children


class _Population:
    """``size`` networks of an archive."""

    def __init__(self, archive: Archive, size: int) -> None:
        self._archive = archive
        self._algorithm = NSGA2(pop_size=size)
        self._problem = PymooProblem(n_var=1, n_obj=len(archive.problem.objectives), n_ieq_constr=1)
        self._population = self._individuals(np.empty(0, dtype=np.int64))

    def draw(self, n: int, rng: np.random.Generator) -> Architectures:
        """Children of N pairs, each parent the winner of a tournament of two."""
        # pymoo's tournament breaks ties by its algorithm's generator, not by the one it is given.
        self._algorithm.random_state = rng
        pairs = self._algorithm.mating.selection.do(
            self._problem, self._population, n, 2, to_pop=False, random_state=rng, algorithm=self._algorithm
        )
        members = self._members[pairs]
        first, second = self._archive.networks(members[:, 0]), self._archive.networks(members[:, 1])
        return mutate(self._archive.problem.reduction, cross(first, second, rng), rng)

    def advance(self, rng: np.random.Generator) -> None:
        """Let the fittest of the population and of the last generation survive."""
        generations = self._archive.generations
        newest = np.flatnonzero(generations == generations[-1])
        together = Population.merge(self._population, self._individuals(newest))
        self._population = self._algorithm.survival.do(
            self._problem, together, n_survive=self._algorithm.pop_size, random_state=rng, algorithm=self._algorithm
        )

    @property
    def _members(self) -> IntArray:
        """(P,): the population, as indices of the archive."""
        return np.array([one.get("index") for one in self._population], dtype=np.int64)

    def _individuals(self, indices: IntArray) -> Population:
        """Networks of the archive as pymoo sees them."""
        problem, values = self._archive.problem, self._archive.values[indices]
        return Population.new(
            F=problem.losses(values), G=problem.violations(values)[:, None], index=np.asarray(indices)
        )
