"""Panels drawn as SVG, for HTML pages. Colours and fonts are the page's (``style.css``), so that they follow its theme.

Legends are the page's as well: a drawing writes the name of a limit only, beside it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from blockprof.foundation.arrays import FloatArray
from blockprof.output import svg_shapes as svg
from blockprof.output.charts.specs import (
    Axis,
    Band,
    Bars,
    Layer,
    Line,
    Panel,
    Points,
    Ranges,
    Regions,
    Rule,
    Tone,
)
from blockprof.output.numbers import tick_text
from blockprof.output.svg_shapes import BOTTOM, CHARACTER, HEIGHT, RIGHT, TOP, WIDTH, Scale

_CLASSES = {"main": "s0", "other": "s1", "row1": "s0", "row2": "s1", "row3": "s2", "rule": "zero", "alarm": "s1"}
_SHAPES = {"row2": 1, "row3": 2}
_SIZES = {"small": 1.9, "medium": 2.6, "large": 3.2}
_ROOM_X, _ROOM_Y, _LOG_ROOM_X, _LOG_ROOM_Y = 0.02, 0.04, 1.3, 0.08
Ends = tuple[float, float]


def draw_panels(panels: Sequence[Panel], label: str) -> list[tuple[str, Markup]]:
    """Each panel's title, and its drawing, all on one scale; ``label`` says what they show, to those who cannot see."""
    reach = [_reach(panel) for panel in panels]
    x, y = (
        (min(ends[side][0] for ends in reach), max(ends[side][1] for ends in reach)) if reach else (0.0, 1.0)
        for side in (0, 1)
    )
    return [(panel.title, _draw(panel, _Plot.over(panel, x, y), f"{label}: {panel.title}")) for panel in panels]


def draw_panel(panel: Panel, label: str = "") -> Markup:
    """A panel by itself; its label is its title, where there is no other."""
    return _draw(panel, _Plot.over(panel, *_reach(panel)), label or panel.title)


@dataclass(frozen=True, slots=True)
class _Plot:
    """The two scales of a drawing. Its left margin is as wide as the labels of ``y`` need."""

    x: Scale
    y: Scale
    y_ticks: tuple[tuple[float, str], ...]

    @classmethod
    def over(cls, panel: Panel, x: Ends, y: Ends) -> "_Plot":
        """A drawing in which the values from one end to the other have room, or those of the axes' limits."""
        low, high = panel.y.limits or _widened(
            *y, panel.y.is_log, _ROOM_Y, (y[1] / y[0]) ** _LOG_ROOM_Y if panel.y.is_log else 1
        )
        vertical = Scale(low, high, HEIGHT - BOTTOM, TOP, panel.y.is_log)
        ticks = tuple(_ticks(panel.y, vertical))
        left = 26 + CHARACTER * max(len(text) for _, text in ticks)
        across = panel.x.limits or _widened(*x, panel.x.is_log, _ROOM_X, _LOG_ROOM_X)
        return cls(Scale(*across, left, WIDTH - RIGHT, panel.x.is_log), vertical, ticks)

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> list[Ends]:
        """Where points of these values lie."""
        return [(self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True)]


def _ticks(axis: Axis, scale: Scale) -> list[tuple[float, str]]:
    ticks = axis.ticks or tuple((tick, tick_text(tick)) for tick in scale.ticks())
    return [(value, text) for value, text in ticks if scale.low <= value <= scale.high]


def _widened(low: float, high: float, is_log: bool, room: float, factor: float) -> Ends:
    if is_log:
        return low / factor, high * factor
    spare = room * (high - low) or 1.0
    return low - spare, high + spare


def _reach(panel: Panel) -> tuple[Ends, Ends]:
    """The least and the greatest values of a panel's layers, across and up."""
    xs, ys = zip(*(pair for layer in panel.layers for pair in _extent(layer)), strict=True)
    x, y = (np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in side]) for side in (xs, ys))
    return (float(np.nanmin(x)), float(np.nanmax(x))), (float(np.nanmin(y)), float(np.nanmax(y)))


def _extent(layer: Layer) -> Iterator[tuple[FloatArray | list[float], FloatArray | list[float]]]:
    """Values that a layer needs room for, across and up."""
    match layer:
        case Line() | Points():
            yield layer.x, layer.y
        case Band():
            yield layer.x, np.stack([layer.lower, layer.upper])
        case Ranges():
            ends = np.stack([layer.lower, layer.upper])
            yield (ends, layer.at) if layer.across else (layer.at, ends)
        case Bars():
            yield np.stack([layer.left, layer.right]), np.append(layer.height, 0.0)
        case Rule():
            yield ([layer.at], []) if layer.axis == "x" else ([], [layer.at])
        case Regions():
            yield np.stack([layer.starts, layer.stops]), []


def _draw(panel: Panel, plot: _Plot, label: str) -> Markup:
    regions = [layer for layer in panel.layers if isinstance(layer, Regions)]
    others = [layer for layer in panel.layers if not isinstance(layer, Regions)]
    parts = [shape for layer in regions for shape in _shapes(layer, plot)]
    parts += _axes(panel, plot)
    parts += [shape for layer in others for shape in _shapes(layer, plot)]
    return svg.drawing(parts, label)


