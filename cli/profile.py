"""``blockprof profile``."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options

if TYPE_CHECKING:
    from blockprof.evaluators.supernet import AccuracyPool
    from blockprof.metrics import Metric
    from blockprof.profiling import Profile, Surrogate


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
            help="Networks sampled a placement. With ort-cpu, or accuracy in the supernet: networks measured in all, "
            "20 to 150 or 10,000; additive metrics then stay exact.",
            show_default="exact, without sampling; ofa-predictor: 1000; ort-cpu: 150; supernet: 300",
        ),
    ] = None,
    resolution: options.ResolutionOption = 224,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
    accuracy_source: options.AccuracySourceOption = None,
    data: options.DataOption = None,
    fast: options.FastOption = False,
    device: options.DeviceOption = None,
    batch_size: options.BatchSizeOption = None,
    workers: options.WorkersOption = None,
    strict: options.StrictOption = False,
) -> None:
    """Say what each block costs and gains at each place of the network.

    A metric is taken from its registered predictor (champion) where there is one, else from a block table of that name
    in ./blockprof-data, else from the built-in reference table; the output says which.

    Expensive metrics are measured now, on one pool of random networks. A surrogate fitted to them tells the effects,
    with credible intervals: ort-cpu on 150 networks, which takes minutes; accuracy with --data, on 300 networks that
    OFA's supernet holds (fetch-data --source ofa-supernets), which takes hours without a GPU. After a kill the same
    command goes on where it was.

    flops are twice the networks' own multiply-adds; those of Fig. 2 of BlockProfile's paper are of a table with other
    widths. Its spellings (--space OFAPred, -m 0 1, ...) mean what they meant, or a note says what differs.

    Example: blockprof profile --space pn --metrics npu,accuracy

    Example: blockprof profile -s mbv3 -m accuracy,npu --data /data/imagenet
    """
    from blockprof import api, tracking
    from blockprof.cli import render, supernet, upstream
    from blockprof.evaluators import pooling
    from blockprof.foundation.errors import InputError
    from blockprof.metrics import ACCURACY, ORT_CPU
    from blockprof.spaces import parse_blocks
    from blockprof.spaces.sampling import check_sampler

    chosen_space = options.load_space(space)
    theirs = chosen_space.assets.upstream_called(space)
    names = options.parse_metrics(metrics, chosen_space, numbered=True)
    if theirs and metrics is None:
        names = list(theirs.metrics)
    if not theirs:
        options.note_flops(names)
    check_sampler(sampler)
    if theirs and theirs.accuracy == "ofa-predictor" and ACCURACY in names:
        accuracy_source = accuracy_source or theirs.accuracy
    source, spec = supernet.read_options(names, accuracy_source, data, fast, device, batch_size, workers, strict)
    if blocks and all_blocks:
        raise InputError("--all and --blocks exclude each other: leave one out")
    if blocks:
        parse_blocks(chosen_space, blocks, resolution)
    pooled = pooling.pooled_names(names, source)
    sizes = {name: pooling.pool_size(name, num_archs) for name in pooled}
    if not no_log:
        tracking.check_store(experiment)
    load = partial(
        api.load_metrics,
        chosen_space,
        resolution=resolution,
        accuracy_source=source,
    )
    cheap = [name for name in names if name not in pooled]
    if theirs and metrics is None:
        with render.listening() as listener:
            loaded = upstream.load_those_there(theirs, cheap, partial(load, listener=listener))
        there = {*pooled, *(metric.info.name for metric in loaded)}
        names = [name for name in names if name in there]
    else:
        with render.listening() as listener:
            loaded = load(cheap, listener=listener)
    if theirs:
        upstream.note_differences(theirs, names, source, sampler, is_selection=bool(blocks or all_blocks))
    pool: AccuracyPool | None = None
    if spec:
        from blockprof.evaluators.supernet import load_accuracy_pool

        with render.listening() as listener:
            pool = load_accuracy_pool(
                chosen_space,
                spec,
                resolution=resolution,
                num_networks=sizes[ACCURACY],
                seed=seed,
                listener=listener,
            )

    def measure_latency() -> "Surrogate":
        # Imported here: it brings ONNX Runtime, which no other metric needs.

        journal = pooling.journal_path(chosen_space, resolution, sizes[ORT_CPU], seed)
        if journal.exists():
            render.note(f"{journal}: resuming what was measured before; remove it to measure again")
        with render.listening() as listener:
            return pooling.measure_surrogate(
                chosen_space,
                resolution=resolution,
                num_networks=sizes[ORT_CPU],
                seed=seed,
                listener=listener,
            )

    def measure_accuracy(pool: "AccuracyPool") -> "Surrogate":
        supernet.note_kept(pool.metric, pool.archs)
        with render.listening() as listener:
            return pool.fit(listener)

    def compute() -> "Profile":
        by_name: dict[str, Metric | Surrogate] = {metric.info.name: metric for metric in loaded}
        if ORT_CPU in pooled:
            by_name[ORT_CPU] = measure_latency()
        if pool:
            by_name[ACCURACY] = measure_accuracy(pool)
        with render.listening() as listener:
            return api.profile(
                chosen_space,
                [by_name[name] for name in names],
                blocks=blocks or None,
                sampler=sampler,
                resolution=resolution,
                num_archs=None if pooled else num_archs,
                seed=seed,
                listener=listener,
            )

    if no_log:
        render.print_profile(compute())
        return
    from blockprof.output.runs.profiles import record_profile

    with tracking.start_run("profile", name=name, experiment=experiment, space=chosen_space.name) as run:
        result = compute()
        render.print_profile(result)
        record_profile(run, result)
    render.print_run(run.name, run.id)
