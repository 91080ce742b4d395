"""OpenVINO: reads ONNX itself, and computes on threads of its own."""

import sys
from pathlib import Path

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime
from blockprof.foundation.errors import InputError

_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}
"""What is computed in, apart from what is quantized."""
_CAPABILITIES = {"bf16": "BF16", "fp16": "FP16", "int8": "INT8"}


class OpenVinoEngine:
    """Models compiled for the CPU, with one stream: one inference at a time, as quick as it can be."""

    def __init__(self, settings: Settings) -> None:
        # OpenVINO's import would write an id for its telemetry into the home folder. Without this module it does
        # without; this is a process of its own.
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        import openvino

        self._openvino = openvino
        self._core = openvino.Core()
        needed = _CAPABILITIES.get(settings.precision)
        has = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if needed is not None and needed not in has:
            raise InputError(f"OpenVINO has no {settings.precision} on this processor: it has {', '.join(has)}")
        self._properties = {
            "INFERENCE_NUM_THREADS": settings.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[settings.precision],
        }

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        return network

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        read = self._core.read_model(model)
        read.reshape({name: feed.shape for name, feed in feeds.items()})
        compiled = self._core.compile_model(read, "CPU", self._properties)
        request = compiled.create_infer_request()
        for name, feed in feeds.items():
            request.set_tensor(name, self._openvino.Tensor(feed))
        outputs = range(len(compiled.outputs))

        return Loaded(run=request.infer, read=lambda _: [request.get_output_tensor(index).data for index in outputs])


register_runtime(
    Runtime(
        name="openvino",
        title="OpenVINO",
        engine=f"{__name__}:OpenVinoEngine",
        needs=("openvino",),
        distributions=("openvino",),
        install="pip install 'blockprof[openvino]'",
        precisions=("fp32", "bf16", "fp16", "int8"),
        clock="process",
    )
)
