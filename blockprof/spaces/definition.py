"""What a design space is: plain data, read by one set of functions.

Units and layers are counted from 1 wherever a user sees them and from 0 in every array. A *slot* is one layer of one
unit; slots are numbered through the network, so unit 2's first layer is slot 4 where unit 1 has four layers.

A network is a chain: the stem, the units, the head. What a unit's first layer costs depends on the width before it, so
the chain has a *state* between its links: the index of the width. A space whose units have one width has one state.
"""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from hashlib import sha256
from itertools import product
from typing import Literal, Protocol

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.spaces.assets import Assets
from blockprof.spaces.blocks import PERCENT, Axis, Block, Bottleneck, MBConv
from blockprof.spaces.instances import (
    BlockInstance,
    BottleneckInstance,
    HeadInstance,
    Instance,
    OperatorInstance,
    Position,
    StemInstance,
)
from blockprof.spaces.layers import Layers, Operation, Value
from blockprof.spaces.parts import Stem, StemChoices, Unit

SKIP = "skip"
"""The operator of layers that are absent."""

CostsBy = Literal["instance", "placement"]
FixedPart = Literal["stem", "head"]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Where along the chain each of a space's costs is found.

    ``layers`` is (L, P, B): the index of the cost of each block at each slot, by the width before its unit. ``stems``
    is (S,) and ``heads`` (W,), by the last unit's width; they are ``absent``, the number of costs, where stem and head
    are the same for all networks. ``instances`` are what the costs are of, empty for costs of placements.
    """

    layers: IntArray
    stems: IntArray
    heads: IntArray
    absent: int
    instances: tuple[Instance, ...] = ()


class Networks(Protocol):
    """What encoding needs of N networks: see :class:`blockprof.spaces.Architectures`."""

    @property
    def blocks(self) -> IntArray:
        """(N, L): the index of the block at each slot, or -1."""
        ...

    @property
    def stems(self) -> IntArray:
        """(N,): the index of the stem."""
        ...

    @property
    def widths(self) -> IntArray:
        """(N, U): the index of each unit's width."""
        ...

    @property
    def states_before(self) -> IntArray:
        """(N, U): the index of the width before each unit."""
        ...


