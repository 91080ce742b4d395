"""``blockprof search``."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

import blockprof
from blockprof.cli import options
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof import reduction as reductions
    from blockprof.api import searching
    from blockprof.cli import render, render_search, supernet
    from blockprof.reduction import files
    from blockprof.searching import algorithm as algorithms
    from blockprof.searching.study import Study, StudyPlan
    from blockprof.spaces import Space
else:
    files = lazy_import("blockprof.reduction.files")
    render = lazy_import("blockprof.cli.render")
    render_search = lazy_import("blockprof.cli.render_search")
    searching = lazy_import("blockprof.api.searching")
    supernet = lazy_import("blockprof.cli.supernet")
    algorithms = lazy_import("blockprof.searching.algorithm")
    reductions = lazy_import("blockprof.reduction")


def _complete_reduction(ctx: typer.Context, incomplete: str) -> list[str]:
    try:
        space = options.load_space(ctx.params.get("space") or "")
    except InputError:
        return []
    return [name for name in (*reductions.preset_names(space), files.RANDOM) if name.startswith(incomplete)]


def _complete_limit(ctx: typer.Context, incomplete: str) -> list[str]:
    return [] if "=" in incomplete else [f"{name}=" for name in options.complete_metrics(ctx, incomplete)]


def _complete_algorithm(incomplete: str) -> list[str]:
    return [name for name in algorithms.ALGORITHMS.names() if name.startswith(incomplete)]


def search(
    space: options.SpaceOption,
    maximize: Annotated[
        list[str] | None,
        typer.Option(
            "--maximize",
            metavar="NAMES",
            help="Metrics to maximize, repeated or joined with commas; the names of profile --metrics. "
            "Two or more objectives in all: a Pareto front.",
            show_default="accuracy (resnet50: with --data), where no objective is given",
            autocompletion=options.complete_metrics,
        ),
    ] = None,
    minimize: Annotated[
        list[str] | None,
        typer.Option(
            "--minimize",
            metavar="NAMES",
            help="Metrics to minimize.",
            show_default="npu (resnet50: flops), where no objective is given",
            autocompletion=options.complete_metrics,
        ),
    ] = None,
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="NAME=VALUE",
            help="Limit on a metric, in its unit, such as npu=4.0: at most this, or at least this where higher is "
            "better. Repeated or joined with commas.",
            autocompletion=_complete_limit,
        ),
    ] = None,
    reduction: Annotated[
        str | None,
        typer.Option(
            "--reduction",
            metavar="NAME|FILE",
            help="Search only part of the space: one of the paper's, such as paper-npu; a YAML file, such as "
            "blockprof reduce writes; or random:NAME|FILE, a control that leaves out as much at random, drawn again "
            "for each seed.",
            show_default="the whole space",
            autocompletion=_complete_reduction,
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Search the whole space too, and report what the reduction gains.")
    ] = False,
    top_k: Annotated[
        int, typer.Option("--top-k", metavar="K", help="How many networks to find when there is one objective.")
    ] = 10,
    algorithm: Annotated[
        str,
        typer.Option(
            "--algorithm",
            metavar="NAME",
            help="evolution: the paper's unit-wise mutation; nsga2: pymoo's NSGA-II; exact: the true optimum, where "
            "every metric is a sum over blocks; random: no search, to compare with.",
            autocompletion=_complete_algorithm,
        ),
    ] = "evolution",
    initial: Annotated[
        int | None,
        typer.Option(
            "--initial", metavar="N", help="Random networks to start with.", show_default="100; one objective: 20"
        ),
    ] = None,
    generations: Annotated[
        int | None,
        typer.Option(
            "--generations",
            metavar="N",
            help="Generations after the initial networks.",
            show_default="10; one objective: 4",
        ),
    ] = None,
    children: Annotated[
        int | None,
        typer.Option(
            "--children", metavar="N", help="New networks per generation.", show_default="200; one objective: 50"
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds",
            metavar="N",
            min=1,
            help="Repeat the search with this many seeds, from --seed upwards, to get an interval.",
        ),
    ] = 1,
    verify: Annotated[
        int | None,
        typer.Option(
            "--verify",
            metavar="K",
            min=1,
            help="Measure K of the networks found, spread along the front, on this machine, and compare.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Search for the worst networks, where that is what the objectives ask for.")
    ] = False,
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
) -> "Study":
    """Find the best networks of a space: a Pareto front, or the best few in one metric within limits.

    Metrics come from where profile takes them: registered predictors, block tables, reference tables, 150 networks
    measured here for ort-cpu, OFA's supernet for accuracy with --data, where each network is evaluated once and kept.
    The output says which. With --reduction paper-npu --compare it also reports what the paper's reduced space gains. To
    resume an interrupted search, run the same command again.

    Example: blockprof search --space pn --maximize accuracy --minimize npu
    """
    chosen_space = options.load_space(space)
    raised, lowered = _names("--maximize", maximize, chosen_space), _names("--minimize", minimize, chosen_space)
    bounds = options.parse_limits(limits or [])
    source, spec = supernet.read_options(
        [*raised, *lowered, *bounds] or searching.DEFAULT_MAXIMIZE,
        accuracy_source,
        data,
        fast,
        device,
        batch_size,
        workers,
        strict,
    )
    with render.listening(
        partial(render_search.print_study, with_networks=no_log), partial(_check_plan, yes=yes)
    ) as listener:
        return blockprof.search(
            chosen_space,
            raised,
            lowered,
            limits=bounds,
            reduction=reduction,
            algorithm=algorithm,
            initial=initial,
            generations=generations,
            children=children,
            top_k=top_k,
            num_seeds=seeds,
            compares=compare,
            verify=verify,
            resolution=resolution,
            seed=seed,
            accuracy_source=source,
            supernet=spec,
            log=options.log_to(name, experiment, no_log),
            listener=listener,
        )


def _names(option: str, values: list[str] | None, space: "Space") -> list[str]:
    """The metrics' names; none where the option is not given."""
    if values is None:
        return []
    if not options.split_names(values):
        raise InputError(f"{option} is empty: name a metric, such as accuracy, or leave it out")
    return options.parse_metrics(values, space)


def _check_plan(plan: "StudyPlan", *, yes: bool) -> None:
    """Say on stderr which metrics are searched for against what is better, and what flops are.

    Raises:
        InputError: all of them are, which finds the worst networks, and not even that was confirmed.
    """
    objectives = plan.problem.objectives
    against = [one.metric.info for one in objectives if one.maximize != one.metric.info.higher_is_better]
    if len(against) == len(objectives) and not yes:
        turned = " ".join(f"--{'maximize' if one.higher_is_better else 'minimize'} {one.name}" for one in against)
        raise InputError(f"this finds the worst networks: write {turned}, or give --yes if you mean it")
    options.note_flops(plan.problem.names)
    for objective in objectives:
        info = objective.metric.info
        if info in against:
            asked, better = ("maximised", "lower") if objective.maximize else ("minimised", "higher")
            render.note(f"{info.name} is {asked}, as asked, though {better} is better")
