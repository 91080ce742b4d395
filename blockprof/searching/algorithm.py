"""Algorithms that searches are made by: found by name through one registry."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from blockprof.foundation.registry import Registry
from blockprof.searching.archive import Archive
from blockprof.spaces import Architectures


class Budget(NamedTuple):
    """How many initial networks, generations, and children of each."""

    initial: int
    generations: int
    children: int

    @property
    def total(self) -> int:
        """Networks in all."""
        return self.initial + self.generations * self.children


Propose = Callable[[Archive, Budget, np.random.Generator], Iterator[Architectures]]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How a search finds its networks.

    ``propose`` takes an archive, which knows the problem and is empty, a budget and a random generator, and yields
    batches of networks. When it is resumed, a batch is in the archive, evaluated, as one generation; networks that were
    there already are not evaluated again, and a batch of only those is no generation. It ends by itself, with no more
    networks than the budget's total.

    All that is random must come from the generator: a search that was interrupted is resumed by proposing everything
    again. ``is_exact`` says that it yields one batch, the true answer, whatever the budget; there is nothing random in
    it.
    """

    propose: Propose
    is_exact: bool = False


ALGORITHMS: Registry[Algorithm] = Registry("algorithm", ("blockprof.searching.built_in",))
"""All algorithms by name."""


def register_algorithm(name: str, algorithm: Algorithm) -> Algorithm:
    """Add an algorithm that ``search`` finds by ``name``, and return it.

    Raises:
        InputError: another algorithm has that name.
    """
    return ALGORITHMS.register(name, algorithm)
