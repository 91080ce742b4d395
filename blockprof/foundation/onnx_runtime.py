"""ONNX Runtime, imported here only: told to be silent before it is.

Since 1.32 its import alone asks for a telemetry host, and writes a device id and a queue of events into the user's
cache folder; its own ``disable_telemetry_events`` can be called only after that. What the user has set stays, and
processes that are started from here inherit it.
"""

import os
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime"]


def quantization() -> Any:
    """``onnxruntime.quantization``, with its pre-processing, which it does not export."""
    from onnxruntime import quantization as tools
    from onnxruntime.quantization.shape_inference import quant_pre_process

    tools.quant_pre_process = quant_pre_process
    return tools
