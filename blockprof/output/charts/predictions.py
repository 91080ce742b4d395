"""Charts and panels of values of networks: by themselves, and predicted ones against what is known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.output.charts.specs import Axis, Chart, Layer, Line, Panel, Points, Ranges, Rule
from blockprof.output.numbers import number

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.latency_data import LatencyData
    from blockprof.metrics import MetricInfo

_PANEL_INCHES = 5.0


def predicted_panel(
    values: FloatArray, predicted: FloatArray, lower: FloatArray, upper: FloatArray, label: str, predicted_label: str,
    unit: str, networks: Sequence[str],
) -> Panel:  # fmt: skip
    """(N,) predictions with their intervals against the values, all in ``unit``; on the line they are equal."""
    ends = np.array([min(values.min(), predicted.min()), values.max()])
    notes = tuple(
        f"{network}: {number(value, values)} {unit}, predicted {number(guess, values)}"
        for network, value, guess in zip(networks, values, predicted, strict=True)
    )
    return Panel(
        Axis(label),
        Axis(predicted_label),
        (
            Line(ends, ends, "rule"),
            Ranges(values, lower, upper, pale=True),
            Points(values, predicted, size="small", notes=notes),
        ),
    )


def errors_panel(values: FloatArray, errors: FloatArray, label: str, unit: str) -> Panel:
    """(N,) errors, in ``unit``, against the values; positive where too much is predicted."""
    return Panel(Axis(label), Axis(f"error ({unit})"), (Rule(0.0), Points(values, errors, size="small")))


def networks_chart(frame: "pd.DataFrame", infos: "Sequence[MetricInfo]", title: str) -> Chart:
    """The networks of a frame of predictions, from the lowest to the highest in each metric, with their intervals."""
    panels = []
    for info in infos:
        values, lower, upper = (frame[f"{info.name}{end}"].to_numpy(dtype=float) for end in ("", "_lower", "_upper"))
        order = np.argsort(values, kind="stable")
        panels.append(_sorted_panel(values[order], f"{info.label}, {info.origin}", lower[order], upper[order]))
    caption = " ".join(f"{info.label}: {info.provenance}." for info in infos)
    return Chart(f"{title}: {len(frame)} networks", tuple(panels), (_PANEL_INCHES * min(len(panels), 3), 4.4), caption)


def latencies_chart(held: "Sequence[LatencyData]") -> Chart:
    """The networks of each file, from the quickest to the slowest."""
    panels = tuple(
        _sorted_panel(np.sort(data.latencies_ms), f"latency of {data.space.name} on {data.device} (ms)")
        for data in held
    )
    return Chart("latencies of networks", panels, (_PANEL_INCHES * min(len(panels), 3), 4.4))


def _sorted_panel(
    values: FloatArray, label: str, lower: FloatArray | None = None, upper: FloatArray | None = None
) -> Panel:
    """(N,) values in ascending order, with their 90 % intervals where there are any."""
    places = np.arange(1, len(values) + 1, dtype=float)
    layers: list[Layer] = []
    if lower is not None and upper is not None and (known := ~np.isnan(lower)).any():
        layers.append(Ranges(places[known], lower[known], upper[known], name="90 % interval", pale=True))
    layers.append(Points(places, values, size="small"))
    return Panel(
        Axis("networks, the lowest first", is_whole=True),
        Axis(label),
        tuple(layers),
        legend="upper left" if len(layers) > 1 else "",
    )
