"""MNN: converts ONNX to a file of its own, and computes on the calling thread where there is one thread only."""

from pathlib import Path

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime


class MnnEngine:
    """MNN's modules on the CPU.

    Its converter is called as a function: the command ``mnnconvert`` first installs a package by pip, then sends what
    it was called with to a server.
    """

    def __init__(self, settings: Settings) -> None:
        self._config = {"backend": "CPU", "numThread": settings.threads, "precision": "high"}

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        import _tools

        model = folder / "network.mnn"
        arguments = ["-f", "ONNX", "--modelFile", str(network), "--MNNModel", str(model), "--bizCode", "blockprof"]
        _tools.mnnconvert(["mnnconvert", *arguments])
        if not model.exists():
            raise RuntimeError("MNN's converter made no model")
        return model

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        from MNN import expr, nn

        manager = nn.create_runtime_manager((self._config,))
        module = nn.load_module_from_file(str(model), list(feeds), [], runtime_manager=manager)
        given = [expr.const(feed, list(feed.shape), expr.NCHW) for feed in feeds.values()]
        return Loaded(run=lambda: module.forward(given), read=lambda outputs: [output.read() for output in outputs])


register_runtime(
    Runtime(
        name="mnn",
        title="MNN",
        engine=f"{__name__}:MnnEngine",
        needs=("MNN", "_tools"),
        distributions=("MNN",),
        install="pip install 'blockprof[mnn]'",
        clock="thread",
        converters=("MNN",),
    )
)
