"""Metrics from trained predictors: where one is a sum of costs, its profile is exact; others are asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import Argument, MetricError, Said
from blockprof.foundation.lazy import lazy_import
from blockprof.metrics.metric import AdditiveMetric, KnownErrors, Metric, MetricInfo
from blockprof.spaces import Architectures, Space

if TYPE_CHECKING:
    from blockprof import predictors
    from blockprof.predictors import Predictor, model_files
else:
    model_files = lazy_import("blockprof.predictors.model_files")
    predictors = lazy_import("blockprof.predictors")


MEAN_OF_HALF_WIDTH = 0.485
"""The mean size of normal errors over half the interval that 90 % of them lie in: sqrt(2 / pi) / 1.645."""


@dataclass(frozen=True, slots=True)
class PredictorFolder:
    """A predictor's files, and the name the user knows it by: ``blockprof-pn-npu v3``; where it is registered."""

    title: str
    folder: Path
    model_uri: str = ""


@dataclass(frozen=True, eq=False)
class PredictedMetric:
    """A metric whose predictor is no sum of costs, so that its profile is sampled."""

    info: MetricInfo
    predictor: "Predictor"
    resolution: int

    @property
    def space(self) -> Space:
        return self.predictor.space

    def evaluate(self, archs: Architectures) -> FloatArray:
        """Return (N,) latencies, ms."""
        return self.predictor.predict(archs, self.resolution).latency_ms


def load_predicted(predictor: PredictorFolder, space: Space, name: str, resolution: int) -> Metric:
    """Load a predictor as a metric, in ms: a sum of costs as an additive metric with what its training left open.

    Raises:
        MetricError: it is of another space, or cannot predict at ``resolution``.
        DataFileError: its files are damaged, or of a kind that is not installed.
    """
    facts = model_files.read_facts(predictor.folder)
    if facts["space"] != space.name:
        raise MetricError(
            f"{predictor.title} is a {facts['kind']} predictor of {facts['space']}, not of {space.name}",
            code="not-of-space",
        )
    if resolution not in facts["resolutions"]:
        there = facts["resolutions"]
        known = f"resolution {there[0]}" if len(there) == 1 else f"resolutions {there[0]} to {there[-1]}"
        raise MetricError(
            f"{predictor.title} knows {known}, not {resolution}",
            remedy=Said("choose another {}, or train it on more", Argument("resolution")),
            code="no-such-resolution",
        )
    trained_on = f"{facts['num_nets']:,} networks of {facts['device']}" if facts["num_nets"] else facts["device"]
    source = f"predicted by {predictor.title}, trained on {trained_on}"

    model = predictors.load_predictor(predictor.folder)
    errors = KnownErrors(relative=True, network=MEAN_OF_HALF_WIDTH * model.half_width_percent)
    info = MetricInfo(name, "ms", False, "predicted", source, errors, predictor.model_uri)
    found = model.additive_costs(resolution)
    if found is None:
        return PredictedMetric(info, model, resolution)
    return AdditiveMetric(
        info, space, found.base_ms, found.costs_ms, covariance=found.covariance, resolution=resolution
    )
