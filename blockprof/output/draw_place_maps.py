"""Maps of blocks by places, drawn by matplotlib, for files."""

from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.output.charts.colours import scale
from blockprof.output.charts.targets import PlaceMaps
from blockprof.output.draw_matplotlib import GREY, new_figure, write_caption

if TYPE_CHECKING:
    from matplotlib import colors
    from matplotlib.figure import Figure
else:
    colors = lazy_import("matplotlib.colors")

_ACROSS, _DOWN = 6.4, 3.1
"""Inches of one map."""


def draw_place_maps(maps: PlaceMaps) -> "Figure":
    """Draw the maps side by side, two in a row, with one scale of colours."""
    number = len(maps.names)
    columns = min(number, 2)
    rows = -(-number // columns)
    figure = new_figure((_ACROSS * columns + 1.2, _DOWN * rows + 0.9))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    colours = colors.ListedColormap(scale() / 255).with_extremes(bad="#dddddd")
    image = None
    for index, axes in enumerate(grid):
        if index >= number:
            axes.remove()
            continue
        badness = np.ma.masked_invalid(maps.badness(index))
        image = axes.imshow(badness, cmap=colours, vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(maps.columns)), maps.columns, fontsize=8)
        axes.set_yticks(range(len(maps.rows)), maps.rows, fontsize=8)
        axes.set_title(maps.names[index], pad=16, fontsize=11)
        for name, first, last in maps.units:
            axes.text((first + last) / 2, 1.01, name, ha="center", va="bottom", fontsize=8, color=GREY,
                      transform=axes.get_xaxis_transform())  # fmt: skip
            if first:
                axes.axvline(first - 0.5, color="white", linewidth=2.0)
        axes.set_xlabel("layer in its unit (u1, u2, ...)", fontsize=8)
    if image is not None:
        bar = figure.colorbar(image, ax=list(figure.axes), ticks=[0, 0.25, 0.5, 0.75, 1], fraction=0.03)
        # Where higher is better for all, the ends change places.
        sign = -1 if all(maps.higher_is_better) else 1
        ends = [f"{sign * share * maps.limit:+.3g}" for share in (-1, -0.5, 0, 0.5, 1)]
        bar.set_ticklabels(ends)
        bar.set_label(maps.label)
    figure.suptitle(maps.title)
    write_caption(figure, maps.caption)
    return figure
