"""ncnn: pnnx converts ONNX to its files, and it computes on the calling thread where there is one thread only."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from blockprof.evaluators.runtimes.runtime import Feeds, Loaded, Runtime, Settings, Shapes, register_runtime
from blockprof.foundation.errors import InputError

_CPU_INFO = Path("/proc/cpuinfo")
_FP16 = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic")
_BF16 = ("use_bf16_packed", "use_bf16_storage")
_NEEDED = {"fp16": {"asimdhp"}, "bf16": {"avx512_bf16", "bf16"}}
"""Of each precision, the features of a processor one of which it needs, on ARM and x86, as Linux calls them."""


class NcnnEngine:
    """Nets on the CPU, with all of ncnn's optimisations but numbers shorter than the precision's."""

    def __init__(self, settings: Settings) -> None:
        import ncnn

        self._ncnn, self._settings = ncnn, settings
        needed = _NEEDED.get(settings.precision)
        if needed and not needed & set(_CPU_INFO.read_text().split()):
            raise InputError(f"ncnn has no {settings.precision} on this processor")

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        found = find_spec("pnnx")  # whose import brings torch
        program = Path(found.origin if found and found.origin else "").with_name("pnnx")
        made = folder / "ncnn"
        made.mkdir()
        source = made / "network.onnx"  # pnnx writes beside what it reads
        source.symlink_to(network.absolute())
        if (weights := network.with_name("weights")).is_dir():  # read from beside it, but not through a symbolic link
            shutil.copytree(weights, made / "weights", copy_function=os.link)
        sizes = ",".join(f"[{','.join(map(str, shape))}]f32" for shape in shapes.values())
        done = subprocess.run(
            [program, source.name, f"inputshape={sizes}", "fp16=0"],
            cwd=made,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        model = made / "network.ncnn.param"
        if done.returncode or not model.exists():
            last = (done.stderr.strip() or done.stdout.strip() or "it says nothing").rpartition("\n")[2]
            raise RuntimeError(f"pnnx ended with code {done.returncode} ({last})")
        shutil.rmtree(made / "weights", ignore_errors=True)
        for file in made.iterdir():
            if ".ncnn." not in file.name:
                file.unlink()
        return model

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        net = self._ncnn.Net()
        net.opt.num_threads = self._settings.threads
        for option in (*_FP16, *_BF16):
            setattr(net.opt, option, self._settings.precision in option)
        weights = model.with_suffix(".bin")
        if net.load_param(str(model)) or net.load_model(str(weights)):
            raise RuntimeError("ncnn cannot read what pnnx made")
        # Nets have no batch; a clone has memory of its own.
        mats = [self._ncnn.Mat(feed[0]).clone() for feed in feeds.values()]
        given = list(zip(net.input_names(), mats, strict=True))
        (made,) = net.output_names()

        def run() -> object:
            extractor = net.create_extractor()
            for name, mat in given:
                extractor.input(name, mat)
            code, output = extractor.extract(made)
            if code:
                raise RuntimeError(f"ncnn ended with code {code}")
            return output

        return Loaded(run, read=lambda output: [output])


register_runtime(
    Runtime(
        name="ncnn",
        title="ncnn",
        engine=f"{__name__}:NcnnEngine",
        needs=("ncnn", "pnnx"),
        distributions=("ncnn",),
        install="pip install 'blockprof[ncnn]'",
        precisions=("fp32", "bf16", "fp16"),
        clock="thread",
        has_batches=False,
        converters=("ncnn", "pnnx"),
    )
)
