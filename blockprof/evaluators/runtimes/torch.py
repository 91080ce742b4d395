"""torch, eager: the operators of the ONNX graph one after the other."""

from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime

if TYPE_CHECKING:
    import torch


class TorchEngine:
    """Tensors on the CPU."""

    def __init__(self, settings: Settings) -> None:
        import torch

        torch.set_num_threads(settings.threads)
        torch.set_grad_enabled(False)

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        return network

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        import torch

        from blockprof.evaluators.runtimes.torch_modules import OnnxModule

        module = OnnxModule(model)
        given = [torch.from_numpy(feed) for feed in feeds.values()]
        return Loaded(run=lambda: module(*given), read=read_tensors)


def read_tensors(outputs: "torch.Tensor | tuple[torch.Tensor, ...]") -> list[object]:
    """What a module gave, as arrays."""
    return [each.numpy() for each in (outputs if isinstance(outputs, tuple) else (outputs,))]


register_runtime(
    Runtime(
        name="torch",
        title="torch",
        engine=f"{__name__}:TorchEngine",
        needs=("torch",),
        distributions=("torch",),
        install="pip install torch",
        clock="thread",
    )
)
