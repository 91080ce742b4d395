"""Charts drawn by rich, for terminals."""

import numpy as np
from rich.table import Table
from rich.text import Text

from blockprof.output.charts.colours import heat_colour
from blockprof.output.charts.specs import HeatMap


def draw_heatmap(heatmap: HeatMap) -> Table:
    """A table of the numbers, each on its ground; blue is better, red worse."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(f"{heatmap.row_axis} \\ {heatmap.column_axis}", justify="right")
    for label in heatmap.columns:
        table.add_column(label, justify="center")
    for row, label in enumerate(heatmap.rows):
        table.add_row(label, *(_cell(heatmap, row, column) for column in range(len(heatmap.columns))))
    return table


def _cell(heatmap: HeatMap, row: int, column: int) -> Text:
    if np.isnan(heatmap.values[row, column]):
        return Text("")
    (red, green, blue), ink = heat_colour(float(heatmap.badness[row, column]))
    return Text(f" {heatmap.text(row, column)} ", style=f"{ink} on rgb({red},{green},{blue})")
