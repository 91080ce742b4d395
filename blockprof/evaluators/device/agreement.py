"""How far a precision's logits are from fp32's: a check of the arithmetic, since the weights are random."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.runner import start_process
from blockprof.evaluators.device.spec import DEFAULT_PRECISION, MeasureSpec
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.lazy import lazy_import
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.networks import onnx
else:
    onnx = lazy_import("blockprof.networks.onnx")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The ``correlation`` of one network's logits with those in fp32, and the greatest difference of them.

    ``error`` is that difference, relative to the greatest logit in fp32.
    """

    correlation: float
    error: float


def compare_with_fp32(
    archs: Architectures, resolution: int, spec: MeasureSpec, board: Board | None = None
) -> Agreement:
    """Run the first of some networks on one seeded input, as ``spec`` says and in fp32, with the same run-time
    on the same machine.

    Raises:
        InputError, BlockprofError: as for ``RuntimeProcess``.
    """
    found = _logits(archs, resolution, spec, board)
    expected = _logits(archs, resolution, replace(spec, precision=DEFAULT_PRECISION), board)
    return Agreement(
        correlation=float(np.corrcoef(found, expected)[0, 1]),
        error=float(np.abs(found - expected).max() / np.abs(expected).max()),
    )


def _logits(archs: Architectures, resolution: int, spec: MeasureSpec, board: Board | None) -> FloatArray:
    store = onnx.FragmentStore(archs.space, quantized=spec.is_quantized)
    name = archs.to_strings()[0]
    with start_process(spec.find_runtime(here=board is None), spec, board) as process:
        process.load(
            "network", name, 0, lambda: onnx.compose_bytes(store, archs, resolution=resolution, batch=spec.batch)
        )
        (logits,) = process.outputs("network", name)
    return logits.ravel()
