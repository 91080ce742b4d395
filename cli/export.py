"""``blockprof export``."""

from pathlib import Path
from typing import Annotated

import typer

from blockprof.exporting import Format


def export_run(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id or name of the run.")],
    file_format: Annotated[Format, typer.Option("--format", "-f", help="Format of the files.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write to.", show_default="named as the run"),
    ] = None,
) -> None:
    """Write the tables of a run as CSV or Parquet files.

    Example: blockprof export run able-panda-12 --format parquet --out tables
    """
    from blockprof import exporting, tracking
    from blockprof.cli import render

    record = tracking.find_run(run)
    # A run may be called anything, such as ../x.
    is_file_name = record.name != ".." and record.name == Path(record.name).name
    folder = out or Path(record.name if is_file_name else record.id)
    render.print_paths(exporting.write_frames(tracking.load_frames(record), folder, file_format))


def export_predictor(
    predictor: Annotated[
        str,
        typer.Argument(
            metavar="PREDICTOR", help="Registered name: blockprof-pn-npu (its champion), or blockprof-pn-npu/2."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="ONNX file to write.", show_default="name and version, .onnx"),
    ] = None,
) -> None:
    """Write a predictor as ONNX, checked against the model with ONNX Runtime.

    Inputs: blocks (N, slots), int64, the index of each slot's block or -1; resolution (N,), int64. Outputs: latency_ms,
    lower_ms, upper_ms, each (N,).

    Example: blockprof export predictor blockprof-pn-npu --out npu.onnx
    """
    from blockprof import predictors, tracking
    from blockprof.cli import render
    from blockprof.predictors.onnx_export import write_onnx

    stored = tracking.find_predictor(predictor)
    path = out or Path(f"{stored.name}-{stored.version}.onnx")
    check = write_onnx(predictors.load_blockwise(stored.folder), path)
    render.print_paths([path])
    checked = f"on {check.num_nets:,} random networks to {check.error:.0e}"
    render.print_line(f"equal to {stored.name} version {stored.version} {checked}")
