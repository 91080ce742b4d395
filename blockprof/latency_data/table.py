"""Measured (or predicted) latencies of whole networks."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.spaces import Architectures, Space


@dataclass(frozen=True, eq=False)
class LatencyData:
    """N rows: a network with its resolution and latency. A network may have several rows, at any.

    ``resolutions`` is (N,), pixels; ``latencies_ms`` is (N,), all positive and finite; ``device`` names what they were
    measured on, as the file says it. ``lines`` (N,) are the rows' line numbers in their file, where it told them.
    """

    archs: Architectures
    resolutions: IntArray
    latencies_ms: FloatArray
    device: str
    lines: IntArray | None = None

    def __repr__(self) -> str:
        return f"<LatencyData: {len(self)} rows of {self.space.name} on {self.device}>"

    @property
    def space(self) -> Space:
        return self.archs.space

    @cached_property
    def network_of(self) -> IntArray:
        """(N,): which network each row is of, numbered from 0 in the order of their genes."""
        return np.asarray(np.unique(self.archs.genes, axis=0, return_inverse=True)[1])

    @cached_property
    def num_networks(self) -> int:
        """How many different networks there are, at whatever resolutions."""
        return len(np.unique(self.network_of))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the content: the same for equal rows in equal order, whatever file held them."""
        content = hashlib.sha256(f"{self.space.name}\n{self.device}\n{len(self)}\n".encode())
        content.update(self.archs.genes.tobytes())
        content.update(np.asarray(self.resolutions, dtype="<i8").tobytes())
        content.update(np.asarray(self.latencies_ms, dtype="<f8").tobytes())
        return content.hexdigest()

    def select(self, index: IntArray | BoolArray) -> "LatencyData":
        """The rows ``index`` (an integer or boolean array), in that order."""
        return LatencyData(
            self.archs[index],
            np.asarray(self.resolutions)[index],
            np.asarray(self.latencies_ms)[index],
            self.device,
            None if self.lines is None else self.lines[index],
        )

    def to_frame(self) -> pd.DataFrame:
        """The rows: ``net`` (net string), ``device``, ``resolution`` (pixels), ``latency_ms``."""
        return pd.DataFrame(
            {
                "net": self.archs.to_strings(),
                "device": self.device,
                "resolution": self.resolutions,
                "latency_ms": self.latencies_ms,
            }
        )

    def __len__(self) -> int:
        return len(self.archs)
