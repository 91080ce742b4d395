"""The outliers of a training by the rows of its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import predicted_frame
from blockprof.predictors.prediction import Predictor

if TYPE_CHECKING:
    import pandas as pd


MOST_LISTED = 20


@dataclass(frozen=True, eq=False)
class Outliers:
    """Row numbers of the data, ascending: training rows that were ``left_out`` of the fit; and rows held out, ``dev``
    and ``test``, that are outliers to the predictor, and in its scores.
    """

    left_out: IntArray
    dev: IntArray
    test: IntArray

    def to_frame(self, model: Predictor, data: LatencyData) -> "pd.DataFrame":
        """One row an outlier of ``data``, all rows of the training.

        ``row`` (of the file), ``part`` (train, dev or test), the network, ``latency_ms`` and what ``model``, which was
        not trained on any of them, expects: ``predicted_ms``, ``lower_ms`` and ``upper_ms``.
        """
        parts = {"train": self.left_out, "dev": self.dev, "test": self.test}
        numbers = np.concatenate(list(parts.values()))
        rows = data.select(numbers)
        frame = predicted_frame(rows, model.predict(rows.archs, rows.resolutions))
        frame.insert(0, "row", file_rows(data)[numbers])
        frame.insert(1, "part", np.repeat(list(parts), [len(part) for part in parts.values()]))
        return frame

    def summary(self, data: LatencyData) -> str:
        """Which rows of the file they are, in a line; empty where there are none."""
        told = {"left out of the fit": self.left_out, "in the dev scores": self.dev, "in the test scores": self.test}
        lines = file_rows(data)
        return "; ".join(f"{what}: {_listed(lines[rows].tolist())}" for what, rows in told.items() if len(rows))


def file_rows(data: LatencyData) -> IntArray:
    """(N,): the line of each row in its file; without a file, as one has that begins with a header."""
    return np.arange(2, len(data) + 2) if data.lines is None else data.lines


def _listed(lines: Sequence[int]) -> str:
    more = f" and {len(lines) - MOST_LISTED} more" if len(lines) > MOST_LISTED else ""
    return f"row{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:MOST_LISTED]))}{more}"
