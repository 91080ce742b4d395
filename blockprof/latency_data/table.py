"""Measured (or predicted) latencies of whole networks."""

from dataclasses import dataclass

import numpy as np

from blockprof.spaces import Architectures, FloatArray, IntArray, Space


@dataclass(frozen=True, eq=False)
class LatencyData:
    """N networks with their resolution and latency.

    ``resolutions`` is (N,), pixels; ``latencies_ms`` is (N,), all positive and finite; ``device`` names what they were
    measured on, as the file says it.
    """

    archs: Architectures
    resolutions: IntArray
    latencies_ms: FloatArray
    device: str

    @property
    def space(self) -> Space:
        return self.archs.space

    def select(self, index: IntArray) -> "LatencyData":
        """The rows ``index`` (an integer or boolean array), in that order."""
        return LatencyData(
            self.archs[index],
            np.asarray(self.resolutions)[index],
            np.asarray(self.latencies_ms)[index],
            self.device,
        )

    def __len__(self) -> int:
        return len(self.archs)