@dataclass(frozen=True)
class Space:
    """A design space of networks made of units of layers.

    ``operator`` is the layers' in net strings. Its blocks are MBConvs of ``expands`` times ``kernels``, or, where units
    have several widths, bottlenecks of ``width_ratios`` times ``expands``, both in percent, with one kernel size.
    ``head_widths`` are the 1x1 convolutions behind the last unit. Widths are channels after the width multiplier.
    A space by operators has ``layers`` instead, and ``own_axes``, by which tables show its blocks: the *width* of a
    unit then is whatever its layers share (``layers.states``).
    ``upstream_shortfall`` is how many layers less than a placement needs BlockProfile's sampler makes sure of;
    ``upstream_adds_layers`` whether it writes a unit's depth as layers beyond the fewest. ``assets`` is what else is
    known of the space; two spaces with the same networks are equal, whatever they bring along.
    """

    name: str
    title: str
    operator: str
    stem: StemChoices
    units: tuple[Unit, ...]
    resolutions: range
    ofa_network: str = ""
    width_multiplier: float = 1.0
    head_widths: tuple[int, ...] = ()
    expands: tuple[int, ...] = ()
    kernels: tuple[int, ...] = ()
    upstream_shortfall: int = 0
    width_ratios: tuple[int, ...] = (PERCENT,)
    upstream_adds_layers: bool = False
    layers: Layers | None = None
    own_axes: tuple[Axis, Axis] | None = None
    assets: Assets = field(default=Assets(), compare=False)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every block a layer may hold, by row, then column, of ``axes``."""
        if self.layers is not None:
            return self.layers.blocks
        if self.num_widths > 1:
            return tuple(Bottleneck(width, expand) for width in self.width_ratios for expand in self.expands)
        return tuple(MBConv(expand, kernel) for expand in self.expands for kernel in self.kernels)

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        """What tells blocks apart, rows and columns of every table of them."""
        if self.own_axes is not None:
            return self.own_axes
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
        return len(self.width_choices)

    @property
    def width_choices(self) -> tuple[Value, ...]:
        """(W,): what a unit's width may be: ratios in percent, or the names of what its layers share."""
        return self.layers.states if self.layers is not None else self.width_ratios

    @property
    def width_names(self) -> tuple[str, ...]:
        """(W,): the widths as reductions name them: ``w100``."""
        return tuple(one if isinstance(one, str) else f"w{one}" for one in self.width_choices)

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
            ("head", len(set(self.units[-1].widths))),
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
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        definition = {name: values[name] for name in sorted(values) if values[name] is not None}
        return sha256(repr(definition).encode()).hexdigest()[:8]

    @property
    def num_slots(self) -> int:
        return len(self.slot_unit)

    @cached_property
    def _catalogues(self) -> dict[CostsBy, Catalogue]:
        return {"instance": _build_catalogue(self), "placement": _placement_catalogue(self)}

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Every distinct instance once (99 in ``pn``, 90 in ``mbv3``, 159 with stems and heads in ``resnet50``)."""
        return self._catalogues["instance"].instances

    def catalogue(self, by: CostsBy = "instance") -> Catalogue:
        """Where along the chain each cost is found: costs of block instances, or of placements."""
        return self._catalogues[by]

    def encode(self, archs: Networks, by: CostsBy = "instance") -> IntArray:
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


def _build_catalogue(space: Space) -> Catalogue:
    """List the distinct instances of ``space``, by slot, width before and block; then stems and heads, if several."""
    found: dict[Instance, int] = {}

    def number(instance: Instance) -> int:
        return found.setdefault(instance, len(found))

    before, halvings = space.stem.out_channels, space.stem.halvings
    layers = np.empty((space.num_slots, len(before), len(space.blocks)), dtype=np.int64)
    for unit_index, (unit, slots) in enumerate(zip(space.units, space.unit_slots, strict=True)):
        for layer, slot in enumerate(range(slots.start, slots.stop)):
            for state, in_channels in enumerate(before):
                for block in range(len(space.blocks)):
                    width = unit.widths[block // space.blocks_per_width]
                    place = (unit_index, halvings, in_channels) if layer == 0 else (unit_index, halvings, width)
                    instance = _instance(space, block, layer, *place)
                    layers[slot, state, block] = -1 if instance is None else number(instance)
            if layer == 0:
                halvings += unit.stride.bit_length() - 1
        before = unit.widths
    stems, heads = np.full(1, -1), np.full(space.num_widths, -1)
    if "stem" not in space.fixed_parts:
        stems = np.array([number(StemInstance(stem, space.stem.halvings)) for stem in space.stems])
    if "head" not in space.fixed_parts:
        heads = np.array([number(HeadInstance(width, halvings)) for width in before])
    absent = len(found)
    layers, stems, heads = (np.where(known < 0, absent, known) for known in (layers, stems, heads))
    return Catalogue(layers, stems, heads, absent, tuple(found))


def _placement_catalogue(space: Space) -> Catalogue:
    """A cost for each block at each slot, whatever is before it, and for each stem, if several."""
    shape = (space.num_slots, len(space.stem.out_channels), len(space.blocks))
    size = space.num_slots * len(space.blocks)
    layers = np.broadcast_to(np.arange(size).reshape(space.num_slots, 1, -1), shape)
    # A single stem is absent, and absent is the number behind the last cost.
    stems = size + np.arange(len(space.stems))
    absent = size if "stem" in space.fixed_parts else size + len(space.stems)
    return Catalogue(layers, stems, np.full(space.num_widths, absent), absent)


def _instance(
    space: Space, block_index: int, layer: int, unit_index: int, halvings: int, in_channels: int
) -> Instance | None:
    """A block at a place; None for a ``skip`` that leaves all as it is, and so is absent."""
    unit, block = space.units[unit_index], space.blocks[block_index]
    position: Position = "rest" if layer else "first"
    stride = 1 if layer else unit.stride
    place = (unit_index, position, in_channels, unit.widths[block_index // space.blocks_per_width], stride, halvings)
    if isinstance(block, Operation):
        return _operator_instance(space, block, *place)
    if isinstance(block, Bottleneck):
        return BottleneckInstance(*place, block)
    return BlockInstance(*place, space.operator, block, unit.activation, unit.squeeze_excite)


def _operator_instance(
    space: Space,
    block: Operation,
    unit: int,
    position: Position,
    in_channels: int,
    out_channels: int,
    stride: int,
    halvings: int,
) -> OperatorInstance | None:
    assert space.layers is not None
    common = space.layers.units[unit]
    operation = replace(block, operator=block.operator or common.operator).with_settings(common.settings)
    if operation.operator == SKIP and stride == 1 and in_channels == out_channels:
        return None
    before = space.units[unit - 1].widths if unit else space.stem.out_channels
    place = f".from{in_channels}" if position == "first" and len(set(before)) > 1 else ""
    return OperatorInstance(
        unit, position, in_channels, out_channels, stride, halvings, block=block, operation=operation, place=place
    )
