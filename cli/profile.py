"""``blockprof profile``."""

from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.cli import options
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blockprof.api.metrics import Wanted
    from blockprof.cli import render, render_profile, supernet, upstream
    from blockprof.profiling import Profile
else:
    render = lazy_import("blockprof.cli.render")
    render_profile = lazy_import("blockprof.cli.render_profile")
    supernet = lazy_import("blockprof.cli.supernet")
    upstream = lazy_import("blockprof.cli.upstream")


def profile(
    space: options.SpaceOption,
    metrics: options.MetricsOption = None,
    blocks: Annotated[
        list[str] | None,
        typer.Option(
            "--blocks",
            "-b",
            metavar="PLACEMENTS",
            help="Placements such as u2.l1.e6k7, repeated or joined with commas; those joined with + are fixed "
            "together.",
            show_default="all of the space",
        ),
    ] = None,
    all_blocks: Annotated[bool, typer.Option("--all", "-a", help="All placements; the default.")] = False,
    sampler: options.SamplerOption = "paper",
    num_archs: Annotated[
        int | None,
        typer.Option(
            "--num-archs",
            "-n",
            metavar="N",
            min=2,
            help="Networks to sample per placement. With ort-cpu, or accuracy in the supernet: networks to measure in "
            "total, 20 to 150 or 10,000; additive metrics then stay exact.",
            show_default="exact, without sampling; ofa-predictor: 1000; ort-cpu: 150; supernet: 300",
        ),
    ] = None,
    resolution: options.ResolutionOption = 224,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
    log_effects: Annotated[
        bool, typer.Option("--log-effects", help="Log each placement's effect as a metric of the run too.")
    ] = False,
    accuracy_source: options.AccuracySourceOption = None,
    data: options.DataOption = None,
    fast: options.FastOption = False,
    device: options.DeviceOption = None,
    batch_size: options.BatchSizeOption = None,
    workers: options.WorkersOption = None,
    strict: options.StrictOption = False,
) -> "Profile":
    """Report what each block costs and gains at each place in the network.

    A metric comes from its registered predictor (the champion) if there is one, else from a block table of that name in
    ./blockprof-data, else from the built-in reference table. The output says which.

    Expensive metrics are measured now, on one pool of random networks, and a surrogate gives the effects with credible
    intervals: ort-cpu on 150 networks, which takes minutes; accuracy with --data on 300 networks of OFA's supernet
    (fetch-data --source ofa-supernets), which takes hours without a GPU. To resume after an interruption, run the same
    command again.

    flops are twice the networks' own multiply-adds; Fig. 2 of the paper uses a table with other widths. BlockProfile's
    spellings (--space OFAPred, -m 0 1, ...) mean what they meant there, or a note says what differs.

    Example: blockprof profile --space pn --metrics npu,accuracy

    Example: blockprof profile -s mbv3 -m accuracy,npu --data /data/imagenet
    """
    chosen_space = options.load_space(space)
    theirs = chosen_space.assets.upstream_called(space)
    names = options.parse_metrics(metrics, chosen_space, numbered=True)
    if theirs and metrics is None:
        names = list(theirs.metrics)
    if theirs and theirs.accuracy == "ofa-predictor" and "accuracy" in names:
        accuracy_source = accuracy_source or theirs.accuracy
    source, spec = supernet.read_options(names, accuracy_source, data, fast, device, batch_size, workers, strict)
    if blocks and all_blocks:
        raise InputError("--all and --blocks exclude each other: leave one out")
    with render.listening(render_profile.print_profile) as listener:
        wanted: Sequence[Wanted] = names
        if theirs and metrics is None:
            wanted = upstream.load_those_there(theirs, chosen_space, names, resolution, source, listener)
        if theirs:
            upstream.note_differences(theirs, wanted, source, sampler, is_selection=bool(blocks or all_blocks))
        else:
            options.note_flops(names)
        return blockprof.profile(
            chosen_space,
            wanted,
            blocks=blocks or None,
            sampler=sampler,
            resolution=resolution,
            num_archs=num_archs,
            seed=seed,
            accuracy_source=source,
            supernet=spec,
            log_effects=log_effects,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )
