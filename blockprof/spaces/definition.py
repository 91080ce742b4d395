"""What a design space is: plain data, read by one set of functions.

Units and layers are counted from 1 wherever a user sees them and from 0 in every array. A *slot* is one layer of one
unit; slots are numbered through the network, so unit 2's first layer is slot 4 where unit 1 has four layers.

A network is a chain: the stem, the units, the head. What a unit's first layer costs depends on the width before it, so
the chain has a *state* between its links: the index of the width. A space whose units have one width has one state.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from blockprof.spaces.assets import Assets
from blockprof.spaces.blocks import PERCENT, Axis, Block, Bottleneck, MBConv

if TYPE_CHECKING:
    from blockprof.spaces.architectures import Architectures
    from blockprof.spaces.instances import Catalogue, Instance

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer[Any]]
FloatArray = NDArray[np.float64]

CostsBy = Literal["instance", "placement"]
FixedPart = Literal["stem", "head"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A chain of layers of one of ``widths`` (channels); the first layer carries the stride and the change of width."""

    widths: tuple[int, ...]
    stride: int
    depths: tuple[int, ...]
    activation: str
    squeeze_excite: bool = False

    @property
    def max_depth(self) -> int:
        return max(self.depths)


@dataclass(frozen=True, slots=True, order=True)
class Stem:
    """One choice of what lies before the first unit.

    ``mid_channels`` is the width of the first convolution, ``out_channels`` that of the last one. Between the two lies
    a fixed block, which ``skip`` leaves out.
    """

    skip: bool
    mid_channels: int
    out_channels: int


@dataclass(frozen=True, slots=True)
class StemChoices:
    """What a stem may be; each choice is uniform, and a width that is there twice is twice as likely.

    ``halvings`` is how many times the stem halves height and width.
    """

    skip: tuple[bool, ...]
    mid_channels: tuple[int, ...]
    out_channels: tuple[int, ...]
    halvings: int


@dataclass(frozen=True)
class Space:
    """A design space of networks made of units of layers.

    ``operator`` is the layers' in net strings. Its blocks are MBConvs of ``expands`` times ``kernels``, or, where units
    have several widths, bottlenecks of ``width_ratios`` times ``expands``, both in percent, with one kernel size.
    ``head_widths`` are the 1x1 convolutions behind the last unit. Widths are channels after the width multiplier.
    ``upstream_shortfall`` is how many layers less than a placement needs BlockProfile's sampler makes sure of;
    ``upstream_adds_layers`` whether it writes a unit's depth as layers beyond the fewest. ``assets`` is what else is
    known of the space; two spaces with the same networks are equal, whatever they bring along.
    """

    name: str
    title: str
    operator: str
    ofa_network: str
    width_multiplier: float
    stem: StemChoices
    units: tuple[Unit, ...]
    head_widths: tuple[int, ...]
    expands: tuple[int, ...]
    kernels: tuple[int, ...]
    resolutions: range
    upstream_shortfall: int
    width_ratios: tuple[int, ...] = (PERCENT,)
    upstream_adds_layers: bool = False
    assets: Assets = field(default=Assets(), compare=False)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every block a layer may hold, by row, then column, of ``axes``."""
        if self.num_widths > 1:
            return tuple(Bottleneck(width, expand) for width in self.width_ratios for expand in self.expands)
        return tuple(MBConv(expand, kernel) for expand in self.expands for kernel in self.kernels)

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        """What tells blocks apart, rows and columns of every table of them."""
        if self.num_widths > 1:
            widths, expands = (
                tuple(f"{value / PERCENT:g}" for value in each) for each in (self.width_ratios, self.expands)
            )
            return Axis("width ratio", widths), Axis("expansion ratio", expands)
        kernels = tuple(f"{kernel} x {kernel}" for kernel in self.kernels)
        return Axis("expansion ratio", tuple(map(str, self.expands))), Axis("kernel size", kernels)

    @property
    def num_widths(self) -> int:
        """W: how many widths a unit may have."""
        return len(self.width_ratios)

    @property
    def blocks_per_width(self) -> int:
        """E: how many blocks there are of each width; block ``b`` has the width ``b // E``."""
        return len(self.blocks) // self.num_widths

    @cached_property
    def stems(self) -> tuple[Stem, ...]:
        """Every distinct stem."""
        choices = self.stem
        return tuple(sorted({Stem(*one) for one in product(choices.skip, choices.mid_channels, choices.out_channels)}))

    @cached_property
    def stem_states(self) -> IntArray:
        """(S,): the state that each stem leaves, the index of its width."""
        widths = self.stem.out_channels
        return np.array([widths.index(stem.out_channels) for stem in self.stems])

    @property
    def fixed_parts(self) -> tuple[FixedPart, ...]:
        """The stem and the head where there is only one, which is no instance but part of what every network costs."""
        parts: tuple[tuple[FixedPart, int], ...] = (
            ("stem", len(self.stems)),
            ("head", len(self.units[-1].widths)),
        )
        return tuple(part for part, number in parts if number == 1)

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

    @cached_property
    def digest(self) -> str:
        """8 hex digits that tell this definition from others, whatever the space brings along."""
        definition = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        return sha256(repr(definition).encode()).hexdigest()[:8]

    @property
    def num_slots(self) -> int:
        return len(self.slot_unit)

    @cached_property
    def _catalogues(self) -> dict[CostsBy, "Catalogue"]:
        from blockprof.spaces.instances import build_catalogue, placement_catalogue

        return {"instance": build_catalogue(self), "placement": placement_catalogue(self)}

    @property
    def instances(self) -> tuple["Instance", ...]:
        """Every distinct instance once (99 in ``pn``, 90 in ``mbv3``, 159 with stems and heads in ``resnet50``)."""
        return self._catalogues["instance"].instances

    def catalogue(self, by: CostsBy = "instance") -> "Catalogue":
        """Where along the chain each cost is found: costs of block instances, or of placements."""
        return self._catalogues[by]

    def encode(self, archs: "Architectures", by: CostsBy = "instance") -> IntArray:
        """Turn N architectures into (N, L + 2) indices of block instances, or of placements: stem, layers, head.

        An absent layer, and a stem or head that is one of ``fixed_parts``, has the last index,
        ``catalogue(by).absent``, whose cost is 0: a network's additive cost is ``costs[ids].sum(1)``.
        """
        catalogue = self.catalogue(by)
        present = archs.blocks >= 0
        layers = catalogue.layers[np.arange(self.num_slots), archs.states_before[:, self.slot_unit], archs.blocks]
        layers = np.where(present, layers, catalogue.absent)
        return np.column_stack([catalogue.stems[archs.stems], layers, catalogue.heads[archs.widths[:, -1]]])

    def __repr__(self) -> str:
        return f"Space({self.name!r})"
