"""``blockprof export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.api.defaults import NUM_NETS, RESOLUTION
from blockprof.cli import choosing, options
from blockprof.cli.several_values import SPACES
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import
from blockprof.output.exporting import Format

if TYPE_CHECKING:
    from blockprof import spaces
    from blockprof.api import exporting
    from blockprof.cli import render, render_files, render_measuring
    from blockprof.evaluators.device import net_files
    from blockprof.output.runs import picking
    from blockprof.spaces import Architectures
else:
    exporting = lazy_import("blockprof.api.exporting")
    net_files = lazy_import("blockprof.evaluators.device.net_files")
    picking = lazy_import("blockprof.output.runs.picking")
    render = lazy_import("blockprof.cli.render")
    render_files = lazy_import("blockprof.cli.render_files")
    render_measuring = lazy_import("blockprof.cli.render_measuring")
    spaces = lazy_import("blockprof.spaces")

DEVICE_METRIC = "my-phone"


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
    render.print_paths(exporting.export_run(run, out, file_format))


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

    Inputs: blocks (N, slots), int64, the index of each slot's block among the space's (by expansion ratio, then kernel
    size; in resnet50 by width, then expansion ratio), or -1 where the layer is absent; resolution (N,), int64; in
    resnet50 also stem (N,), int64, the index among the space's stems. Outputs: latency_ms, lower_ms, upper_ms, each
    (N,), float64; NaN at a resolution that the model does not know.

    Example: blockprof export predictor blockprof-pn-npu --out npu.onnx
    """
    file = exporting.export_predictor(predictor, out)
    render.print_paths([file.path])
    checked = f"on {file.check.num_nets:,} random networks to {file.check.error:.0e}"
    render.print_line(f"equal to {file.stored.name} version {file.stored.version} {checked}")


def export_network(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="ONNX file to write.")],
    net: Annotated[
        str | None,
        typer.Argument(
            metavar="NET",
            help="Net string, in quotes, as in the net_str column of a CSV of latencies; or OFA's settings, as JSON or "
            "a file of it. Or give --run and --pick.",
            show_default=False,
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            "-s",
            metavar="NAME",
            help=f"Design space: {SPACES}.",
            autocompletion=options.complete_space,
            show_default="the run's",
        ),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Id or name of a search's run, to pick a network of.")
    ] = None,
    pick: Annotated[
        int | None, typer.Option("--pick", metavar="N", help="Which of the run's best networks, in the order listed.")
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            metavar="FILE",
            help="Also write the network's OFA settings as JSON, as set_active_subnet takes them.",
            show_default="with --run: named as --out, .json",
        ),
    ] = None,
    resolution: Annotated[
        int | None,
        typer.Option("--resolution", metavar="PIXELS", help="Input resolution.", show_default="the run's, or 224"),
    ] = None,
    batch: Annotated[str, typer.Option("--batch", metavar="N", help="Batch size, or dynamic.")] = "1",
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check",
            help="Before writing the file, run it with ONNX Runtime and compare with torch (a few seconds).",
        ),
    ] = True,
) -> None:
    """Write one network as an ONNX file, to be run on any device: one that you name, or one that a search found.

    The weights are random: they do not change the latency, but the logits mean nothing. Input: image (N, 3, R, R);
    output: logits (N, 1000); both float32. Nodes are named after their placement, such as u2.l1.e6k7/conv/Conv.

    Example: blockprof export network --run able-panda-12 --pick 3 -o net.onnx
    """
    images = options.parse_batch(batch)
    if net is not None and run is not None:
        raise InputError("a net string and --run: give one of them")
    if run is not None:
        archs, size = _picked(run, pick, space)
        settings = settings or out.with_suffix(".json")
    elif net is not None:
        archs, size = _named(net, pick, space)
    else:
        raise InputError("no network: give its net string, or --run RUN --pick N for one that a search found")
    if settings and settings.absolute() == out.absolute():
        raise InputError(f"--out {out} is where the settings go: give it another name, or the settings with --settings")
    with render.listening() as listener:
        written = exporting.export_network(
            archs,
            out,
            resolution=size if resolution is None else resolution,
            batch=images,
            check=check,
            settings=settings,
            listener=listener,
        )
    render_files.print_network(written)
    render.print_paths([settings] if settings else [])


def export_networks(
    space: options.SpaceOption,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write to.")],
    num_nets: Annotated[
        int | None,
        typer.Option("--num-nets", "-n", metavar="N", min=1, help="Networks to choose.", show_default=f"{NUM_NETS}"),
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            "--metric",
            "-m",
            metavar="NAME",
            help="The name of the device's latency in train-predictor and profile, and of the device in the CSV.",
        ),
    ] = DEVICE_METRIC,
    design: choosing.DesignOption = None,
    nets: choosing.NetsOption = None,
    resolution: choosing.ResolutionsOption = None,
    seed: options.SeedOption = 0,
) -> None:
    """Choose networks as measure does, and write them as ONNX files, to be measured on another device: a phone, an NPU.

    Beside them it writes networks.csv, with a row for each file. Run the files on the device, write the latencies into
    the column "end-to-end lat", and give the CSV to train-predictor.

    Each file is what `export network` writes, checked against torch; the weights are random. To resume after an
    interruption, run the same command again. An existing CSV is never overwritten.

    Example: blockprof export networks --space pn --num-nets 50 --out my-phone
    """
    chosen_space = options.load_space(space)
    networks = blockprof.Networks(num_nets, design, nets, choosing.parse_resolutions(resolution, chosen_space))
    with render.listening() as listener:
        files = exporting.export_networks(chosen_space, out, metric, networks=networks, seed=seed, listener=listener)
    render_measuring.print_device_folder(files.folder, files.written, files.metric)


def _picked(run: str, pick: int | None, space: str | None) -> "tuple[Architectures, int]":
    """A network that a search found, and the resolution it was searched for at."""
    if pick is None:
        raise InputError("Missing option '--pick': with --run, say which of its best networks, from 1")
    chosen_space = options.load_space(space) if space else None
    picked = picking.pick_network(run, pick)
    if chosen_space and chosen_space != picked.archs.space:
        raise InputError(f"run {run} searched {picked.archs.space.name}, not {chosen_space.name}: leave --space out")
    return picked.archs, picked.resolution


def _named(net: str, pick: int | None, space: str | None) -> "tuple[Architectures, int]":
    """The network of a net string, of OFA's settings, or of a file that holds either, and its resolution."""
    if pick is not None:
        raise InputError("--pick is for --run: leave it out with a net string")
    if space is None:
        raise InputError("Missing option '--space' / '-s': only with --run it may be left out")
    chosen_space = options.load_space(space)
    if spaces.is_settings(net):
        archs, sizes = spaces.parse_settings(chosen_space, net)
        size = sizes[0]
    elif _is_file(net):
        archs, resolutions = net_files.read_networks(Path(net), chosen_space)
        size = int(resolutions[0])
    else:
        archs, size = blockprof.Architectures.from_strings(chosen_space, [net]), None
    if len(archs) > 1:
        raise InputError(f"{len(archs)} networks where one should be: write them with export networks --nets FILE")
    return archs, RESOLUTION if size is None else size


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a net string is longer than a file's name may be
        return False
