"""All networks that a search has evaluated, each once."""

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import BlockprofError
from blockprof.searching.pareto import choose_parents
from blockprof.searching.problem import Problem
from blockprof.spaces import Architectures


class Archive:
    """The networks evaluated so far: their ``genes`` (N, L + 1), metrics ``values`` (N, M) and ``generations`` (N,);
    none at first.

    ``parents`` are the indices of those that have children. They are kept up to date from generation to generation, so
    that a million networks cost no more than their own generation each.
    """

    def __init__(self, problem: Problem, top_k: int) -> None:
        space = problem.reduction.space
        self.problem = problem
        self.top_k = top_k
        self.genes: IntArray = np.empty((0, space.num_slots + 1), dtype=np.int8)
        self.values: FloatArray = np.empty((0, len(problem.metrics)))
        self.generations: IntArray = np.empty(0, dtype=np.int64)
        self.parents: IntArray = np.empty(0, dtype=np.intp)
        self._seen: set[bytes] = set()

    def networks(self, indices: IntArray | slice = slice(None)) -> Architectures:
        """Some of the networks, or all in the order in which they were evaluated."""
        genes = self.genes[indices]
        return Architectures(self.problem.reduction.space, genes[:, 1:], genes[:, 0])

    @property
    def num_generations(self) -> int:
        """How many generations there are."""
        return int(self.generations[-1]) + 1 if len(self) else 0

    @property
    def is_exhausted(self) -> bool:
        """Whether every network of the reduced space is evaluated."""
        return len(self) == self.problem.reduction.num_networks

    def new_among(self, archs: Architectures) -> Architectures:
        """Those networks that are not evaluated yet, each once."""
        fresh: dict[bytes, int] = {}
        for index, key in enumerate(_keys(archs)):
            if key not in self._seen:
                fresh.setdefault(key, index)
        return archs[np.fromiter(fresh.values(), dtype=np.intp, count=len(fresh))]

    def evaluate(self, archs: Architectures) -> FloatArray:
        """(N, M): the metrics of N networks, all at once.

        Raises:
            BlockprofError: a metric gives a network no number.
        """
        values = self.problem.evaluate(archs)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise BlockprofError(
                f"{self.problem.names[column]} is {values[row, column]} for the network {archs[row].to_strings()[0]}",
                code="not-finite",
            )
        return values

    def add(self, archs: Architectures, values: FloatArray) -> None:
        """Add a generation of new networks with their metrics, (N, M)."""
        numbers = np.full(len(archs), self.num_generations)
        candidates = np.append(self.parents, np.arange(len(self), len(self) + len(archs)))
        candidates.sort()
        self.values = np.concatenate([self.values, values])
        self.generations = np.append(self.generations, numbers)
        self.genes = np.concatenate([self.genes, archs.genes])
        self._seen.update(_keys(archs))
        self.parents = candidates[choose_parents(self.problem, self.values[candidates], self.top_k)]

    def __len__(self) -> int:
        return len(self.values)


def _keys(archs: Architectures) -> list[bytes]:
    """What tells networks apart."""
    genes = np.ascontiguousarray(archs.genes)
    return [bytes(key) for key in genes.view(np.dtype((np.void, genes.shape[1]))).ravel().tolist()]
