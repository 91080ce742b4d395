"""What charts show, as data: values with their units and names, not how they are drawn.

All arrays of one layer have the same length N and hold the values that a reader reads off the axes. A layer's ``name``
is its entry in the legend; without one it has none.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.output.numbers import format_value

Tone = Literal["main", "other", "row1", "row2", "row3", "rule", "alarm"] | int
"""What a layer's colour tells: the answer, what it is compared with, a row of a space's blocks, a line to read against,
a warning; or, as a number from 0, a group."""
Size = Literal["small", "medium", "large"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis. ``ticks`` are values and their labels; round values where there are none.

    ``limits`` are the least and the greatest value shown; what the layers need where there are none.
    """

    label: str
    ticks: tuple[tuple[float, str], ...] = ()
    limits: tuple[float, float] | None = None
    is_log: bool = False
    is_whole: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """Points joined in their order.

    ``step`` says which of two neighbours' ``y`` holds between them: the ``next`` one's or the ``last`` one's. With
    ``marks``, each point has one; ``labels`` are written beside them, or ``notes`` shown when pointed at.
    """

    x: FloatArray
    y: FloatArray
    tone: Tone = "main"
    name: str = ""
    step: Literal["", "next", "last"] = ""
    marks: bool = False
    pale: bool = False
    size: Size = "medium"
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """Points by themselves, each with its note where there are any."""

    x: FloatArray
    y: FloatArray
    tone: Tone = "main"
    name: str = ""
    pale: bool = False
    hollow: bool = False
    size: Size = "medium"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """The area from ``lower`` to ``upper`` along ``x``."""

    x: FloatArray
    lower: FloatArray
    upper: FloatArray
    tone: Tone = "main"
    name: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Ranges:
    """A bar from ``lower`` to ``upper`` at each place of the other axis: upright, or level if ``across``."""

    at: FloatArray
    lower: FloatArray
    upper: FloatArray
    tone: Tone = "main"
    name: str = ""
    across: bool = False
    pale: bool = False
    thick: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Bars:
    """A bar from 0 to ``height`` over each range of ``x`` from ``left`` to ``right``."""

    left: FloatArray
    right: FloatArray
    height: FloatArray
    tone: Tone = "main"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line through the whole panel at a value ``at`` of an ``axis``; dashed where it is a limit."""

    at: float
    axis: Literal["x", "y"] = "y"
    name: str = ""
    is_limit: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Regions:
    """Neighbouring parts of the ``x`` axis, named above, every second one shaded."""

    starts: FloatArray
    stops: FloatArray
    names: tuple[str, ...]


Layer = Line | Points | Band | Ranges | Bars | Rule | Regions


@dataclass(frozen=True, eq=False, slots=True)
class Panel:
    """Layers on one pair of axes, the first one lowest.

    ``legend`` says where the names of its layers stand: inside, where there is room or in a corner; beside it, with
    ``legend_title`` above; or nowhere.
    """

    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    title: str = ""
    legend: Literal["", "inside", "upper left", "beside"] = ""
    legend_title: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Chart:
    """Panels side by side, ``columns`` in a row, and what their numbers are and where they come from.

    With ``shares_axes`` all panels have the same scales. With ``legend`` one legend at the side holds the names of all.
    ``size`` is the width and the height of the whole, in inches.
    """

    title: str
    panels: tuple[Panel, ...]
    size: tuple[float, float]
    caption: str = ""
    columns: int = 3
    shares_axes: bool = False
    legend: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class HeatMap:
    """A table of numbers, each on a ground that goes from blue, the best of them, to red, the worst.

    ``values`` is (R, C), not a number where there is none, as ``halves``, half the 95 % interval of each, 0 where it is
    exact; ``rows`` and ``columns`` name the rows from the top on, and the columns. ``label`` is the metric with its
    unit. ``known_to`` is the size of the values' error, in that unit. The colours go over at least ``least_range``,
    around the middle of the values, so that small differences stay pale. ``notes`` is (R, C): what is said of each.
    """

    title: str
    label: str
    row_axis: str
    column_axis: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: FloatArray
    halves: FloatArray
    higher_is_better: bool
    known_to: float = 0.0
    least_range: float = 0.0
    notes: tuple[tuple[str, ...], ...] = ()
    caption: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """The values at the ends of the colours."""
        low, high = float(np.nanmin(self.values)), float(np.nanmax(self.values))
        beyond = max(self.least_range - (high - low), 0.0) / 2
        return low - beyond, high + beyond

    @property
    def badness(self) -> FloatArray:
        """(R, C): each value's place from the best, 0, to the worst, 1; a half where all are alike."""
        low, high = self.limits
        shares = (self.values - low) / (high - low) if high > low else np.where(np.isnan(self.values), np.nan, 0.5)
        return 1 - shares if self.higher_is_better else shares

    def text(self, row: int, column: int) -> str:
        """A value as it is written among the others; nothing where there is none."""
        value = float(self.values[row, column])
        return "" if np.isnan(value) else format_value(value, self.values, self.known_to)
