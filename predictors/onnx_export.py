"""A predictor as an ONNX graph, for programs without Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.predictors.kinds import PREDICTORS
from blockprof.predictors.onnx_parts import OnnxGraph
from blockprof.predictors.prediction import Predictor
from blockprof.spaces.sampling import sample_architectures

if TYPE_CHECKING:
    import onnx

    from blockprof.foundation import onnx_runtime
else:
    onnx = lazy_import("onnx")
    onnx_runtime = lazy_import("blockprof.foundation.onnx_runtime")


NUM_CHECKED = 1000


@dataclass(frozen=True, slots=True)
class OnnxCheck:
    """The greatest difference between ONNX Runtime's and the model's predictions of ``num_nets`` random networks, as a
    share of what its graph's tolerance is a share of.
    """

    num_nets: int
    error: float


def write_onnx(model: Predictor, path: Path, seed: int = 0) -> OnnxCheck:
    """Write ``model`` as ONNX and check it: random networks at every resolution, run with ONNX Runtime.

    Inputs: ``blocks`` (N, L), int64, the index of each slot's block in the space's blocks (by expansion ratio, then
    kernel size; in ``resnet50`` by width, then expansion ratio) or -1 where the layer is absent; ``resolution`` (N,),
    int64; in ``resnet50`` also ``stem`` (N,), int64, the index in the space's stems. Outputs: ``latency_ms``,
    ``lower_ms``, ``upper_ms``, each (N,), float64; NaN at a resolution that the model does not know.

    Raises:
        BlockprofError: ONNX Runtime predicts something else.
        InputError: the model's kind has no graph, or the file cannot be written.
    """
    build = PREDICTORS.get(model.kind).to_onnx
    if build is None:
        raise InputError(f"a {model.kind} predictor cannot be exported: its kind has no ONNX graph", code="no-onnx")
    graph = build(model)
    onnx.checker.check_model(graph.model, full_check=True)
    check = _compare(model, graph, np.random.default_rng(seed))
    if not check.error <= graph.tolerance:
        raise BlockprofError(f"the ONNX graph differs from the model by {check.error:.1e}: not written")
    with staged(path.absolute().parent) as folder:
        onnx.save(graph.model, str(folder / path.name))
    return check


def _compare(model: Predictor, graph: OnnxGraph, rng: np.random.Generator) -> OnnxCheck:
    session = onnx_runtime.onnxruntime.InferenceSession(
        graph.model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    space = model.space
    archs = sample_architectures(space, NUM_CHECKED, rng)
    resolutions = rng.choice(model.resolutions, NUM_CHECKED)
    feed = {"blocks": archs.blocks.astype(np.int64), "resolution": resolutions.astype(np.int64)}
    if len(space.stems) > 1:
        feed["stem"] = archs.stems.astype(np.int64)
    found = session.run(None, feed)
    expected = model.predict(archs, resolutions)
    pairs = zip(found, (expected.latency_ms, expected.lower_ms, expected.upper_ms), strict=True)
    scale = expected.latency_ms if graph.scale_ms is None else graph.scale_ms
    return OnnxCheck(NUM_CHECKED, max(float(np.abs((got - want) / scale).max()) for got, want in pairs))
