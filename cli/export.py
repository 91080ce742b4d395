"""``blockprof export``."""

from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options
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
    check = write_onnx(predictors.load_predictor(stored.folder), path)
    render.print_paths([path])
    checked = f"on {check.num_nets:,} random networks to {check.error:.0e}"
    render.print_line(f"equal to {stored.name} version {stored.version} {checked}")


def export_network(
    net: Annotated[
        str,
        typer.Argument(metavar="NET", help="Net string, in quotes: as in the column net_str of a CSV of latencies."),
    ],
    space: options.SpaceOption,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="ONNX file to write.")],
    resolution: options.ResolutionOption = 224,
    batch: Annotated[
        str, typer.Option("--batch", metavar="N", help="Images at once, or dynamic, which leaves it open.")
    ] = "1",
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check",
            help="Run the file with ONNX Runtime before it appears, and compare with torch: takes a few seconds.",
        ),
    ] = True,
) -> None:
    """Write one network as an ONNX file, to be run on any device.

    The weights are random: they do not change the latency, but the logits mean nothing. Input: image (N, 3, R, R);
    output: logits (N, 1000); both float32. Nodes are named after their placement, such as u2.l1.e6k7/conv/Conv.

    Example: blockprof export network "$NET" --space pn --out network.onnx
    """
    chosen_space = options.load_space(space)
    images = options.parse_batch(batch)
    from blockprof.cli import render
    from blockprof.onnx_networks import FragmentStore, write_network
    from blockprof.spaces import Architectures

    archs = Architectures.from_strings(chosen_space, [net])
    with render.working("composing the network"):
        store = FragmentStore(chosen_space)
        written = write_network(store, archs, 0, out, resolution=resolution, batch=images, check=check)
    render.print_network(written)
