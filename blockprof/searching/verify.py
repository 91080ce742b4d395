"""What a search found, measured on this machine: whether the metrics that were searched for order networks as it does.

Networks of the answer are measured with ONNX Runtime, on one CPU thread at batch 1. Latencies of another device are not
expected to equal these: the ratio says how far off they are, the rank correlations whether they put networks in order.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.foundation.scores import kendall, mape_percent, spearman
from blockprof.metrics import ORT_CPU, MetricInfo
from blockprof.searching.problem import Problem
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.evaluators import device
    from blockprof.evaluators.device import MeasuredNetworks, MeasureSpec
else:
    device = lazy_import("blockprof.evaluators.device")

LATENCY_UNIT = "ms"
SIZES = ("flops", "macs", "conv_macs")
"""What stands in for a latency, where a search has none: only the order of networks can be compared."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a metric tells measured latencies.

    ``spearman`` and ``kendall`` (tau-b) are rank correlations, not a number where all networks tie or there is one.
    ``ratio`` is measured over predicted, the geometric mean, not a number where a prediction is not positive;
    ``mape_percent`` the mean absolute error of the predicted in percent of the measured. Neither is a number where the
    metric is no latency.
    """

    metric: MetricInfo
    spearman: float
    kendall: float
    ratio: float
    mape_percent: float


@dataclass(frozen=True, eq=False)
class Verification:
    """K networks, measured, beside what C metrics say of them.

    ``metrics`` are the C compared; ``predicted`` is (K, C), in their units.
    """

    archs: Architectures
    metrics: tuple[MetricInfo, ...]
    predicted: FloatArray
    measured: "MeasuredNetworks"

    @property
    def agreements(self) -> tuple[Agreement, ...]:
        """One for each metric."""
        measured_ms = self.measured.latencies_ms
        return tuple(
            _agreement(metric, self.predicted[:, column], measured_ms) for column, metric in enumerate(self.metrics)
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a network: ``net_str``; a column for each metric, by its name, in its unit; ``measured_ms``, with
        ``lower_ms`` and ``upper_ms``, its 95 % interval.
        """
        columns = {metric.name: self.predicted[:, column] for column, metric in enumerate(self.metrics)}
        measured = self.measured.to_frame()
        return pd.DataFrame(
            {
                "net_str": self.archs.to_strings(),
                **columns,
                "measured_ms": measured["corrected_ms"],
                "lower_ms": measured["lower_ms"],
                "upper_ms": measured["upper_ms"],
            }
        )


def compared_columns(problem: Problem) -> tuple[int, ...]:
    """Which of a problem's metrics are compared with latencies: all in ms, else FLOPs or MACs; indices.

    Raises:
        InputError: it has none of these.
    """
    infos = [metric.info for metric in problem.metrics]
    latencies = tuple(column for column, info in enumerate(infos) if info.unit == LATENCY_UNIT)
    found = latencies or tuple(column for column, info in enumerate(infos) if info.name in SIZES)
    if not found:
        raise InputError(
            f"{', '.join(problem.names)}: nothing to compare with measured latencies: search for a latency, "
            f"{' or '.join(SIZES)}, or limit one",
            code="no-latency",
        )
    return found


def spread_along(num_networks: int, k: int) -> IntArray:
    """K of so many networks in order, evenly spread from the first to the last; all where there are no more than K.

    Raises:
        InputError: ``k`` is below 1.
    """
    if k < 1:
        raise InputError(f"{k} networks to verify", remedy="give at least 1", code="below-1")
    return np.unique(np.linspace(0, num_networks - 1, min(k, num_networks)).round().astype(np.intp))


def verification_path(archs: Architectures, resolution: int) -> Path:
    """Where measurements of networks are kept: ``ort-cpu/verify-pn-r224-<digest>.journal`` in the data folder."""
    digest = hashlib.sha256("\n".join(archs.to_strings()).encode()).hexdigest()[:12]
    return data_folder() / ORT_CPU / f"verify-{archs.space.name}-r{resolution}-{digest}.journal"


def verify(
    problem: Problem,
    archs: Architectures,
    values: FloatArray,
    k: int,
    *,
    resolution: int,
    spec: "MeasureSpec | None" = None,
    listener: Listener = SILENT,
) -> Verification:
    """Measure K networks of an answer with ONNX Runtime, spread evenly along it; all where it has no more than K.

    What was measured is kept at :func:`verification_path`: a process that was killed is resumed, and networks that
    are measured are not measured again.

    Args:
        problem: what was searched for.
        archs: the N networks of the answer, in order, such as a front by its first objective.
        values: (N, M), the problem's metrics of them.
        k: how many to measure.
        resolution: of the input, in pixels.
        spec: how to measure; the defaults where None.
        listener: told of each piece of the networks that is exported, and of each visit.

    Raises:
        InputError: ``k`` below 1, no networks, no metric to compare with (:func:`compared_columns`), or a journal that
            was measured otherwise or on another machine.
        MetricError: a resolution that the space cannot take.
        DataFileError: a damaged journal.
        BlockprofError: another measurement runs on this machine.
    """
    columns = compared_columns(problem)
    if not len(archs):
        raise InputError("there are no networks to verify", remedy="search for some first", code="no-networks")
    chosen = spread_along(len(archs), k)
    some = archs[chosen]
    path = verification_path(some, resolution)
    sizes = np.full(len(some), resolution)
    measured = device.measure_architectures(some, sizes, path, spec, listener)
    infos = tuple(problem.metrics[column].info for column in columns)
    return Verification(some, infos, values[chosen][:, list(columns)], measured)


def _agreement(metric: MetricInfo, predicted: FloatArray, measured_ms: FloatArray) -> Agreement:
    is_latency = metric.unit == LATENCY_UNIT
    has_ratio = is_latency and (predicted > 0).all()
    return Agreement(
        metric,
        spearman=spearman(predicted, measured_ms),
        kendall=kendall(predicted, measured_ms),
        ratio=float(np.exp(np.log(measured_ms / predicted).mean())) if has_ratio else np.nan,
        mape_percent=mape_percent(measured_ms, predicted) if is_latency else np.nan,
    )
