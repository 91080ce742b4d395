"""``blockprof plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options
from blockprof.cli.results import TABLE_TOO
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import planning
    from blockprof.cli import render, render_measuring, render_plan
    from blockprof.evaluators.precisions import PrecisionPlan
else:
    planning = lazy_import("blockprof.api.planning")
    render = lazy_import("blockprof.cli.render")
    render_measuring = lazy_import("blockprof.cli.render_measuring")
    render_plan = lazy_import("blockprof.cli.render_plan")

NUM_PLANS = 60


def plan(
    net: Annotated[
        str,
        typer.Argument(
            metavar="NET",
            help="One network: a net string in quotes, OFA's settings as JSON, or a file with one of these.",
        ),
    ],
    space: options.SpaceOption,
    runtime: Annotated[
        str, typer.Option("--runtime", metavar="NAME", help="Run-time that has int8: onnxruntime or openvino.")
    ] = "onnxruntime",
    threads: Annotated[int, typer.Option("--threads", metavar="N", min=1, help="Threads per operator.")] = 1,
    num_plans: Annotated[
        int, typer.Option("--num-plans", "-n", metavar="N", help="Plans to measure; 40 or more.")
    ] = NUM_PLANS,
    resolution: Annotated[
        int | None,
        typer.Option(
            "--resolution", metavar="PIXELS", help="Input resolution.", show_default="the network's own, or 224"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help=f"ONNX file to write the fastest plan to. {TABLE_TOO}",
            show_default=False,
        ),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Measure the fastest plan, all fp32 and all int8.")] = False,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "PrecisionPlan":
    """Find which pieces of a network to compute in fp32 and which in int8, so that it is fastest on this machine.

    Measures plans of the whole network, mixes of fp32 and int8 pieces, for a minute or two; fits what each piece gains
    in int8 and what changing precision costs; and finds the fastest of all plans exactly. Run again, it resumes.

    It looks at latency only, not at accuracy. The file holds int8 pieces as QuantizeLinear and DequantizeLinear nodes;
    its weights are random.

    Example: blockprof plan net.txt --space mbv3 --verify --out mixed.onnx
    """
    chosen = options.load_space(space)
    log = options.log_to(name, experiment, no_log)
    with render.listening(render_plan.print_plan, render_measuring.print_plan) as listener:
        found = planning.plan(
            chosen,
            net,
            runtime=runtime,
            threads=threads,
            num_plans=num_plans,
            resolution=resolution,
            out=out,
            verify=verify,
            seed=seed,
            log=log,
            listener=listener,
        )
    if out:
        render.print_aside(f"wrote {out}")
    return found
