"""What a design space is: plain data, read by one set of functions.

Units and layers are counted from 1 wherever a user sees them and from 0 in every array. A *slot* is one layer of one
unit; slots are numbered through the network, so unit 2's first layer is slot 4 where unit 1 has four layers.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from blockprof.spaces.architectures import Architectures
    from blockprof.spaces.instances import BlockInstance

IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """An inverted residual block (MBConv) of one expansion ratio and one depthwise kernel size."""

    expand: int
    kernel: int

    @property
    def name(self) -> str:
        """Short name, as in placements: ``e6k7``."""
        return f"e{self.expand}k{self.kernel}"

    @property
    def title(self) -> str:
        """The paper's name: ``MBConv6-7``."""
        return f"MBConv{self.expand}-{self.kernel}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A chain of layers of one width; the first layer carries the stride and the change of width."""

    width: int
    stride: int
    depths: tuple[int, ...]
    activation: str
    squeeze_excite: bool = False

    @property
    def max_depth(self) -> int:
        return max(self.depths)


@dataclass(frozen=True)
class Space:
    """A design space of networks made of units of MBConv layers.

    ``stem_width`` is the width of the first convolution (stride 2), ``entry_width`` that of the fixed block behind it
    (expansion 1, kernel 3, stride 1); ``head_widths`` are the 1x1 convolutions behind the last unit. Widths are
    channels after the width multiplier.
    """

    name: str
    title: str
    operator: str
    ofa_network: str
    width_multiplier: float
    stem_width: int
    entry_width: int
    units: tuple[Unit, ...]
    head_widths: tuple[int, ...]
    expands: tuple[int, ...]
    kernels: tuple[int, ...]
    resolutions: range

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every block a layer may hold, by expansion ratio, then kernel size."""
        return tuple(Block(expand, kernel) for expand in self.expands for kernel in self.kernels)

    @cached_property
    def slot_unit(self) -> IntArray:
        """(L,): the unit of each slot, from 0."""
        return np.repeat(np.arange(len(self.units)), [unit.max_depth for unit in self.units])

    @cached_property
    def slot_layer(self) -> IntArray:
        """(L,): each slot's layer within its unit, from 0."""
        return np.concatenate([np.arange(unit.max_depth) for unit in self.units])

    @cached_property
    def unit_slots(self) -> tuple[slice, ...]:
        """The slots of each unit."""
        ends = np.cumsum([unit.max_depth for unit in self.units])
        return tuple(slice(int(end) - unit.max_depth, int(end)) for unit, end in zip(self.units, ends, strict=True))

    @property
    def num_slots(self) -> int:
        return len(self.slot_unit)

    @cached_property
    def _catalogue(self) -> tuple[tuple["BlockInstance", ...], IntArray]:
        from blockprof.spaces.instances import build_catalogue

        return build_catalogue(self)

    @property
    def instances(self) -> tuple["BlockInstance", ...]:
        """The catalogue: every distinct block instance once (99 for ``pn``, 90 for ``mbv3``)."""
        return self._catalogue[0]

    @property
    def instance_ids(self) -> IntArray:
        """(L, B): the catalogue index of each block at each slot."""
        return self._catalogue[1]

    def encode(self, archs: "Architectures", by: Literal["instance", "placement"] = "instance") -> IntArray:
        """Turn N architectures into (N, L) indices of block instances, or of placements.

        An absent layer has the last index (``len(instances)``, or L x B), whose cost is 0: a network's additive cost
        is ``costs[ids].sum(1)``.
        """
        if by == "instance":
            ids, absent = self.instance_ids, len(self.instances)
        else:
            ids = np.arange(self.num_slots * len(self.blocks)).reshape(self.num_slots, -1)
            absent = ids.size
        present = archs.blocks >= 0
        return np.where(present, ids[np.arange(self.num_slots), archs.blocks], absent)

    def __repr__(self) -> str:
        return f"Space({self.name!r})"
