"""Memory: what a network's tensors take at most while it runs, and what its weights take.

Both are read off the graph of each block instance, as it is exported, and kept on disk. While a block of a chain runs,
there are its input, its own tensors and its output, whatever lies before and behind. So a network's peak is the
greatest of its pieces' peaks, exactly; its weights are the sum of theirs.
"""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.paths import cache_folder
from blockprof.metrics.kept_counts import read_counts, write_counts
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.metrics.peak import PeakMetric
from blockprof.spaces import Space

if TYPE_CHECKING:
    from blockprof.networks import onnx as networks
    from blockprof.networks.onnx import liveness
else:
    networks = lazy_import("blockprof.networks.onnx")
    liveness = lazy_import("blockprof.networks.onnx.liveness")

PEAK_MEMORY, WEIGHTS = "peak_memory", "weights"

CACHE_FORMAT = 1
"""In the name of a file of kept numbers: another one where they mean other things."""

_MB = 1e6


def load_peak_memory(space: Space, resolution: int) -> PeakMetric:
    """The most memory that a network's tensors take at once, without its weights: MB (10^6 bytes), fp32, batch 1.

    From liveness along the graph (``blockprof.networks.onnx.liveness``), at ``resolution`` in pixels. A run-time adds
    what its kernels need, and how it pads and places tensors.
    """
    counts = _cached(space, resolution)
    return PeakMetric(
        info=MetricInfo(
            name=PEAK_MEMORY,
            unit="MB",
            higher_is_better=False,
            origin="counted",
            source=f"tensors alive at once along the graph, fp32, batch 1, at {resolution} x {resolution}",
        ),
        space=space,
        base=float(counts["peak_base"].max(initial=0.0)) / _MB,
        costs=counts["peak"] / _MB,
        resolution=resolution,
    )


def load_weights(space: Space, resolution: int) -> AdditiveMetric:
    """What a network's weights take: MB (10^6 bytes), fp32, with batch normalisation folded into convolutions."""
    counts = _cached(space, resolution)
    return AdditiveMetric(
        info=MetricInfo(
            name=WEIGHTS,
            unit="MB",
            higher_is_better=False,
            origin="counted",
            source="counted from the graphs, fp32, batch norm folded into convolutions",
        ),
        space=space,
        base=float(counts["weights_base"].sum()) / _MB,
        costs=counts["weights"] / _MB,
    )


def is_memory_counted(space: Space, resolution: int) -> bool:
    """Whether the numbers are kept on disk; else the first load exports every block, tens of seconds."""
    return read_counts(_file(space, resolution), _shapes(space)) is not None


def _cached(space: Space, resolution: int) -> dict[str, FloatArray]:
    path = _file(space, resolution)
    counts = read_counts(path, _shapes(space))
    if counts is None:
        counts = _count(space, resolution)
        write_counts(path, counts)
    return counts


def _count(space: Space, resolution: int) -> dict[str, FloatArray]:
    """The bytes of each instance's peak and weights, and of each of the fixed parts'."""
    store = networks.FragmentStore(space)
    pieces = networks.all_pieces(space)
    models = [networks.compose_piece(store, piece, resolution=resolution) for piece in pieces]
    fixed = np.array([isinstance(piece, str) for piece in pieces])
    peak = np.array([liveness.peak_bytes(model) for model in models], dtype=float)
    weights = np.array([liveness.weight_bytes(model.graph.initializer) for model in models], dtype=float)
    return {
        "peak": peak[~fixed],
        "peak_base": peak[fixed],
        "weights": weights[~fixed],
        "weights_base": weights[fixed],
    }


def _shapes(space: Space) -> dict[str, tuple[int, ...]]:
    instances, fixed = (len(space.instances),), (len(space.fixed_parts),)
    return {"peak": instances, "peak_base": fixed, "weights": instances, "weights_base": fixed}


def _file(space: Space, resolution: int) -> Path:
    versions = "-".join(f"{package}{version(package)}" for package in ("ofa", "onnx", "torch"))
    return cache_folder() / "memory" / f"{space.name}-{space.digest}-r{resolution}-v{CACHE_FORMAT}-{versions}.json"
