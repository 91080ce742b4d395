"""Benchmark programs of run-times: how each is called, and what it says one inference takes.

What they print is as their sources have it, and threads about them show it; no phone was at hand.
"""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from blockprof.foundation.errors import BlockprofError, InputError

NUM_RUNS = 20
_NUMBER = r"([0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?)"


@dataclass(frozen=True)
class Program:
    """A benchmark program.

    Attributes:
        name: what its file's name begins with.
        suffix: of the model that it runs, in place of ``.onnx``; ``beside`` are those of files that it needs as well.
        call: the words after the program, of a model's path, a resolution in pixels and the user's own options.
        patterns: where its output says the time, the best of what it says first, each with what one of its units is in
            ms: the median, where it says it.
        has_folders: whether it runs all models of a folder, so that each needs one of its own.
    """

    name: str
    suffix: str
    call: Callable[[str, int, Sequence[str]], list[str]]
    patterns: tuple[tuple[str, float], ...]
    beside: tuple[str, ...] = ()
    has_folders: bool = False

    def command(self, program: str, model: str, size: int, options: Sequence[str]) -> str:
        """The line for a shell."""
        return shlex.join([program, *self.call(model, size, options)])

    def read_ms(self, output: str, what: str) -> float:
        """The time of one inference, in ms: the last that the output says.

        Raises:
            BlockprofError: it says none; the message has its last line.
        """
        for pattern, ms in self.patterns:
            if found := re.findall(pattern, output):
                return float(found[-1]) * ms
        last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "nothing")
        raise BlockprofError(f"{self.name} tells no time: it says '{last[:200]}'", where=what)


def _mnn(model: str, size: int, options: Sequence[str]) -> list[str]:
    # It runs all models of a folder: each has one of its own.
    return [str(PurePath(model).parent), str(NUM_RUNS), "5", *(options or ("0", "1"))]


_KNOWN = (
    Program(
        name="onnxruntime_perf_test",
        suffix=".onnx",
        call=lambda model, size, options: ["-m", "times", "-r", str(NUM_RUNS), "-I", *options, model],
        patterns=((rf"P50 Latency: *{_NUMBER} s", 1e3), (rf"Average inference time cost[a-z ]*: *{_NUMBER} ms", 1.0)),
    ),
    Program(
        name="benchmark_model",
        suffix=".tflite",
        call=lambda model, size, options: [f"--graph={model}", *options],
        patterns=((rf" median={_NUMBER}", 1e-3), (rf"Inference \(avg\): *{_NUMBER}", 1e-3)),
    ),
    Program(
        name="benchncnn",
        suffix=".ncnn.param",
        call=lambda model, size, options: [
            *(str(NUM_RUNS), *(options or ("1", "0", "-1", "0"))),
            *(f"param={model}", f"shape=[{size},{size},3]"),
        ],
        patterns=((rf"min = *{_NUMBER} +max = *{_NUMBER[1:-1]} +avg = *{_NUMBER[1:-1]}", 1.0),),
        beside=(".ncnn.bin",),
    ),
    Program(
        name="benchmark.out",
        suffix=".mnn",
        call=_mnn,
        patterns=((rf"min = *{_NUMBER} ms", 1.0),),
        has_folders=True,
    ),
)


def find_program(path: str) -> Program:
    """The program that a file is, by its name.

    Raises:
        InputError: none that is known.
    """
    name = PurePath(path).name
    for known in _KNOWN:
        if name.startswith(known.name):
            return known
    raise InputError(
        "is no benchmark program that blockprof can read",
        where=path,
        remedy=f"it reads {', '.join(known.name for known in _KNOWN)}",
    )
