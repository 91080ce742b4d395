"""torch, compiled ahead of time: inductor makes C++ of a network, and a C++ compiler a library of that."""

import shutil
from pathlib import Path

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime
from blockprof.evaluators.runtimes.torch import TorchEngine, read_tensors
from blockprof.foundation.errors import InputError

_COMPILERS = ("g++", "clang++")


class TorchCompileEngine(TorchEngine):
    """What ``torch.compile`` makes, by way of AOTInductor: without the guards, and compiled once for all visits."""

    def __init__(self, settings: Settings) -> None:
        if not any(map(shutil.which, _COMPILERS)):
            raise InputError(f"torch-compile needs a C++ compiler, and there is no {' or '.join(_COMPILERS)}")
        super().__init__(settings)

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        import torch
        from torch._inductor import aoti_compile_and_package, config

        from blockprof.evaluators.runtimes.torch_modules import OnnxModule

        config.compile_threads = 1  # in this process: others would outlive the compilation
        inputs = tuple(torch.zeros(shape) for shape in shapes.values())
        exported = torch.export.export(OnnxModule(network).eval(), inputs)
        return Path(aoti_compile_and_package(exported, package_path=str(folder / "network.pt2")))

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        import torch
        from torch._inductor import aoti_load_package

        compiled = aoti_load_package(str(model))
        given = [torch.from_numpy(feed) for feed in feeds.values()]
        return Loaded(run=lambda: compiled(*given), read=read_tensors)


register_runtime(
    Runtime(
        name="torch-compile",
        title="torch-compile",
        engine=f"{__name__}:TorchCompileEngine",
        needs=("torch",),
        distributions=("torch",),
        install="pip install torch",
        clock="thread",
        limit_s=900.0,
        converters=("torch",),
    )
)
