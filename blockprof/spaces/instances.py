"""The catalogue of block instances: each distinct block with all that decides its cost."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from blockprof.spaces.definition import Block, IntArray, Space

STEM_HALVINGS = 1
CHANNEL_DIVISOR = 8
SQUEEZE_RATIO = 4


def divisible_channels(channels: float) -> int:
    """Round to a multiple of 8, but never down by more than a tenth (``ofa.utils.make_divisible``)."""
    rounded = max(CHANNEL_DIVISOR, int(channels + CHANNEL_DIVISOR / 2) // CHANNEL_DIVISOR * CHANNEL_DIVISOR)
    return rounded + CHANNEL_DIVISOR if rounded < 0.9 * channels else rounded


@dataclass(frozen=True, slots=True)
class BlockInstance:
    """A block at a place of the network, with its channels and stride; sizes follow from the resolution.

    ``unit`` counts from 0. ``position`` is ``first`` for a unit's first layer, else ``rest``. ``halvings`` is how many
    stride-2 convolutions lie before it.
    """

    operator: str
    block: Block
    unit: int
    position: Literal["first", "rest"]
    in_channels: int
    out_channels: int
    stride: int
    halvings: int
    activation: str
    squeeze_excite: bool

    @property
    def mid_channels(self) -> int:
        """Channels of the depthwise convolution."""
        return divisible_channels(round(self.in_channels * self.block.expand))

    @property
    def squeeze_channels(self) -> int:
        """Channels inside squeeze-and-excite; 0 where there is none."""
        return divisible_channels(self.mid_channels // SQUEEZE_RATIO) if self.squeeze_excite else 0

    @property
    def has_skip(self) -> bool:
        return self.stride == 1 and self.in_channels == self.out_channels

    def in_size(self, resolution: int) -> int:
        """Height and width of the input, in pixels. Each stride-2 convolution rounds up: (h + 1) // 2."""
        return -(-resolution // (1 << self.halvings))

    def out_size(self, resolution: int) -> int:
        """Height and width of the output, in pixels."""
        return -(-self.in_size(resolution) // self.stride)

    @property
    def name(self) -> str:
        """Readable and unique within the space: ``u2.first.e6k7``."""
        return f"u{self.unit + 1}.{self.position}.{self.block.name}"


def build_catalogue(space: Space) -> tuple[tuple[BlockInstance, ...], IntArray]:
    """Return the distinct instances of ``space`` and (L, B) indices into them, by slot and block."""
    instances: dict[BlockInstance, int] = {}
    ids = np.empty((space.num_slots, len(space.blocks)), dtype=np.int64)
    channels, halvings = space.entry_width, STEM_HALVINGS
    for unit_index, (unit, slots) in enumerate(zip(space.units, space.unit_slots, strict=True)):
        for layer, slot in enumerate(range(slots.start, slots.stop)):
            stride = unit.stride if layer == 0 else 1
            for block_index, block in enumerate(space.blocks):
                instance = BlockInstance(
                    operator=space.operator,
                    block=block,
                    unit=unit_index,
                    position="first" if layer == 0 else "rest",
                    in_channels=channels,
                    out_channels=unit.width,
                    stride=stride,
                    halvings=halvings,
                    activation=unit.activation,
                    squeeze_excite=unit.squeeze_excite,
                )
                ids[slot, block_index] = instances.setdefault(instance, len(instances))
            channels = unit.width
            halvings += stride - 1
    return tuple(instances), ids
