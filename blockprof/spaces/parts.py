"""The parts of a space's networks: units of layers, and what lies before the first one."""

from dataclasses import dataclass


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
