"""Charts drawn by matplotlib, for files: figures outside of pyplot, with no window system and nothing to close."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.output.charts.colours import heat_colour, scale
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
from blockprof.output.numbers import tick_text

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib import colors, ticker
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as DrawnAxis
    from matplotlib.figure import Figure
else:
    colors = lazy_import("matplotlib.colors")
    matplotlib = lazy_import("matplotlib")
    ticker = lazy_import("matplotlib.ticker")

GREY, SHADE = "#555555", "#f0f0f0"
_COLOURS = {
    "main": "#1f77b4", "other": "#e69f00", "row1": "#56b4e9", "row2": "#e69f00", "row3": "#7b1fa2", "rule": GREY,
    "alarm": "#d62728",
}  # fmt: skip
_PALE = {"main": "#b8d4ea", "other": "#f5ddad"}
_MARKERS = {"row2": "s", "row3": "D"}
_SIZES = {"small": 3.8, "medium": 4.0, "large": 5.0}
_FEW_GROUPS = 10
_FEW_TICKS_FROM = 100.0
"""How many times the least value the greatest one is where a logarithmic axis has ticks at powers of ten only."""


def draw_chart(chart: Chart) -> "Figure":
    """Draw a chart of any number of panels, its caption below."""
    figure = new_figure(chart.size)
    columns = min(chart.columns, len(chart.panels))
    rows = -(-len(chart.panels) // columns)
    shared = chart.shares_axes
    grid = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared).ravel()
    panels = grid[: len(chart.panels)]
    for axes, panel in zip(panels, chart.panels, strict=True):
        _draw_panel(axes, panel)
        if shared:
            axes.label_outer()
            axes.xaxis.label.set_visible(True)
    for axes in grid[len(chart.panels) :]:
        axes.remove()
    if chart.legend:
        entries: dict[str, Artist] = {}
        for axes in panels:
            handles, labels = axes.get_legend_handles_labels()
            entries |= dict(zip(labels, handles, strict=True))
        figure.legend(
            list(entries.values()), list(entries), loc="outside right upper", frameon=False, fontsize=9, markerscale=1.6
        )
    if chart.title:
        figure.suptitle(chart.title)
    write_caption(figure, chart.caption)
    return figure


def draw_heatmap(heatmap: HeatMap) -> "Figure":
    """Draw a heat map with its numbers; blue is better, red worse."""
    figure = new_figure((5.4, 4.4))
    axes = figure.add_subplot()
    colours = colors.ListedColormap(scale() / 255)
    low, high = heatmap.limits
    palette = colours.reversed() if heatmap.higher_is_better else colours
    image = axes.imshow(heatmap.values, cmap=palette, aspect="auto", vmin=low, vmax=high)
    for row, column in np.argwhere(~np.isnan(heatmap.values)).tolist():
        _, ink = heat_colour(float(heatmap.badness[row, column]))
        axes.text(column, row, heatmap.text(row, column), ha="center", va="center", color=ink, fontsize=12)
    axes.set_xticks(range(len(heatmap.columns)), heatmap.columns)
    axes.set_yticks(range(len(heatmap.rows)), heatmap.rows)
    axes.set_xlabel(heatmap.column_axis)
    axes.set_ylabel(heatmap.row_axis)
    axes.set_title(heatmap.title)
    figure.colorbar(image, ax=axes, label=heatmap.label)
    write_caption(figure, heatmap.caption)
    return figure


def new_figure(size: tuple[float, float]) -> "Figure":
    """An empty figure of so many inches across and up."""
    return matplotlib.figure.Figure(figsize=size, layout="constrained", dpi=110)


def write_caption(figure: "Figure", text: str) -> None:
    """Write a figure's caption below it, in lines that fit."""
    width = figure.get_figwidth() * 13
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    figure.supxlabel("\n".join([*lines, line]), fontsize=8, color=GREY)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    groups = {layer.tone for layer in panel.layers if isinstance(layer, Points) and isinstance(layer.tone, int)}
    for layer in panel.layers:
        _draw(axes, layer, "tab20" if len(groups) > _FEW_GROUPS else "tab10")
    _label(axes, panel.x, "x")
    _label(axes, panel.y, "y")
    for drawn, axis in ((axes.xaxis, panel.x), (axes.yaxis, panel.y)):
        if not axis.ticks or axis.is_log:
            drawn.grid(linewidth=0.4)
    has_regions = any(isinstance(layer, Regions) for layer in panel.layers)
    axes.set_title(panel.title, pad=18 if has_regions else 6, fontsize=11)
    if panel.legend == "beside":
        legend = axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
        legend.set_title(panel.legend_title)
    elif panel.legend:
        axes.legend(fontsize=8, frameon=False, loc="best" if panel.legend == "inside" else panel.legend)


