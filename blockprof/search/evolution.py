"""The paper's search: children of the best networks so far, by unit-wise random mutation."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from blockprof.search.archive import Archive
from blockprof.search.mutation import mutate
from blockprof.spaces import Architectures

MAX_TRIES = 20
"""How often networks are drawn anew for those that were evaluated before."""

LEAST_DRAWN = 100
"""Networks drawn in each further try, however few are missing."""

Arrays = Mapping[str, NDArray[Any]]


class Method(Protocol):
    """How a search finds its next networks, given an archive of all before."""

    def draw(self, n: int, rng: np.random.Generator) -> Architectures:
        """N networks to evaluate next; some may be in the archive already."""
        ...

    def advance(self, rng: np.random.Generator) -> None:
        """Take in the generation that was added to the archive."""
        ...

    def arrays(self) -> Arrays:
        """What the method knows beside the archive."""
        ...


class Evolution:
    """Parents are drawn uniformly from the archive's: the front so far, or the best few in one objective."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def draw(self, n: int, rng: np.random.Generator) -> Architectures:
        """Mutated copies of N parents."""
        parents = self._archive.networks(rng.choice(self._archive.parents, size=n))
        return mutate(self._archive.problem.reduction, parents, rng)

    def advance(self, rng: np.random.Generator) -> None:
        """The archive knows the parents."""

    def arrays(self) -> Arrays:
        """Nothing: the archive is all there is."""
        return {}


def draw_new(archive: Archive, draw: Callable[[int], Architectures], n: int) -> Architectures:
    """Draw N networks that are not in the archive; fewer where ``MAX_TRIES`` find no more."""
    found = archive.new_among(draw(n))
    for _ in range(MAX_TRIES):
        if len(found) >= n:
            break
        more = draw(max(n - len(found), LEAST_DRAWN))
        found = archive.new_among(Architectures.concatenate([found, more]))
    return found[:n]
