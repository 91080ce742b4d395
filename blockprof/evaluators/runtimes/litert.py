"""LiteRT, formerly TensorFlow Lite: litert-torch converts torch modules, and XNNPACK computes on the calling thread."""

from pathlib import Path

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime


class LiteRtEngine:
    """Interpreters with the XNNPACK delegate, LiteRT's default."""

    def __init__(self, settings: Settings) -> None:
        self._threads = settings.threads

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        import litert_torch
        import torch

        from blockprof.evaluators.runtimes.torch_modules import OnnxModule

        inputs = tuple(torch.zeros(shape) for shape in shapes.values())
        model = folder / "network.tflite"
        litert_torch.convert(OnnxModule(network).eval(), inputs).export(str(model))
        return model

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(model), num_threads=self._threads)
        interpreter.allocate_tensors()
        for details, feed in zip(interpreter.get_input_details(), feeds.values(), strict=True):
            interpreter.set_tensor(details["index"], feed)
        made = [details["index"] for details in interpreter.get_output_details()]
        return Loaded(interpreter.invoke, read=lambda _: [interpreter.get_tensor(index) for index in made])


register_runtime(
    Runtime(
        name="litert",
        title="LiteRT",
        engine=f"{__name__}:LiteRtEngine",
        needs=("ai_edge_litert", "litert_torch"),
        distributions=("ai-edge-litert",),
        install="blockprof doctor --install litert",
        clock="thread",
        limit_s=600.0,
        environment=("ai-edge-litert==2.3.*", "litert-torch==0.10.*"),
        converters=("litert-torch", "litert-converter", "torch"),
    )
)
