"""The blocks a layer may hold: inverted residuals of mobile spaces, bottlenecks of residual networks."""

from dataclasses import dataclass

from blockprof.spaces.layers import Operation

PERCENT = 100


@dataclass(frozen=True, slots=True, order=True)
class MBConv:
    """An inverted residual block of one expansion ratio and one depthwise kernel size."""

    expand: int
    kernel: int

    @property
    def name(self) -> str:
        """Short name, as in placements: ``e6k7``."""
        return f"e{self.expand}k{self.kernel}"


@dataclass(frozen=True, slots=True, order=True)
class Bottleneck:
    """A residual bottleneck of one unit width and one expansion ratio, both in percent of what they are ratios of.

    ``width`` is the unit's, the same for all its layers: 65 % of ResNet50's channels, say. ``expand`` is the width of
    the inner convolution over the unit's: 35 %.
    """

    width: int
    expand: int

    @property
    def name(self) -> str:
        """Short name, as in placements: ``w100.e35``."""
        return f"w{self.width}.e{self.expand}"


Block = MBConv | Bottleneck | Operation


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the two things that tell a space's blocks apart: its name, and its values as text, in order."""

    name: str
    labels: tuple[str, ...]