def _label(axes: "Axes", axis: Axis, side: str) -> None:
    drawn: DrawnAxis = axes.xaxis if side == "x" else axes.yaxis
    if axis.is_log:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
    _set_ticks(drawn, axis)
    drawn.set_label_text(axis.label)
    if axis.limits:
        (axes.set_xlim if side == "x" else axes.set_ylim)(*axis.limits)


def _set_ticks(drawn: "DrawnAxis", axis: Axis) -> None:
    drawn.set_minor_formatter(ticker.NullFormatter())
    if axis.ticks:
        values, labels = zip(*axis.ticks, strict=True)
        drawn.set_ticks(values, labels, fontsize=7 if len(labels) > _FEW_GROUPS else 9)
        drawn.set_minor_locator(ticker.NullLocator())
        return
    drawn.set_major_formatter(ticker.FuncFormatter(lambda value, _: tick_text(float(f"{value:.6g}"))))
    if axis.is_log:
        low, high = drawn.get_view_interval()
        drawn.set_major_locator(ticker.LogLocator(subs=(1, 2, 3, 5) if high < _FEW_TICKS_FROM * low else (1,)))
    elif axis.is_whole:
        drawn.set_major_locator(ticker.MaxNLocator(integer=True))


def _draw(axes: "Axes", layer: Layer, palette: str) -> None:
    match layer:
        case Line():
            _draw_line(axes, layer, palette)
        case Points():
            _draw_points(axes, layer, palette)
        case Band():
            colour = _colour(layer.tone, palette)
            axes.fill_between(
                layer.x, layer.lower, layer.upper, color=colour, alpha=0.25, linewidth=0, label=layer.name
            )
        case Ranges():
            draw = axes.hlines if layer.across else axes.vlines
            width = 4.0 if layer.thick else 1.2
            colour = _colour(layer.tone, palette, pale=layer.pale)
            draw(layer.at, layer.lower, layer.upper, color=colour, linewidth=width, label=layer.name)
        case Bars():
            axes.bar(
                layer.left, layer.height, layer.right - layer.left, align="edge", color=_colour(layer.tone, palette)
            )
        case Rule():
            style = {"linestyle": "--", "linewidth": 0.9} if layer.is_limit else {"linewidth": 0.8}
            draw_rule = axes.axvline if layer.axis == "x" else axes.axhline
            draw_rule(layer.at, color=GREY, label=layer.name, **style)
        case Regions():
            _draw_regions(axes, layer)


def _draw_line(axes: "Axes", line: Line, palette: str) -> None:
    marker = _MARKERS.get(str(line.tone), "o") if line.marks else ""
    width = 0.8 if line.tone == "rule" else 1.0 if line.pale or line.step else 1.6
    steps = {"": "default", "next": "steps-pre", "last": "steps-post"}
    axes.plot(
        line.x, line.y, color=_colour(line.tone, palette, pale=line.pale), marker=marker, markersize=_SIZES[line.size],
        linewidth=width, drawstyle=steps[line.step], label=line.name,
    )  # fmt: skip
    for x, y, text in zip(line.x, line.y, line.labels, strict=False):
        axes.annotate(text, (x, y), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)


def _draw_points(axes: "Axes", points: Points, palette: str) -> None:
    colour = _colour(points.tone, palette, pale=points.pale)
    axes.plot(
        points.x, points.y, "o", color=colour, markersize=_SIZES[points.size], alpha=0.6 if points.pale else 1.0,
        markerfacecolor="none" if points.hollow else colour, markeredgewidth=1.0 if points.hollow else 0.0,
        label=points.name,
    )  # fmt: skip


def _draw_regions(axes: "Axes", regions: Regions) -> None:
    for number, (start, stop, name) in enumerate(zip(regions.starts, regions.stops, regions.names, strict=True)):
        if number % 2 == 1:
            axes.axvspan(start, stop, color=SHADE, zorder=0)
        axes.text(
            (start + stop) / 2, 1.0, name, ha="center", va="bottom", fontsize=8, transform=axes.get_xaxis_transform(),
            color=GREY,
        )  # fmt: skip


def _colour(tone: Tone, palette: str, *, pale: bool = False) -> str | tuple[float, ...]:
    if isinstance(tone, int):
        colours = matplotlib.colormaps[palette]
        return colours(tone % colours.N)
    return _PALE.get(tone, _COLOURS[tone]) if pale else _COLOURS[tone]
