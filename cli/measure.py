"""``blockprof measure``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import choosing, options
from blockprof.cli.choosing import NUM_NETS, RESOLUTION

if TYPE_CHECKING:
    from blockprof.evaluators.device.campaign import CampaignResult

METRIC, BLOCKS_SUFFIX = "my-cpu", "-blocks"


def _complete_provider(incomplete: str) -> list[str]:
    from blockprof.foundation.onnx_runtime import onnxruntime

    return [name for name in onnxruntime.get_available_providers() if name.startswith(incomplete)]


def _complete_runtime(incomplete: str) -> list[str]:
    from blockprof.evaluators.runtimes import runtime_names

    return [name for name in runtime_names() if name.startswith(incomplete)]


def measure(
    space: options.SpaceOption,
    num_nets: Annotated[
        int | None,
        typer.Option(
            "--num-nets",
            "-n",
            metavar="N",
            min=1,
            help="Networks to measure, those that are there already included.",
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
            show_default=f"{METRIC}, or RUNTIME-PRECISION; with --blocks {METRIC}{BLOCKS_SUFFIX}",
        ),
    ] = None,
    blocks: Annotated[
        bool,
        typer.Option(
            "--blocks",
            help="Measure every block by itself instead: a block table, which profile takes as a metric, judged by 20 "
            "whole networks.",
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
            help="What runs the networks: onnxruntime, openvino, ...",
            show_default="onnxruntime",
            autocompletion=_complete_runtime,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            "--precision", metavar="NAME", help="What it computes in: fp32, bf16, fp16 or int8.", show_default="fp32"
        ),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", metavar="N", min=1, help="Threads of an operator.")] = 1,
    provider: Annotated[
        str,
        typer.Option(
            "--provider",
            metavar="NAME",
            help="Execution provider of ONNX Runtime.",
            autocompletion=_complete_provider,
        ),
    ] = "CPUExecutionProvider",
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, help="Visits of each network, in another order each time.")
    ] = 7,
    width: Annotated[
        float,
        typer.Option(
            "--width",
            metavar="PERCENT",
            help="A visit repeats until the 95 % interval of the median is this wide.",
        ),
    ] = 2.0,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit", metavar="SECONDS", help="Or until a network has repeated for so long in all its visits."
        ),
    ] = 2.8,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write to.", show_default="./blockprof-data"),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Measure everything again; what is there is kept as *.old.")
    ] = False,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> None:
    """Measure networks on this machine with ONNX Runtime or another run-time, for train-predictor.

    Writes ofa_<space>_<metric>_lat_data.csv, where train-predictor looks for it; beside it a record of each network
    (.record.csv) and a journal of all times (.journal.jsonl). Each result is in the journal as soon as it is known:
    after an interruption the same command goes on where it was, and with a larger --num-nets (or a --nets file with
    networks added at its end) what was measured is kept and only the further networks are measured.

    With --blocks: ofa_<space>_<metric>_r<resolution>_block_table.csv, and its journal.

    Example: blockprof measure --space pn --num-nets 50 --runtime openvino
    """
    from blockprof import fetching, tracking
    from blockprof.cli import render, render_measuring
    from blockprof.cli.measure_blocks import measure_blocks
    from blockprof.evaluators.device import MeasureSpec
    from blockprof.evaluators.device.campaign import measured_sizes, plan_campaign
    from blockprof.evaluators.device.spec import DEFAULT_PRECISION, DEFAULT_RUNTIME
    from blockprof.foundation.paths import data_folder

    chosen_space = options.load_space(space)
    spec = MeasureSpec(
        runtime=runtime or DEFAULT_RUNTIME,
        precision=precision or DEFAULT_PRECISION,
        provider=provider,
        threads=threads,
        rounds=rounds,
        width=width / 100,
        time_limit_s=time_limit,
        seed=seed,
    )
    given = METRIC if runtime is precision is None else spec.target_name
    metric = metric or (given + BLOCKS_SUFFIX if blocks else given)
    options.check_predictor_name(chosen_space, metric)
    sizes = choosing.parse_resolutions(resolution, chosen_space)
    if blocks:
        choosing.refuse_beside(
            "--blocks measures all blocks", {"--num-nets": num_nets, "--design": design, "--nets": nets}
        )
        size = _only(sizes or [RESOLUTION])
        folder = out or data_folder()
        measure_blocks(
            chosen_space, metric, size, spec, folder, name=name, experiment=experiment, no_log=no_log, fresh=fresh
        )
        return
    file = (out or data_folder()) / fetching.latency_file_name(chosen_space, metric)
    there = () if fresh or nets else measured_sizes(file)
    archs, resolutions, chosen = choosing.choose(chosen_space, num_nets, design, nets, sizes, seed, there)
    campaign = plan_campaign(archs, resolutions, file, spec, fresh=fresh)
    if not no_log:
        tracking.check_store(experiment)
    render_measuring.print_plan(campaign)

    def run() -> "CampaignResult":
        with render.listening() as listener:
            return campaign.run(listener)

    def show(result: "CampaignResult") -> None:
        render_measuring.note_doubts(result)
        render_measuring.print_result(result, metric, in_data_folder=out is None)

    if no_log:
        show(run())
        return
    from blockprof.output.runs.measurements import record_measurement

    with tracking.start_run("measure", name=name, experiment=experiment, space=chosen_space.name) as logged:
        result = run()
        show(result)
        record_measurement(logged, result, {"metric": metric, **chosen})
    render.print_run(logged.name, logged.id)


def _only(resolutions: Sequence[int]) -> int:
    from blockprof.foundation.errors import InputError

    if len(resolutions) > 1:
        raise InputError("a block table is of one resolution: give one, and run the command again for another")
    return resolutions[0]
