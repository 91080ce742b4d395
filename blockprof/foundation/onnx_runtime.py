"""ONNX Runtime, imported here only: told to be silent before it is.

Since 1.32 its import alone asks for a telemetry host, and writes a device id and a queue of events into the user's
cache folder; its own ``disable_telemetry_events`` can be called only after that. What the user has set stays, and
processes that are started from here inherit it.
"""

import os

from blockprof.foundation.lazy import lazy_import

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime", "quantization", "shape_inference"]


quantization = lazy_import("onnxruntime.quantization")
shape_inference = lazy_import("onnxruntime.quantization.shape_inference")
