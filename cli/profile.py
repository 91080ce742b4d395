"""``blockprof profile``."""

from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options

if TYPE_CHECKING:
    from blockprof.metrics import Metric
    from blockprof.profiling import Profile, Surrogate


def profile(
    space: options.SpaceOption,
    metrics: options.MetricsOption = ["npu"],  # noqa: B006
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
            help="Networks sampled a placement. With ort-cpu: networks measured in all, 20 to 150; other metrics then "
            "stay exact.",
            show_default="exact, without sampling; ort-cpu: 150",
        ),
    ] = None,
    resolution: options.ResolutionOption = 224,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
    device: options.DeviceOption = None,
    data: options.DataOption = None,
    fast: options.FastOption = False,
) -> None:
    """Say what each block costs and gains at each place of the network.

    A metric is taken from its registered predictor (champion) where there is one, else from a block table of that name
    in ./blockprof-data, else from the built-in reference table; the output says which.

    ort-cpu is measured now, on 150 random networks, which takes minutes; after a kill the same command goes on where it
    was. A surrogate fitted to these networks tells the effects, with credible intervals.

    Example: blockprof profile --space pn --metrics npu,accuracy
    """
    from blockprof import api, pooling, tracking
    from blockprof.cli import render, render_measuring
    from blockprof.errors import InputError
    from blockprof.metrics import ORT_CPU
    from blockprof.sampling import check_sampler
    from blockprof.spaces import parse_blocks

    chosen_space = options.load_space(space)
    names = options.parse_metrics(metrics, chosen_space)
    check_sampler(sampler)
    options.check_upstream_options(device, data, fast)
    if blocks and all_blocks:
        raise InputError("--all and --blocks exclude each other: leave one out")
    if blocks:
        parse_blocks(chosen_space, blocks, resolution)
    is_pooled = ORT_CPU in names
    pool_size = num_archs or pooling.DEFAULT_POOL
    if is_pooled:
        pooling.check_pool_size(pool_size)
    if not no_log:
        tracking.check_store(experiment)
    loaded = api.load_metrics(
        chosen_space,
        [name for name in names if name != ORT_CPU],
        resolution=resolution,
        on_count=lambda: render.note("counting MACs of each block with torchprofile, once for this resolution"),
    )
    if device is not None:
        render.note(f"--device {device} is not used: none of these metrics runs networks")

    def measure() -> "Surrogate":
        journal = pooling.journal_path(chosen_space, resolution, pool_size, seed)
        if journal.exists():
            render.note(f"{journal}: going on with what was measured before; remove it to measure anew")
        with render_measuring.progress() as (on_progress, on_piece):
            return pooling.measure_surrogate(
                chosen_space,
                resolution=resolution,
                num_networks=pool_size,
                seed=seed,
                on_progress=on_progress,
                on_piece=on_piece,
            )

    def compute() -> "Profile":
        by_name: dict[str, Metric | Surrogate] = {metric.info.name: metric for metric in loaded}
        if is_pooled:
            by_name[ORT_CPU] = measure()
        with render.progress("profiling") as on_progress:
            return api.profile(
                chosen_space,
                [by_name[name] for name in names],
                blocks=blocks or None,
                sampler=sampler,
                resolution=resolution,
                num_archs=None if is_pooled else num_archs,
                seed=seed,
                on_progress=on_progress,
            )

    if no_log:
        render.print_profile(compute())
        return
    from blockprof import recording

    with tracking.start_run("profile", name=name, experiment=experiment, space=chosen_space.name) as run:
        result = compute()
        recording.record_profile(run, result)
    render.print_profile(result)
    render.print_run(run.name, run.id)
