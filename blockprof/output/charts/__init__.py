"""Charts as data, made from results by pure functions; ``output.draw_matplotlib`` and its like draw them."""

from blockprof.output.charts.specs import (
    Axis,
    Band,
    Bars,
    Chart,
    HeatMap,
    Layer,
    Line,
    Panel,
    Points,
    Ranges,
    Regions,
    Rule,
    Tone,
)

__all__ = [
    "Axis",
    "Band",
    "Bars",
    "Chart",
    "HeatMap",
    "Layer",
    "Line",
    "Panel",
    "Points",
    "Ranges",
    "Regions",
    "Rule",
    "Tone",
]
