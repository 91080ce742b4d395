"""``blockprof measure``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.api.defaults import BLOCKS_SUFFIX, METRIC, NUM_NETS
from blockprof.cli import choosing, options
from blockprof.cli.results import TABLE_TOO
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api.measuring import MeasuredBlocks
    from blockprof.cli import measure_all, render, render_measuring
    from blockprof.cli.measure_all import MeasuredAll
    from blockprof.evaluators import runtimes
    from blockprof.evaluators.device import MeasureSpec
    from blockprof.evaluators.device import spec as specs
    from blockprof.evaluators.device.boards import board as boards
    from blockprof.evaluators.device.campaign import CampaignResult
    from blockprof.foundation import onnx_runtime
else:
    boards = lazy_import("blockprof.evaluators.device.boards.board")
    measure_all = lazy_import("blockprof.cli.measure_all")
    onnx_runtime = lazy_import("blockprof.foundation.onnx_runtime")
    render = lazy_import("blockprof.cli.render")
    render_measuring = lazy_import("blockprof.cli.render_measuring")
    runtimes = lazy_import("blockprof.evaluators.runtimes")
    specs = lazy_import("blockprof.evaluators.device.spec")

ALL = "all"


def _complete_provider(incomplete: str) -> list[str]:
    return [name for name in onnx_runtime.onnxruntime.get_available_providers() if name.startswith(incomplete)]


def _complete_runtime(incomplete: str) -> list[str]:
    return [name for name in (*runtimes.runtime_names(), ALL) if name.startswith(incomplete)]


def measure(
    space: options.SpaceOption,
    num_nets: Annotated[
        int | None,
        typer.Option(
            "--num-nets",
            "-n",
            metavar="N",
            min=1,
            help="Networks to measure in total, including those already measured.",
            show_default=f"{NUM_NETS}",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            "-m",
            metavar="NAME",
            help="The name of this device's latency in train-predictor and profile.",
            show_default=f"{METRIC}, or RUNTIME-PRECISION; with --blocks {METRIC}{BLOCKS_SUFFIX}; with --host "
            "BOARD- before it, with --batch 32 -b32 after it",
        ),
    ] = None,
    blocks: Annotated[
        bool,
        typer.Option(
            "--blocks",
            help="Measure every block on its own instead: a block table, which profile takes as a metric, checked on "
            "20 whole networks.",
        ),
    ] = False,
    design: choosing.DesignOption = None,
    nets: choosing.NetsOption = None,
    resolution: choosing.ResolutionsOption = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime",
            metavar="NAME",
            help="Run-time that executes the networks: onnxruntime, openvino, mnn, ncnn, litert, executorch, torch, "
            "torch-compile, another package's, or all: each that is installed, in turn.",
            show_default="onnxruntime",
            autocompletion=_complete_runtime,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", metavar="NAME", help="Precision: fp32, bf16, fp16 or int8.", show_default="fp32"),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", metavar="N", min=1, help="Threads per operator.")] = 1,
    batch: options.BatchesOption = "1",
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="USER@BOARD",
            help="Measure on another machine, over ssh: it needs Python 3.11, numpy and the run-time.",
            show_default="this machine",
        ),
    ] = None,
    host_python: Annotated[
        str, typer.Option("--host-python", metavar="PATH", help="The interpreter there, such as one of an environment.")
    ] = "python3",
    provider: Annotated[
        str,
        typer.Option(
            "--provider",
            metavar="NAME",
            help="Execution provider of ONNX Runtime, or CUDAExecutionProvider of torch (not verified on a GPU).",
            autocompletion=_complete_provider,
        ),
    ] = "CPUExecutionProvider",
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, help="Visits to each network, in a new order each time.")
    ] = 7,
    width: Annotated[
        float,
        typer.Option(
            "--width",
            metavar="PERCENT",
            help="Repeat each visit until the 95 % interval of its median is this narrow.",
        ),
    ] = 5.0,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit", metavar="SECONDS", help="Stop repeating a network after this long, over all its visits."
        ),
    ] = 2.8,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help=f"Folder to write to. {TABLE_TOO}", show_default="./blockprof-data"
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; existing results are kept as *.old.")] = False,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "CampaignResult | MeasuredBlocks | MeasuredAll":
    """Measure networks on this machine, or on another with --host, with ONNX Runtime or another run-time.

    Writes ofa_<space>_<metric>_lat_data.csv, where train-predictor looks for it; beside it a record of each network
    (.record.csv) and a journal of all times (.journal.jsonl). Each result is in the journal as soon as it is known:
    to resume after an interruption, run the same command again. With a larger --num-nets, or a --nets file with
    networks added at its end, only the new networks are measured.

    With --blocks: ofa_<space>_<metric>_r<resolution>_block_table.csv, and its journal.

    With --host the journal stays here, and a connection that is cut is made again. Hosts and keys are those of ssh: the
    host's key must be known, and yours accepted there; no password is asked for.

    Example: blockprof measure --space pn --num-nets 50 --runtime openvino
    """
    board = boards.parse_board(host, host_python) if host else None
    if board and runtime == ALL:
        raise InputError("--runtime all is for this machine: name one with --host")
    chosen_space = options.load_space(space)
    plain = blockprof.MeasureSpec(
        provider=provider, threads=threads, rounds=rounds, width=width / 100, time_limit_s=time_limit, seed=seed
    )
    networks = blockprof.Networks(num_nets, design, nets, choosing.parse_resolutions(resolution, chosen_space))
    measuring = blockprof.measure_blocks if blocks else blockprof.measure

    def measure_one(spec: "MeasureSpec", name_of_metric: str) -> "CampaignResult | MeasuredBlocks":
        with render.listening(render_measuring.show, render_measuring.print_plan) as listener:
            return measuring(
                chosen_space,
                name_of_metric,
                networks=networks,
                spec=spec,
                out=out,
                fresh=fresh,
                board=board,
                log=options.log_to(name, experiment, no_log),
                listener=listener,
            )

    suffix = BLOCKS_SUFFIX if blocks else ""
    chosen_precision = precision or specs.DEFAULT_PRECISION
    batches = options.parse_batches(batch)

    def name_of(spec: "MeasureSpec") -> str:
        if metric is not None:
            return metric + (spec.batch_suffix if len(batches) > 1 else "")
        given = (
            METRIC if runtime is None and precision is None and board is None else replace(spec, batch=1).target_name
        )
        return (f"{board.name}-" if board else "") + given + suffix + spec.batch_suffix

    found: list[CampaignResult | MeasuredBlocks] = []
    for size in batches:
        if runtime == ALL:
            one = replace(plain, batch=size)
            everything = measure_all.measure_all(
                lambda spec: measure_one(spec, name_of(spec)), one, chosen_precision, metric
            )
            found += everything.results
        else:
            spec = replace(plain, runtime=runtime or specs.DEFAULT_RUNTIME, precision=chosen_precision, batch=size)
            found.append(measure_one(spec, name_of(spec)))
    return found[0] if runtime != ALL and len(found) == 1 else measure_all.MeasuredAll(tuple(found))
