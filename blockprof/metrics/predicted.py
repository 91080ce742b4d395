"""Metrics from trained predictors: a blockwise predictor is a cost table, so its profile is exact."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blockprof.errors import MetricError
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.spaces import Space


@dataclass(frozen=True, slots=True)
class PredictorFolder:
    """A predictor's files, and the name the user knows it by: ``blockprof-pn-npu v3``."""

    title: str
    folder: Path


def load_predicted(predictor: PredictorFolder, space: Space, name: str, resolution: int) -> AdditiveMetric:
    """Load a blockwise predictor as an additive metric, in ms.

    Raises:
        MetricError: it is of another space, of another kind, or cannot predict at ``resolution``.
    """
    facts = json.loads((predictor.folder / "model.json").read_text(encoding="utf-8"))
    if facts["kind"] != "blockwise" or facts["space"] != space.name:
        raise MetricError(
            f"{predictor.title} is a {facts['kind']} predictor of {facts['space']}, "
            f"not a blockwise predictor of {space.name}"
        )
    if resolution not in facts["resolutions"]:
        there = facts["resolutions"]
        known = f"resolution {there[0]}" if len(there) == 1 else f"resolutions {there[0]} to {there[-1]}"
        raise MetricError(
            f"{predictor.title} knows {known}, not {resolution}: choose another --resolution, or train it on more"
        )
    index = facts["resolutions"].index(resolution)
    with np.load(predictor.folder / "costs.npz", allow_pickle=False) as arrays:
        base, costs = float(arrays["base_ms"][index]), np.asarray(arrays["costs_ms"][index], dtype=float)
    trained_on = f"{facts['num_nets']:,} networks of {facts['device']}"
    return AdditiveMetric(
        info=MetricInfo(name, "ms", False, "predicted", f"predicted by {predictor.title}, trained on {trained_on}"),
        space=space,
        base=base,
        costs=costs,
    )
