"""Line charts as SVG with real text. Colours and fonts are the page's (``style.css``), so that they follow its theme.

Lengths are in the drawing's own units, which are about as large as a screen's pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from blockprof.foundation.arrays import FloatArray
from blockprof.output.report.page import tick_text

WIDTH, HEIGHT = 380.0, 290.0
TOP, BOTTOM, RIGHT = 24.0, 44.0, 14.0
CHARACTER = 6.3
"""A digit's width, rounded up, at the size of the page's drawings."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where on a drawing the values from ``low`` to ``high`` lie: from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        low, high, here = (np.log(each) if self.is_log else each for each in (self.low, self.high, value))
        return float(self.start + (here - low) / (high - low) * (self.end - self.start))

    def ticks(self, most: int = 6) -> list[float]:
        """Round values on the scale; of a logarithmic one 1, 2 and 5 times powers of ten."""
        from matplotlib.ticker import LogLocator, MaxNLocator

        locator = LogLocator(subs=(1, 2, 5)) if self.is_log else MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])
        slack = 1e-9 * (self.high - self.low)
        found = (round(float(tick), 10) for tick in locator.tick_values(self.low, self.high))
        return [tick for tick in found if self.low - slack <= tick <= self.high + slack]


@dataclass(frozen=True, slots=True)
class Plot:
    """The two scales of a chart. Its left margin is as wide as the labels of ``y`` need."""

    x: Scale
    y: Scale

    @classmethod
    def over(
        cls, x: tuple[float, float], y: tuple[float, float], *, is_log: bool = False, room: float = 0.04
    ) -> "Plot":
        """A chart of these ranges, both logarithmic or both linear, with some ``room`` (a share) above and below."""
        low, high = y
        if is_log:
            spare = (high / low) ** room
            low, high = low / spare, high * spare
        else:
            spare = room * (high - low) or 1.0
            low, high = low - spare, high + spare
        vertical = Scale(low, high, HEIGHT - BOTTOM, TOP, is_log)
        left = 26 + CHARACTER * max(len(tick_text(tick)) for tick in vertical.ticks())
        return cls(Scale(*x, left, WIDTH - RIGHT, is_log), vertical)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of these values lies."""
        return self.x(x), self.y(y)

    def axes(self, x_label: str, y_label: str, x_ticks: Iterable[tuple[float, str]] | None = None) -> Markup:
        """Lines across at round values of ``y``, the labels of both scales, and their titles."""
        if x_ticks is None:
            x_ticks = [(tick, tick_text(tick)) for tick in self.x.ticks()]
        left, right, bottom = self.x.start, self.x.end, self.y.start
        parts = []
        for tick in self.y.ticks():
            level = self.y(tick)
            parts += [line(left, level, right, level, "across"), text(left - 5, level + 3.5, tick_text(tick), "end")]
        parts += [text(self.x(value), bottom + 15, label) for value, label in x_ticks]
        parts.append(text((left + right) / 2, HEIGHT - 8, x_label, css="title"))
        middle = (TOP + bottom) / 2
        parts.append(
            Markup('<text class="title" transform="translate(12 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>')
            .format(middle, y_label)
        )  # fmt: skip
        return Markup("").join(parts)

    def level(self, y: float, css: str) -> Markup:
        """A line across the whole chart."""
        return line(self.x.start, self.y(y), self.x.end, self.y(y), css)

    def curve(self, xs: Iterable[float], ys: Iterable[float], css: str) -> Markup:
        """A line through points."""
        return _path([self.point(x, y) for x, y in zip(xs, ys, strict=True)], f"curve {css}")

    def band(self, xs: Sequence[float], lower: FloatArray, upper: FloatArray, css: str) -> Markup:
        """The area between two lines; of a single point, a bar."""
        there = [self.point(x, y) for x, y in zip(xs, lower, strict=True)]
        back = [self.point(x, y) for x, y in zip(xs, upper, strict=True)][::-1]
        if len(xs) == 1:
            ((x, low),), ((_, high),) = there, back
            there, back = [(x - 3, low), (x + 3, low)], [(x + 3, high), (x - 3, high)]
        return _path([*there, *back], f"band {css}", close="Z")

    def whisker(self, x: float, lower: float, upper: float, css: str) -> Markup:
        """An upright line from one value to another."""
        return line(self.x(x), self.y(lower), self.x(x), self.y(upper), f"whisker {css}")

    def mark(self, x: float, y: float, title: str, css: str, shape: int = 0, size: float = 2.6) -> Markup:
        """A dot, a square or a diamond, with a text that shows when pointed at."""
        across, down = self.point(x, y)
        if shape == 0:
            return Markup('<circle class="mark {}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(
                css, across, down, size, title
            )
        reach = size * (0.9 if shape == 1 else 1.3)
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1)) if shape == 1 else ((0, -1), (1, 0), (0, 1), (-1, 0))
        points = [(across + reach * right, down + reach * below) for right, below in corners]
        return _path(points, f"mark {css}", close="Z", title=title)


def drawing(parts: Iterable[Markup], label: str) -> Markup:
    """A whole drawing, with what it shows for those who cannot see it."""
    return Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, Markup("").join(parts)
    )


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    """A straight line."""
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(css, x1, y1, x2, y2)


def rectangle(x: float, y: float, width: float, height: float, css: str, title: str = "") -> Markup:
    """An upright rectangle, with a text that shows when pointed at."""
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(css, x, y, width, height, title)


def text(x: float, y: float, content: str, anchor: str = "middle", css: str = "") -> Markup:
    """A text that begins (``start``), ends or has its middle at ``x``."""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        css, x, y, anchor, content
    )


def _path(points: Iterable[tuple[float, float]], css: str, close: str = "", title: str = "") -> Markup:
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    inner = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<path class="{}" d="M{}{}">{}</path>').format(css, steps, close, inner)
