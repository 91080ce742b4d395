"""``blockprof export``."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Write a run's tables, or a predictor, as files.", no_args_is_help=True)


@app.command("run")
def export_run(
    run: Annotated[str, typer.Argument(help="Id or name of the run.")],
    file_format: Annotated[str, typer.Option("--format", "-f", help="csv or parquet.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to write to.  [default: one named as the run]", show_default=False),
    ] = None,
) -> None:
    """Write the tables of a run as CSV or Parquet files.

    Example: blockprof export run able-panda-12 --format parquet --out tables
    """
    from blockprof import exporting, tracking
    from blockprof.cli import render

    record = tracking.find_run(run)
    paths = exporting.write_frames(tracking.load_frames(record), out or Path(record.name), file_format)
    render.print_paths(paths)


@app.command("predictor")
def export_predictor(
    predictor: Annotated[
        str, typer.Argument(help="Registered name, such as blockprof-pn-npu, blockprof-pn-npu/2 or ...@champion.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="ONNX file to write.  [default: <name>-<version>.onnx]", show_default=False),
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
    render.out.print(f"equal to {stored.name} version {stored.version} {checked}")
