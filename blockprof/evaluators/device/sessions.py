"""ONNX Runtime sessions, set up the same way for every measurement."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blockprof.evaluators.device.spec import CPU_PROVIDER, MeasureSpec
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.onnx_runtime import onnxruntime, ort_errors
from blockprof.networks.onnx import SharedModel

Model = bytes | str | os.PathLike[str] | SharedModel
"""A serialized ONNX model, the path of one, or one with its weights apart."""

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}

# ONNX Runtime's errors have no root but Exception.
_ORT_ERRORS = tuple(
    error for error in vars(ort_errors).values() if isinstance(error, type) and issubclass(error, Exception)
)


def check_provider(provider: str) -> None:
    """Check that this build of ONNX Runtime offers an execution provider.

    Raises:
        InputError: it does not; the message names those it offers.
    """
    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise InputError(
            f"this build of ONNX Runtime ({onnxruntime.__version__}) has no provider '{provider}': it has "
            f"{', '.join(available)}; other builds (onnxruntime-gpu, onnxruntime-qnn) have others",
            code="no-such-provider",
        )


def open_session(model: Model, spec: MeasureSpec, name: str) -> onnxruntime.InferenceSession:
    """Load a model with the spec's provider and threads; ``name`` is what messages call it.

    Operators run one after the other, with all graph optimisations and waiting threads spinning, which are ONNX
    Runtime's defaults. No operator may fall back from another provider to the CPU: its time would be said to be
    the provider's.

    Raises:
        InputError: the provider cannot run this model, or cannot start.
        BlockprofError: ONNX Runtime cannot load the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec.threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    if spec.provider != CPU_PROVIDER:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    if isinstance(model, SharedModel):
        options.add_external_initializers(list(model.weights), list(model.weights.values()))
        source: bytes | str = model.graph
    else:
        source = model if isinstance(model, bytes) else os.fspath(Path(model))
    try:
        session = onnxruntime.InferenceSession(source, options, providers=[spec.provider])
    except _ORT_ERRORS as error:
        if spec.provider != CPU_PROVIDER:
            raise InputError(
                f"{spec.provider} cannot run {name} ({_first_line(error)})",
                remedy=f"use a provider that can, such as {CPU_PROVIDER}",
                code="provider-cannot-run",
            ) from error
        raise BlockprofError(
            f"ONNX Runtime cannot load {name}: {_first_line(error)}", code="model-cannot-load"
        ) from error
    if session.get_providers()[0] != spec.provider:
        raise InputError(
            f"{spec.provider} did not start (ONNX Runtime fell back to {session.get_providers()[0]})",
            remedy="check its drivers and libraries, or use another provider",
        )
    return session


def make_run(session: onnxruntime.InferenceSession, rng: np.random.Generator, name: str) -> Callable[[], object]:
    """A call that runs a session once, on one standard normal input that is drawn here; a free batch size is 1.

    Raises:
        BlockprofError: an input that is not of floating point numbers, or has a free size other than the batch;
            when called: ONNX Runtime cannot run the model.
    """
    feed = {}
    for each in session.get_inputs():
        batch, *sizes = each.shape
        shape = [batch if isinstance(batch, int) else 1, *sizes]
        if each.type not in _DTYPES or not all(isinstance(size, int) for size in sizes):
            raise BlockprofError(
                f"{name}: its input '{each.name}' is {each.type} {each.shape}: give it a fixed size",
                code="input-of-free-size",
            )
        feed[each.name] = rng.standard_normal(shape).astype(_DTYPES[each.type])

    def run() -> object:
        try:
            return session.run(None, feed)
        except _ORT_ERRORS as error:
            raise BlockprofError(f"ONNX Runtime cannot run {name}: {_first_line(error)}") from error

    return run


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
