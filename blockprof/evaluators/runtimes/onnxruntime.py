"""ONNX Runtime: reads ONNX itself, and computes on the calling thread where there is one thread only."""

from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime
from blockprof.foundation.errors import InputError

if TYPE_CHECKING:
    from blockprof.foundation.onnx_runtime import onnxruntime

CPU_PROVIDER = "CPUExecutionProvider"


def check_provider(provider: str) -> None:
    """Check that this build of ONNX Runtime offers an execution provider.

    Raises:
        InputError: it does not; the message names those it offers.
    """
    from blockprof.foundation.onnx_runtime import onnxruntime

    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise InputError(
            f"this build of ONNX Runtime ({onnxruntime.__version__}) has no provider '{provider}'",
            remedy=f"it has {', '.join(available)}; other builds (onnxruntime-gpu, onnxruntime-qnn) have others",
            code="no-such-provider",
        )


class OnnxRuntimeEngine:
    """Sessions, set up the same way for every measurement.

    Operators run one after the other, with all graph optimisations and waiting threads spinning, which are ONNX
    Runtime's defaults. No operator may fall back from another provider to the CPU: its time would be said to be
    the provider's.
    """

    def __init__(self, settings: Settings) -> None:
        from blockprof.foundation.onnx_runtime import onnxruntime

        check_provider(settings.provider)
        self._provider = settings.provider
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = settings.threads
        self.options.inter_op_num_threads = 1
        self.options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self.options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        if settings.provider != CPU_PROVIDER:
            self.options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        return network

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        session, given = self.open(model), dict(feeds)
        return Loaded(run=lambda: session.run(None, given), read=list)

    def open(self, model: Path) -> "onnxruntime.InferenceSession":
        """Open a session.

        Raises:
            InputError: the provider cannot run this model, or cannot start.
        """
        from blockprof.foundation.onnx_runtime import onnxruntime

        try:
            session = onnxruntime.InferenceSession(model, self.options, providers=[self._provider])
        except Exception as error:  # ONNX Runtime's errors have no other root
            if self._provider == CPU_PROVIDER:
                raise
            first = str(error).strip().partition("\n")[0]
            raise InputError(
                f"{self._provider} cannot run it ({first})",
                remedy=f"use a provider that can, such as {CPU_PROVIDER}",
                code="provider-cannot-run",
            ) from error
        started = session.get_providers()[0]
        if started != self._provider:
            raise InputError(
                f"{self._provider} did not start (ONNX Runtime fell back to {started})",
                remedy="check its drivers and libraries, or use another provider",
                code="provider-not-started",
            )
        return session


register_runtime(
    Runtime(
        name="onnxruntime",
        title="ONNX Runtime",
        engine=f"{__name__}:OnnxRuntimeEngine",
        needs=("onnxruntime",),
        distributions=("onnxruntime", "onnxruntime-gpu", "onnxruntime-qnn", "onnxruntime-openvino"),
        install="pip install onnxruntime",
        precisions=("fp32", "int8"),
        clock="thread",
        check_provider=check_provider,
    )
)
