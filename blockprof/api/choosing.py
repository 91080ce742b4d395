"""Which networks to measure, here or on another device: those of a file, or chosen ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.api.defaults import DESIGN, NUM_NETS, RESOLUTION
from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import Listener
from blockprof.spaces import Architectures, Space
from blockprof.spaces.resolution import check_resolution

if TYPE_CHECKING:
    from blockprof.evaluators.device import net_files
    from blockprof.predictors import design as designs
else:
    designs = lazy_import("blockprof.predictors.design")
    net_files = lazy_import("blockprof.evaluators.device.net_files")


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks to measure: ``num_nets`` (50) that a ``design`` (``d-optimal``, ``random``) chooses at ``resolutions``
    (224), or those of the file ``nets``.

    The file is a CSV, a list with a net string a line, or OFA's settings as JSON. None leaves it to the default.
    """

    num_nets: int | None = None
    design: str | None = None
    nets: Path | None = None
    resolutions: Sequence[int] | None = None

    def choose(
        self, space: Space, seed: int, listener: Listener, there: Sequence[int] = ()
    ) -> tuple[Architectures, IntArray, dict[str, object]]:
        """Read the networks, or choose them as for a measurement of ``there`` networks at first, and then extended.

        Returns:
            N networks, (N,) resolutions, and what a run logs of where they come from.

        Raises:
            InputError: settings that exclude each other, no such design, or more networks than the space has.
            MetricError: a resolution that the space cannot take.
            DataFileError: the file cannot be read, or does not hold networks of the space.
        """
        for size in self.resolutions or ():
            check_resolution(space, size)
        if self.nets is not None:
            self.refuse(Said("{} gives the networks", Argument("nets")), "num_nets", "design")
            return *net_files.read_networks(self.nets, space, self.resolutions), {"nets": self.nets}
        method, count = designs.check_design(self.design or DESIGN), self.num_nets or NUM_NETS
        rng, before, sizes = np.random.default_rng(seed), None, self.resolutions or [RESOLUTION]
        listener.on_start("choosing networks")
        for size in (size for size in there if size < count):
            before = designs.choose_networks(space, size, sizes, rng, design=method, chosen=before)
        archs, at = designs.choose_networks(space, count, sizes, rng, design=method, chosen=before)
        return archs, at, {"design": method}

    def refuse(self, reason: Said, *names: str) -> None:
        """Refuse settings that choose networks, for a reason.

        Raises:
            InputError: one of them was given.
        """
        for name in names:
            if getattr(self, name) is not None:
                raise InputError(Said("{} chooses networks, and {}", Argument(name), reason), remedy="leave one out")