def _axes(panel: Panel, plot: _Plot) -> Iterator[Markup]:
    """Lines across at the ticks of ``y``, the labels of both scales, and their titles."""
    left, right, bottom = plot.x.start, plot.x.end, plot.y.start
    for value, text in plot.y_ticks:
        level = plot.y(value)
        yield svg.line(left, level, right, level, "across")
        yield svg.text(left - 5, level + 3.5, text, "end")
    for value, text in _apart(plot.x, _ticks(panel.x, plot.x)):
        yield svg.text(plot.x(value), bottom + 15, text)
    yield svg.text((left + right) / 2, HEIGHT - 8, panel.x.label, css="title")
    yield svg.upright_text(12, (TOP + bottom) / 2, panel.y.label, "title")


def _apart(scale: Scale, ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """The labels that have room: the last one, and those before it that are far enough left."""
    kept: list[tuple[float, str]] = []
    limit = WIDTH
    for value, text in reversed(ticks):
        half = CHARACTER * len(text) / 2
        if scale(value) + half < limit:
            kept.append((value, text))
            limit = scale(value) - half - 4
    return kept[::-1]


def _shapes(layer: Layer, plot: _Plot) -> Iterator[Markup]:
    match layer:
        case Line():
            points = plot.points(layer.x, layer.y)
            yield svg.path(_stepped(points, layer.step), f"curve {_css(layer.tone)}")
            if layer.marks:
                yield from _marks(points, layer)
        case Points():
            yield from _marks(plot.points(layer.x, layer.y), layer)
        case Band():
            yield _band(plot, layer)
        case Ranges():
            css = f"whisker {_css(layer.tone)}"
            for at, low, high in zip(layer.at, layer.lower, layer.upper, strict=True):
                (x1, y1), (x2, y2) = plot.points(
                    *(((low, high), (at, at)) if layer.across else ((at, at), (low, high)))
                )
                yield svg.line(x1, y1, x2, y2, css)
        case Bars():
            yield from _bars(plot, layer)
        case Rule():
            yield from _rule(plot, layer)
        case Regions():
            yield from _regions(plot, layer)


def _marks(points: Sequence[Ends], layer: Line | Points) -> Iterator[Markup]:
    css = _css(layer.tone) + (" faint" if layer.pale else "")
    notes = layer.notes or ("",) * len(points)
    for (x, y), note in zip(points, notes, strict=True):
        yield svg.mark(x, y, note, css, _SHAPES.get(str(layer.tone), 0), _SIZES[layer.size])


def _stepped(points: Sequence[Ends], step: str) -> list[Ends]:
    if not step:
        return list(points)
    corners = [((x1, y2) if step == "next" else (x2, y1)) for (x1, y1), (x2, y2) in pairwise(points)]
    return [each for pair in zip(points, corners, strict=False) for each in pair] + list(points[-1:])


def _band(plot: _Plot, band: Band) -> Markup:
    """The area between two lines; of a single point, a bar."""
    there, back = plot.points(band.x, band.lower), plot.points(band.x, band.upper)[::-1]
    if len(there) == 1:
        ((x, low),), ((_, high),) = there, back
        there, back = [(x - 3, low), (x + 3, low)], [(x + 3, high), (x - 3, high)]
    return svg.path([*there, *back], f"band {_css(band.tone)}", close="Z")


def _bars(plot: _Plot, bars: Bars) -> Iterator[Markup]:
    notes = bars.notes or ("",) * len(bars.height)
    for first, last, height, note in zip(bars.left, bars.right, bars.height, notes, strict=True):
        left, top = plot.x(first), plot.y(height)
        width = max(plot.x(last) - left - 1, 2)
        yield svg.rectangle(left, top, width, plot.y(0.0) - top, f"bar {_css(bars.tone)}", note)


def _rule(plot: _Plot, rule: Rule) -> Iterator[Markup]:
    css = "target" if rule.is_limit else "zero"
    if rule.axis == "x":
        at = plot.x(rule.at)
        yield svg.line(at, plot.y.start, at, plot.y.end, css)
        return
    at = plot.y(rule.at)
    yield svg.line(plot.x.start, at, plot.x.end, at, css)
    if rule.name:
        yield svg.text(plot.x.end, at - 4, rule.name, "end", "over")


def _regions(plot: _Plot, regions: Regions) -> Iterator[Markup]:
    for number, (start, stop, name) in enumerate(zip(regions.starts, regions.stops, regions.names, strict=True)):
        left, right = plot.x(start), plot.x(stop)
        if number % 2 == 1:
            yield svg.rectangle(left, TOP, right - left, HEIGHT - BOTTOM - TOP, "unit")
        yield svg.text((left + right) / 2, TOP - 7, name)


def _css(tone: Tone) -> str:
    return f"s{tone % 3}" if isinstance(tone, int) else _CLASSES[tone]
