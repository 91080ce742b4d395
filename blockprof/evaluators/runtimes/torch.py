"""torch, eager: the operators of the ONNX graph one after the other, on the CPU or on a CUDA GPU.

On a GPU a run ends when the GPU is done, and its own time is that between two CUDA events. That it gives what the CPU
gives, and how it times, has not been verified on a GPU: none was at hand.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime
from blockprof.foundation.errors import InputError

if TYPE_CHECKING:
    import torch


CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
"""As ONNX Runtime calls them."""


def check_provider(provider: str) -> None:
    """Check that torch computes there.

    Raises:
        InputError: it does not.
    """
    import torch

    if provider == CPU or (provider == CUDA and torch.cuda.is_available()):
        return
    if provider == CUDA:
        raise InputError("torch sees no CUDA GPU here", remedy="leave the provider out", code="no-gpu")
    raise InputError(f"torch has no provider '{provider}'", remedy=f"it has {CPU}, {CUDA}", code="no-such-provider")


class TorchEngine:
    """Tensors on the CPU, or on the first GPU."""

    def __init__(self, settings: Settings) -> None:
        import torch

        check_provider(settings.provider)
        self._is_cuda = settings.provider == CUDA
        torch.set_num_threads(settings.threads)
        torch.set_grad_enabled(False)

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        return network

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        import torch

        from blockprof.evaluators.runtimes.torch_modules import OnnxModule

        module = OnnxModule(model)
        given = [torch.from_numpy(feed) for feed in feeds.values()]
        if self._is_cuda:
            return _on_gpu(module.cuda(), [each.cuda() for each in given])
        return Loaded(run=lambda: module(*given), read=read_tensors)


def _on_gpu(module: "torch.nn.Module", given: "list[torch.Tensor]") -> Loaded:
    """Runs that end when the GPU is done, and what it says they took."""
    import torch

    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    total_ms = 0.0

    def run() -> object:
        nonlocal total_ms
        start.record()
        outputs = module(*given)
        end.record()
        end.synchronize()
        total_ms += start.elapsed_time(end)
        return outputs

    return Loaded(run, read_tensors, own_ns=lambda: round(1e6 * total_ms))


def read_tensors(outputs: "torch.Tensor | tuple[torch.Tensor, ...]") -> list[object]:
    """What a module gave, as arrays."""
    return [each.cpu().numpy() for each in (outputs if isinstance(outputs, tuple) else (outputs,))]


register_runtime(
    Runtime(
        name="torch",
        title="torch",
        engine=f"{__name__}:TorchEngine",
        needs=("torch",),
        distributions=("torch",),
        install="pip install torch",
        clock="thread",
        check_provider=check_provider,
    )
)
