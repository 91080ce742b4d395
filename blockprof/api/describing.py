"""What a design space is, checked: the call behind ``blockprof space check``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import
from blockprof.reduction import Reduction
from blockprof.spaces import Space, load_space

if TYPE_CHECKING:
    from blockprof.networks import chains
else:
    chains = lazy_import("blockprof.networks.chains")


@dataclass(frozen=True)
class SpaceSummary:
    """A space that was checked, how many networks it has, and what it was given as."""

    space: Space
    num_networks: int
    given: str


def check_space(name_or_path: str) -> SpaceSummary:
    """Load a space, and, where it is one by operators, build each of its blocks and pass a tensor through it.

    Raises:
        InputError: there is none of that name, or an operator does not build or gives another shape.
        DataFileError: the file holds no space; the message names line and key.
    """
    space = load_space(name_or_path)
    if space.layers is not None:
        chains.check_modules(space)
    return SpaceSummary(space, Reduction.whole(space).num_networks, name_or_path)
