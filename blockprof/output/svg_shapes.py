"""The shapes that charts in SVG consist of, and where values lie on them; all text is real text.

Lengths are in the drawing's own units, which are about as large as a screen's pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from matplotlib import ticker
else:
    ticker = lazy_import("matplotlib.ticker")


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
        locator = (
            ticker.LogLocator(subs=(1, 2, 5)) if self.is_log else ticker.MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])
        )
        slack = 1e-9 * (self.high - self.low)
        found = (round(float(tick), 10) for tick in locator.tick_values(self.low, self.high))
        return [tick for tick in found if self.low - slack <= tick <= self.high + slack]


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


def upright_text(x: float, y: float, content: str, css: str) -> Markup:
    """A text that is read upwards, its middle at a point."""
    return Markup(
        '<text class="{}" transform="translate({:g} {:.1f}) rotate(-90)" text-anchor="middle">{}</text>'
    ).format(css, x, y, content)


def mark(x: float, y: float, title: str, css: str, shape: int = 0, size: float = 2.6) -> Markup:
    """A dot, a square or a diamond, with a text that shows when pointed at."""
    if shape == 0:
        inner = Markup("<title>{}</title>").format(title) if title else ""
        return Markup('<circle class="mark {}" cx="{:.1f}" cy="{:.1f}" r="{}">{}</circle>').format(
            css, x, y, size, inner
        )
    reach = size * (0.9 if shape == 1 else 1.3)
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1)) if shape == 1 else ((0, -1), (1, 0), (0, 1), (-1, 0))
    points = [(x + reach * right, y + reach * below) for right, below in corners]
    return path(points, f"mark {css}", close="Z", title=title)


def path(points: Iterable[tuple[float, float]], css: str, close: str = "", title: str = "") -> Markup:
    """A line through points, an area where ``close`` is ``Z``, with a text that shows when pointed at."""
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    inner = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<path class="{}" d="M{}{}">{}</path>').format(css, steps, close, inner)
