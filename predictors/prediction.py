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


class Predictor(Protocol):
    """Predicts latencies of a space's networks at the resolutions it knows, and can be saved."""

    @property
    def kind(self) -> str:
        """``blockwise`` or ``gru``."""
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

    def save(self, folder: str | Path) -> None:
        """Write its files into ``folder``, which is made where there is none."""
        ...
