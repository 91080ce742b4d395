"""Networks as ONNX files, checked before they appear."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx

from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.onnx_runtime import onnxruntime
from blockprof.networks.onnx.composing import compose_bytes
from blockprof.networks.onnx.fragments import OPSET
from blockprof.networks.onnx.sharing import FOLDER, SharedWeights
from blockprof.networks.onnx.store import FragmentStore
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    import torch

    from blockprof.networks.onnx import modules
else:
    modules = lazy_import("blockprof.networks.onnx.modules")
    torch = lazy_import("torch")


TOLERANCE = 1e-4
"""How far logits may be from torch's, relative to the greatest of them: the same sums in another order."""

NUM_IMAGES = 2
"""Images that a network of any batch is checked on."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a file, float32: its name and shape; the batch is ``N`` where it is open."""

    name: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network that was written as ONNX.

    ``num_bytes`` is the file's size, without weights that it shares. ``error`` is the greatest difference from torch's
    logits on random images, relative to the greatest logit; None where the network was not run.
    """

    path: Path
    source: Port
    result: Port
    opset: int
    num_bytes: int
    error: float | None


def write_network(
    store: FragmentStore | SharedWeights,
    archs: Architectures,
    index: int,
    path: Path,
    *,
    resolution: int,
    batch: int | None = 1,
    check: bool = False,
) -> NetworkFile:
    """Write one network, as :func:`compose` makes it, to a file: whole, or not at all. ONNX's checker has passed it.

    Args:
        store: where the pieces come from. Of one that shares weights the files with them are the caller's to write.
        archs: networks of the store's space.
        index: the network of ``archs``, from 0.
        path: the file; one that is there is replaced.
        resolution: of the input, in pixels.
        batch: N; none leaves it open.
        check: run the file with ONNX Runtime on random images, and the same network with torch, before it appears.

    Raises:
        MetricError: a resolution that the space cannot take.
        InputError: a batch below 1, or a file that cannot be written.
        BlockprofError: the check failed: logits that are not finite or differ from torch's, or too little memory.
    """
    serialized = compose_bytes(store, archs, index, resolution=resolution, batch=batch)
    graph = onnx.ModelProto.FromString(serialized).graph
    with staged(path.absolute().parent) as folder:
        file = folder / path.name
        file.write_bytes(serialized)
        if isinstance(store, SharedWeights):
            write_weights(store, store.paths(archs, index), folder)
        onnx.checker.check_model(file, full_check=True)
        plain = store.store if isinstance(store, SharedWeights) else store
        error = _check(file, plain, archs[index], resolution, batch) if check else None
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
    return NetworkFile(path, _port(graph.input[0]), _port(graph.output[0]), OPSET, len(serialized), error)


def write_weights(store: SharedWeights, paths: Iterable[str], folder: Path) -> None:
    """Write the files of weights that are not in the folder already, each whole or not at all.

    Raises:
        InputError: a file cannot be written.
    """
    for path in paths:
        content, file = store.files[path], folder / path
        if not file.is_file() or file.read_bytes() != content:
            with staged(file.parent) as stage:
                (stage / file.name).write_bytes(content)


def _check(file: Path, store: FragmentStore, arch: Architectures, resolution: int, batch: int | None) -> float:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    try:
        shape = (batch or NUM_IMAGES, *session.get_inputs()[0].shape[1:])
        images = np.random.default_rng(store.seed).standard_normal(shape, dtype=np.float32)
        (found,) = session.run(None, {session.get_inputs()[0].name: images})
        with torch.inference_mode():
            expected = modules.build_network(arch, seed=store.seed)(torch.from_numpy(images)).numpy()
    except MemoryError:
        raise BlockprofError(
            f"batch {batch} at resolution {resolution} does not fit into memory",
            remedy="leave the check out, or lower it",
        ) from None
    if not np.isfinite(found).all():
        raise BlockprofError("ONNX Runtime gives logits that are not finite: not written")
    error = float(np.abs(found - expected).max() / np.abs(expected).max())
    if not error <= TOLERANCE:
        raise BlockprofError(f"ONNX Runtime's logits differ from torch's by {error:.1e}: not written")
    return error


def _port(value: onnx.ValueInfoProto) -> Port:
    return Port(value.name, tuple(axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim))
