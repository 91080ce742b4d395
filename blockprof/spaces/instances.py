"""Block instances: each distinct block with all that decides its cost."""

from dataclasses import dataclass
from typing import Literal

from blockprof.spaces.blocks import PERCENT, Bottleneck, MBConv
from blockprof.spaces.layers import Operation
from blockprof.spaces.parts import Stem

CHANNEL_DIVISOR = 8
SQUEEZE_RATIO = 4
IMAGE_CHANNELS = 3
NUM_CLASSES = 1000

Position = Literal["first", "rest"]


def divisible_channels(channels: float) -> int:
    """Round to a multiple of 8, but never down by more than a tenth (``ofa.utils.make_divisible``)."""
    rounded = max(CHANNEL_DIVISOR, int(channels + CHANNEL_DIVISOR / 2) // CHANNEL_DIVISOR * CHANNEL_DIVISOR)
    return rounded + CHANNEL_DIVISOR if rounded < 0.9 * channels else rounded


def halved(size: int, halvings: int) -> int:
    """Height or width after so many stride-2 convolutions, each of which rounds up: (h + 1) // 2."""
    return -(-size // (1 << halvings))


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer's place in the network, with its channels and stride; sizes follow from the resolution.

    ``unit`` counts from 0. ``position`` is ``first`` for a unit's first layer, else ``rest``. ``halvings`` is how many
    times height and width were halved before it.
    """

    unit: int
    position: Position
    in_channels: int
    out_channels: int
    stride: int
    halvings: int

    @property
    def has_skip(self) -> bool:
        return self.stride == 1 and self.in_channels == self.out_channels

    def in_size(self, resolution: int) -> int:
        """Height and width of the input, in pixels."""
        return halved(resolution, self.halvings)

    def out_size(self, resolution: int) -> int:
        """Height and width of the output, in pixels."""
        return -(-self.in_size(resolution) // self.stride)


@dataclass(frozen=True, slots=True)
class BlockInstance(_Layer):
    """An MBConv at a place of the network."""

    operator: str
    block: MBConv
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
    def name(self) -> str:
        """Readable and unique within the space: ``u2.first.e6k7``."""
        return f"u{self.unit + 1}.{self.position}.{self.block.name}"


@dataclass(frozen=True, slots=True)
class BottleneckInstance(_Layer):
    """A residual bottleneck at a place of the network: 1x1, 3x3 and 1x1 convolutions beside a shortcut.

    The shortcut is the input itself, or, in a unit's first layer, average pooling by the stride and a 1x1 convolution.
    """

    block: Bottleneck

    @property
    def mid_channels(self) -> int:
        """Channels of the 3x3 convolution."""
        return divisible_channels(round(self.out_channels * self.block.expand / PERCENT))

    @property
    def name(self) -> str:
        """Readable and unique within the space: ``u3.first.w100.e35.from336``, ``u3.rest.w100.e35``."""
        before = f".from{self.in_channels}" if self.position == "first" else ""
        return f"u{self.unit + 1}.{self.position}.{self.block.name}{before}"


@dataclass(frozen=True, slots=True)
class OperatorInstance(_Layer):
    """A block of a space by operators, at a place of the network; ``operation`` is what builds it there.

    ``place`` is what tells it from others of its unit: the channels, where these differ.
    """

    block: Operation
    operation: Operation
    place: str

    @property
    def name(self) -> str:
        """Readable and unique within the space: ``u2.first.k3_e1``."""
        return f"u{self.unit + 1}.{self.position}.{self.block.name}{self.place}"


@dataclass(frozen=True, slots=True)
class StemInstance:
    """One of several stems, with the pooling behind it; ``halvings`` is what it does to height and width."""

    stem: Stem
    halvings: int

    @property
    def in_channels(self) -> int:
        return IMAGE_CHANNELS

    @property
    def out_channels(self) -> int:
        return self.stem.out_channels

    def in_size(self, resolution: int) -> int:
        """Height and width of the image, in pixels."""
        return resolution

    def out_size(self, resolution: int) -> int:
        """Height and width of the output, in pixels."""
        return halved(resolution, self.halvings)

    @property
    def name(self) -> str:
        """Readable and unique within the space: ``stem.skip.c24.c40``."""
        skip = "skip" if self.stem.skip else "noskip"
        return f"stem.{skip}.c{self.stem.mid_channels}.c{self.stem.out_channels}"


@dataclass(frozen=True, slots=True)
class HeadInstance:
    """Global pooling and the classifier behind a last unit of one of several widths."""

    in_channels: int
    halvings: int

    @property
    def out_channels(self) -> int:
        return NUM_CLASSES

    def in_size(self, resolution: int) -> int:
        """Height and width of the input, in pixels."""
        return halved(resolution, self.halvings)

    def out_size(self, resolution: int) -> int:
        """The classes have no height and width: 1."""
        return 1

    @property
    def name(self) -> str:
        """Readable and unique within the space: ``head.c2048``."""
        return f"head.c{self.in_channels}"


LayerInstance = BlockInstance | BottleneckInstance | OperatorInstance
Instance = LayerInstance | StemInstance | HeadInstance
