"""Renderers put what a chart says where it says: values on scales, colours on the right end, names in legends."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from rich.text import Text

from blockprof.output import draw_matplotlib, draw_rich
from blockprof.output.charts import Axis, Band, Bars, Chart, HeatMap, Line, Panel, Points, Ranges, Regions, Rule
from blockprof.output.charts.colours import heat_colour
from blockprof.output.draw_svg import draw_panel, draw_panels

BLUE, RED = (49, 54, 149), (165, 0, 38)
X, Y = np.array([1.0, 2.0, 4.0]), np.array([3.0, -1.0, 5.0])
NOTES = ("a", "b", "c")


def heatmap(*, higher_is_better: bool) -> HeatMap:
    values = np.array([[1.0, 2.0], [3.0, np.nan]])
    return HeatMap(
        "t", "npu (ms)", "down", "across", ("top", "low"), ("left", "right"), values, 0 * values, higher_is_better
    )


def panel(*layers, x: Axis | None = None, y: Axis | None = None) -> Panel:
    return Panel(x or Axis("x"), y or Axis("y"), layers, title="a title", legend="inside")


@pytest.mark.parametrize(("higher_is_better", "best", "worst"), [(False, (0, 0), (1, 0)), (True, (1, 0), (0, 0))])
def test_the_best_is_blue_and_the_worst_is_red(
    higher_is_better: bool, best: tuple[int, int], worst: tuple[int, int]
) -> None:
    chart = heatmap(higher_is_better=higher_is_better)
    assert (chart.badness[best], chart.badness[worst]) == (0, 1)
    assert chart.badness[0, 1] == 0.5
    assert heat_colour(0.0) == (BLUE, "white")
    assert heat_colour(1.0) == (RED, "white")
    assert heat_colour(0.5)[1] == "black"
    axes = draw_matplotlib.draw_heatmap(chart).axes[0]
    (image,) = axes.images
    drawn = image.to_rgba(chart.values, bytes=True)
    assert (tuple(drawn[best][:3]), tuple(drawn[worst][:3])) == (BLUE, RED)
    assert [text.get_text() for text in axes.texts] == ["1.000", "2.000", "3.000"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["top", "low"]
    columns = [list(column.cells) for column in draw_rich.draw_heatmap(chart).columns]
    assert columns[0] == ["top", "low"]
    cell = columns[1][best[0]]
    assert isinstance(cell, Text)
    assert cell.style == "white on rgb(49,54,149)"
    assert str(columns[2][1]) == ""


def test_equal_values_are_neither_good_nor_bad() -> None:
    chart = HeatMap("t", "l", "d", "a", ("r",), ("c",), np.array([[2.0]]), np.zeros((1, 1)), higher_is_better=True)
    assert chart.badness == 0.5


def test_matplotlib_draws_every_layer_at_its_values() -> None:
    layers = (
        Regions(np.array([0.5, 1.5]), np.array([1.5, 4.5]), ("u1", "u2")),
        Rule(2.5, name="limit", is_limit=True),
        Rule(-3.0, "x"),
        Band(X, Y - 1, Y + 1, name="band"),
        Ranges(X, Y - 2, Y + 2, name="range"),
        Line(X, Y, "row3", "line", step="next", marks=True, labels=NOTES),
        Points(X, Y, 1, "points"),
        Bars(X, X + 0.5, Y),
    )
    (axes,) = draw_matplotlib.draw_chart(Chart("whole", (panel(*layers),), (5.0, 4.0), "a caption")).axes
    limit, zero, line, points = axes.lines
    assert list(limit.get_ydata()) == [2.5, 2.5]
    assert limit.get_linestyle() == "--"
    assert list(zero.get_xdata()) == [-3, -3]
    assert (list(line.get_xdata()), list(line.get_ydata())) == (X.tolist(), Y.tolist())
    assert (line.get_drawstyle(), line.get_marker(), line.get_color()) == ("steps-pre", "D", "#7b1fa2")
    assert (to_hex(points.get_color()), points.get_linestyle()) == ("#ff7f0e", "None")
    band, ranges = axes.collections[:2]
    assert band.get_paths()[0].get_extents().get_points()[:, 1].tolist() == [-2, 6]
    assert [segment[:, 1].tolist() for segment in ranges.get_segments()] == [[1, 5], [-3, 1], [3, 7]]
    assert [bar.get_height() for bar in axes.patches if bar.get_width() == 0.5] == Y.tolist()
    assert [text.get_text() for text in axes.texts] == ["u1", "u2", *NOTES]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["limit", "band", "range", "line", "points"]


def test_many_panels_have_rows_and_one_legend() -> None:
    parts = tuple(panel(Points(X, Y, name="all"), Rule(float(number), name="limit")) for number in range(4))
    figure = draw_matplotlib.draw_chart(Chart("t", parts, (9.0, 8.0), columns=3, legend=True))
    assert len(figure.axes) == 4
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["all", "limit"]


def shapes(svg: str, css: str) -> list[ElementTree.Element]:
    return [each for each in ElementTree.fromstring(svg).iter() if css in (each.get("class") or "").split()]


def scales(svg: str) -> tuple[np.poly1d, np.poly1d]:
    """Where values lie, by the labels of the drawing's ticks."""
    texts = [each for each in ElementTree.fromstring(svg).iter("text") if each.get("class") == "" and each.text]
    across = [(float(t.text), float(t.get("x"))) for t in texts if t.get("text-anchor") == "middle"]
    up = [(float(t.text.replace("−", "-")), float(t.get("y")) - 3.5) for t in texts if t.get("text-anchor") == "end"]
    return tuple(np.poly1d(np.polyfit(*np.array(ends).T, 1)) for ends in (across, up))


