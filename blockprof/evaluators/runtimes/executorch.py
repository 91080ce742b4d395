"""ExecuTorch: exported torch modules, whose parts that XNNPACK can run it runs, on the calling thread or on a pool."""

from pathlib import Path

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime


class ExecuTorchEngine:
    """Programs for XNNPACK."""

    def __init__(self, settings: Settings) -> None:
        from executorch.extension.pybindings import portable_lib

        portable_lib._unsafe_reset_threadpool(settings.threads)

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        import torch
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        from blockprof.evaluators.runtimes.torch_modules import OnnxModule

        inputs = tuple(torch.zeros(shape) for shape in shapes.values())
        exported = torch.export.export(OnnxModule(network).eval(), inputs)
        lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        model = folder / "network.pte"
        model.write_bytes(lowered.to_executorch().buffer)
        return model

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        import torch
        from executorch.runtime import Runtime as Programs

        content = model.read_bytes()  # the file may be gone when it runs
        program = Programs.get().load_program(content)
        method = program.load_method("forward")
        if method is None:
            raise RuntimeError("ExecuTorch cannot load what it made")
        given = [torch.from_numpy(feed) for feed in feeds.values()]

        def run(_held: object = (content, program)) -> object:  # which a method needs, and does not hold
            return method.execute(given)

        return Loaded(run, read=lambda outputs: [each.numpy() for each in outputs])


register_runtime(
    Runtime(
        name="executorch",
        title="ExecuTorch",
        engine=f"{__name__}:ExecuTorchEngine",
        needs=("executorch",),
        distributions=("executorch",),
        install="blockprof doctor --install executorch",
        clock="thread",
        limit_s=600.0,
        environment=("executorch==1.5.*", "torch==2.13.*"),
        converters=("executorch", "torch"),
    )
)
