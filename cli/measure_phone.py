"""``blockprof measure-phone``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import measuring_phones
    from blockprof.cli import render
else:
    measuring_phones = lazy_import("blockprof.api.measuring_phones")
    render = lazy_import("blockprof.cli.render")


def measure_phone(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `export networks` wrote.")],
    program: Annotated[
        Path,
        typer.Option(
            "--program",
            metavar="FILE",
            help="The phone's build of a benchmark program: onnxruntime_perf_test, benchmark_model (TFLite), benchncnn "
            "or benchmark.out (MNN).",
        ),
    ],
    phone: Annotated[
        str | None,
        typer.Option(
            "--phone", metavar="SERIAL", help="Which phone, as `adb devices` lists it.", show_default="the one"
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="TEXT", help="An option of the program, such as --num_threads=1; repeatable."),
    ] = None,
) -> None:
    """Time the networks of a folder on a phone, over adb, with a run-time's own benchmark program.

    It brings the networks and the program to the phone, runs them in the order of visits.csv, and writes what the
    program says to times.csv, which train-predictor takes. To resume, run the same command again. benchmark_model runs
    NAME.tflite, benchncnn NAME.ncnn.param, benchmark.out NAME.mnn: make these of each NAME.onnx first.

    No phone was at hand: it was tested with recorded outputs of the programs.

    Example: blockprof measure-phone my-phone --program ./benchmark_model
    """
    with render.listening() as listener:
        log = measuring_phones.measure_phone(folder, program, phone, option or (), listener=listener)
    render.print_paths([log])