def test_svg_draws_every_layer_at_its_values() -> None:
    ticks = tuple((value, f"{value:g}") for value in X)
    svg = str(
        draw_panel(
            panel(
                Rule(2.5, name="limit", is_limit=True), Band(X, Y - 1, Y + 1), Ranges(X, Y - 2, Y + 2),
                Line(X, Y, "row2", marks=True, notes=NOTES), Bars(X, X + 1, np.abs(Y)), x=Axis("x", ticks),
            )
        )
    )  # fmt: skip
    x, y = scales(svg)
    (limit,) = shapes(svg, "target")
    assert float(limit.get("y1")) == float(limit.get("y2")) == pytest.approx(y(2.5), abs=0.2)
    for whisker, at, value in zip(shapes(svg, "whisker"), X, Y, strict=True):
        ends = [float(whisker.get(name)) for name in ("x1", "y1", "y2")]
        assert ends == pytest.approx([x(at), y(value - 2), y(value + 2)], abs=0.2)
    for bar, at, value in zip(shapes(svg, "bar"), X, np.abs(Y), strict=True):
        assert float(bar.get("height")) == pytest.approx(y(0) - y(value), abs=0.3)
        assert float(bar.get("x")) == pytest.approx(x(at), abs=0.2)
    (curve,) = shapes(svg, "curve")
    points = np.array(re.findall(r"([\d.]+) ([\d.]+)", curve.get("d")), dtype=float)
    np.testing.assert_allclose(points, np.column_stack([x(X), y(Y)]), atol=0.2)
    assert [mark.find("title").text for mark in shapes(svg, "mark")] == list(NOTES)
    assert "limit" in svg


def test_svg_draws_a_logarithmic_axis_and_a_step() -> None:
    logarithmic = Axis("x", tuple((value, f"{value:g}") for value in X), is_log=True)
    svg = str(draw_panel(panel(Line(X, Y, step="next"), Rule(2.0, "x"), x=logarithmic)))
    middle, (low, high) = (float(shapes(svg, "zero")[0].get("x1")), (1.0, 4.0))
    (curve,) = shapes(svg, "curve")
    points = np.array(re.findall(r"([\d.]+) ([\d.]+)", curve.get("d")), dtype=float)
    assert middle == pytest.approx((points[0, 0] + points[-1, 0]) / 2, abs=0.2), (low, high)
    # From each point first up to where the next one is, then across.
    assert points[1].tolist() == [points[0, 0], points[2, 1]]


def test_panels_share_one_scale() -> None:
    one, other = draw_panels([panel(Points(X, Y)), panel(Points(X, 10 * Y))], "both")
    assert one[0] == "a title"
    rows = [[each.text for each in ElementTree.fromstring(str(svg)).iter("text")] for _, svg in (one, other)]
    assert rows[0] == rows[1]
    assert 'aria-label="both: a title"' in one[1]
