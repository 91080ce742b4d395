"""``blockprof.predict``: any metric of given networks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from blockprof.api.defaults import RESOLUTION
from blockprof.api.metrics import Evaluation, Wanted, evaluation_of, name_of, one_or_several, own_metrics
from blockprof.evaluators.pooling import SupernetSpec
from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.display import as_html
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.metrics import AdditiveMetric, Metric, MetricInfo, check_metrics, default_metric
from blockprof.predictors.prediction import INTERVAL_LEVEL, Prediction
from blockprof.spaces import Architectures, Space, is_settings, parse_settings
from blockprof.spaces.expectation import network_counts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from blockprof.evaluators.device import net_files
else:
    net_files = lazy_import("blockprof.evaluators.device.net_files")
    pd = lazy_import("pandas")

ENDS = ("", "_lower", "_upper")
"""Of the columns of a metric: the value, and its 90 % interval."""

Networks = Architectures | str | Path | Sequence[str] | Sequence[Mapping[str, object]]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What metrics N networks of a space have.

    ``frame`` has a row a network, as :func:`predict` says; ``infos`` tell each metric's unit and origin.
    """

    space: Space
    frame: "pd.DataFrame"
    infos: tuple[MetricInfo, ...]

    def __repr__(self) -> str:
        metrics = ", ".join(f"{info.label} {info.origin}" for info in self.infos)
        return f"<Predictions of {len(self.frame)} networks of {self.space.name}: {metrics}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.frame)

    def __len__(self) -> int:
        return len(self.frame)

    def to_pandas(self) -> "pd.DataFrame":
        """One row a network, in the order given: ``net_str``, ``resolution``, then ``<metric>``, ``<metric>_lower``
        and ``<metric>_upper`` of each metric, in its unit; NaN where there is no interval.
        """
        return self.frame.copy()

    def plot(self) -> "Figure":
        """The networks by each metric, from the lowest to the highest, with their 90 % intervals."""
        from blockprof.output.charts.predictions import networks_chart
        from blockprof.output.draw_matplotlib import draw_chart

        return draw_chart(networks_chart(self.frame, self.infos, self.space.title))


def predict(
    space: Space | str,
    networks: Networks,
    metrics: Sequence[Wanted] | Wanted | None = None,
    *,
    resolution: int | None = None,
    seed: int = 0,
    accuracy_source: str | None = None,
    supernet: SupernetSpec | None = None,
    listener: Listener = SILENT,
) -> Predictions:
    """Say what metrics given networks have: ``to_pandas()`` has a row a network, in the order given.

    Its columns are ``net_str``, ``resolution``, then ``<metric>``, ``<metric>_lower`` and ``<metric>_upper`` of each
    metric. The 90 % interval is of a measurement where a registered predictor gives the metric, of the prediction where
    a surrogate or costs with a covariance do; else it is empty.

    Args:
        space: a space, or its name.
        networks: architectures; net strings; OFA's dictionaries; or a file of either, or a CSV with ``net_str`` and
            ``resolution``.
        metrics: one or several: names, or metrics and surrogates of your own, as for ``blockprof.profile``; the space's
            default where None. ``ort-cpu`` is predicted by a surrogate of 150 networks, which are measured.
        resolution: of the input, in pixels, of networks that have none of their own; 224 where None.
        seed: as for ``blockprof.profile``.
        accuracy_source: as for ``blockprof.profile``.
        supernet: as for ``blockprof.profile``; each network is evaluated.
        listener: told of progress.

    Raises:
        InputError: no networks, or no such metric.
        NetStringError, DataFileError: networks that are none of the space's, or a file that cannot be used.
        TrackingError: the MLflow store does not answer.
    """
    evaluation = evaluation_of(space, resolution or RESOLUTION, seed, accuracy_source, supernet, listener)
    archs, sizes = read(evaluation.space, networks, resolution)
    wanted = one_or_several([default_metric(evaluation.space)] if metrics is None else metrics)
    names = [name_of(one) for one in wanted]
    columns: dict[str, object] = {"net_str": archs.to_strings(), "resolution": sizes}
    frame = pd.DataFrame(columns | {f"{name}{end}": np.full(len(archs), np.nan) for name in names for end in ENDS})
    infos: dict[str, MetricInfo] = {}
    for size in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == size)
        for info, found in _predict_at(evaluation.at(size), archs[rows], wanted):
            frame.loc[rows, [f"{info.name}{end}" for end in ENDS]] = np.column_stack(
                [found.latency_ms, found.lower_ms, found.upper_ms]
            )
            infos.setdefault(info.name, info)
    return Predictions(evaluation.space, frame, tuple(infos[name] for name in names))


def read(space: Space, networks: Networks, resolution: int | None = None) -> tuple[Architectures, IntArray]:
    """The networks that are meant, and the resolution of each; raises as :func:`predict` does."""
    if isinstance(networks, Architectures):
        return networks, np.full(len(networks), resolution or RESOLUTION)
    if isinstance(networks, str) and not is_settings(networks) and not _is_file(networks):
        networks = [networks]
    if isinstance(networks, str | Path) and _is_file(networks):
        return net_files.read_networks(Path(networks), space, None if resolution is None else [resolution])
    if isinstance(networks, Path):
        raise InputError("there is no such file", where=networks)
    if isinstance(networks, str):
        archs, own = parse_settings(space, networks)
    elif networks and isinstance(networks[0], Mapping):
        archs, own = parse_settings(space, json.dumps(list(networks)))
    else:
        archs, own = Architectures.from_strings(space, [str(one) for one in networks]), (None,) * len(networks)
    if not len(archs):
        raise InputError("there are no networks: give at least one")
    return archs, np.array([resolution or RESOLUTION if size is None else size for size in own])


def _is_file(text: str | Path) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a net string is longer than a file's name may be
        return False


def _predict_at(
    evaluation: Evaluation, archs: Architectures, wanted: Sequence[Wanted]
) -> Iterator[tuple[MetricInfo, Prediction]]:
    own = own_metrics(wanted)
    check_metrics(own.values(), evaluation.space, evaluation.resolution)
    loaded = evaluation.load_all([one for one in wanted if isinstance(one, str)])
    for name, metric in {**loaded, **own}.items():
        predictor = None if name in own or metric.info.origin != "predicted" else evaluation.predictor(name)
        found = predictor.predict(archs, evaluation.resolution) if predictor else _with_interval(metric, archs)
        yield metric.info, found


def _with_interval(metric: Metric, archs: Architectures) -> Prediction:
    values = metric.evaluate(archs)
    half: FloatArray = np.full(len(archs), np.nan)
    if isinstance(metric, AdditiveMetric) and metric.covariance is not None:
        counts = network_counts(archs, metric.by)
        half = ndtri(0.5 + INTERVAL_LEVEL / 2) * np.sqrt(((counts @ metric.covariance) * counts).sum(axis=1))
    return Prediction(values, values - half, values + half)
