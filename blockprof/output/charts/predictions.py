"""Panels of predictions against what is known: shared by pools and by trained predictors."""

from collections.abc import Sequence

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.output.charts.specs import Axis, Line, Panel, Points, Ranges, Rule
from blockprof.output.numbers import number


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
