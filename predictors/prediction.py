"""What a latency predictor is, of whatever kind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.spaces import Architectures, Space

INTERVAL_LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Prediction:
    """Latencies of N networks, ms, and the interval that holds 90 % of measurements; each (N,)."""

    latency_ms: FloatArray
    lower_ms: FloatArray
    upper_ms: FloatArray


@dataclass(frozen=True, eq=False)
class AdditiveCosts:
    """What networks cost, where that is a sum over their block instances: ``base_ms`` and ``costs_ms`` (I,), with the
    ``covariance`` (I + 1, I + 1), ms squared, of the costs and, last, of the base.
    """

    base_ms: float
    costs_ms: FloatArray
    covariance: FloatArray


class Predictor(Protocol):
    """Predicts latencies of a space's networks at the resolutions it knows, and can be saved."""

    @property
    def kind(self) -> str:
        """The name by which its :class:`blockprof.predictors.kinds.PredictorKind` is registered."""
        ...

    @property
    def space(self) -> Space: ...

    @property
    def metric(self) -> str: ...

    @property
    def device(self) -> str:
        """What the networks were measured on."""
        ...

    @property
    def num_nets(self) -> int:
        """How many networks it was trained on."""
        ...

    @property
    def resolutions(self) -> IntArray: ...

    @property
    def half_width_percent(self) -> float:
        """Half the 90 % interval of a measurement, in percent of the prediction, where all costs are known."""
        ...

    def predict(self, archs: Architectures, resolutions: IntArray | int) -> Prediction:
        """Predict N networks, each at its resolution (or all at one)."""
        ...

    def additive_costs(self, resolution: int) -> AdditiveCosts | None:
        """What it is a sum of at a resolution that it knows; None where it is no sum: then its profile is sampled."""
        ...

    def save(self, folder: str | Path) -> None:
        """Write its files into ``folder``, which is made where there is none."""
        ...
