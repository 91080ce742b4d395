"""Options that several commands share, with what the shell completes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.errors import InputError

if TYPE_CHECKING:
    from blockprof.spaces import Space


def _complete_space(incomplete: str) -> list[str]:
    from blockprof.spaces import SPACES

    return [name for name in SPACES if name.startswith(incomplete)]


def _complete_metrics(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    from blockprof.metrics import BUILT_IN

    given, _, last = incomplete.rpartition(",")
    prefix = f"{given}," if given else ""
    space = ctx.params.get("space")
    names = {*BUILT_IN, *(_registered(space) if space else ())}
    yield from (f"{prefix}{name}" for name in sorted(names) if name.startswith(last))


def _registered(space: str) -> list[str]:
    from blockprof.tracking import list_predictors

    return list_predictors(space)


def _complete_sampler(incomplete: str) -> list[str]:
    from blockprof.sampling import SAMPLERS

    return [name for name in SAMPLERS if name.startswith(incomplete)]


SpaceOption = Annotated[
    str, typer.Option("--space", "-s", help="Design space: pn or mbv3.", autocompletion=_complete_space)
]
MetricsOption = Annotated[
    list[str],
    typer.Option(
        "--metrics",
        "-m",
        help="Metrics, repeated or joined with commas: npu, gpu, cpu, accuracy, macs, flops, params, note10, "
        "or one of a predictor you trained.",
        autocompletion=_complete_metrics,
    ),
]
SamplerOption = Annotated[
    str,
    typer.Option(
        "--sampler",
        help="paper: every network holds the placement; upstream: as the code released with the paper.",
        autocompletion=_complete_sampler,
    ),
]
ResolutionOption = Annotated[int, typer.Option("--resolution", help="Input resolution, in pixels.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of all that is random.")]
NameOption = Annotated[str | None, typer.Option("--name", "--save", help="Name of the MLflow run.")]
ExperimentOption = Annotated[
    str | None,
    typer.Option("--experiment", help="MLflow experiment.  [default: blockprof]", show_default=False),
]
NoLogOption = Annotated[bool, typer.Option("--no-log", help="Log nothing to MLflow.")]


def split_names(values: list[str]) -> list[str]:
    """Split repeated and comma-separated names, keeping the first of each."""
    names = [name.strip() for value in values for name in value.split(",")]
    return list(dict.fromkeys(name for name in names if name))


UPSTREAM_METRICS = ("accuracy", "flops", "gpu", "cpu", "npu")
"""BlockProfile numbered its metrics in this order."""


def parse_metrics(values: list[str]) -> list[str]:
    """Read the metrics' names.

    Raises:
        InputError: none, or one of BlockProfile's numbers, with the name to use.
    """
    names = split_names(values)
    if not names:
        raise InputError("--metrics is empty: name at least one, such as npu")
    for name in names:
        if name.isdigit():
            number = int(name)
            hint = f"use {UPSTREAM_METRICS[number]}" if number < len(UPSTREAM_METRICS) else "use its name"
            raise InputError(f"metric '{name}': metrics are given by name, not by number: {hint}")
    return names


def load_space(name: str) -> "Space":
    """Return the space, by its name or BlockProfile's."""
    from blockprof.spaces import load_space as load

    return load(name)
