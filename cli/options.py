"""Options that several commands share, with what the shell completes."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli.several_values import SPACES
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blockprof import metrics, predictors, spaces, tracking
    from blockprof.cli import render
    from blockprof.foundation import torch_device
    from blockprof.predictors import TrainingOptions
    from blockprof.spaces import Space, sampling
    from blockprof.tracking import log
    from blockprof.tracking.log import Tracker
else:
    log = lazy_import("blockprof.tracking.log")
    metrics = lazy_import("blockprof.metrics")
    predictors = lazy_import("blockprof.predictors")
    render = lazy_import("blockprof.cli.render")
    sampling = lazy_import("blockprof.spaces.sampling")
    spaces = lazy_import("blockprof.spaces")
    torch_device = lazy_import("blockprof.foundation.torch_device")
    tracking = lazy_import("blockprof.tracking")


LATENCY_FILES = "ofa_<space>_<metric>_lat_data.csv, else ofa_<space>_<metric>_reference.csv, in ./blockprof-data"


def complete_space(incomplete: str) -> list[str]:
    """The names of spaces that begin so."""
    return [name for name in spaces.space_names() if name.startswith(incomplete)]


def complete_metrics(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The names of metrics that begin so, after those that are joined with commas already."""
    given, _, last = incomplete.rpartition(",")
    prefix = f"{given}," if given else ""
    names = {*_metrics(ctx.params.get("space") or "")} - {*given.split(",")}
    yield from (f"{prefix}{name}" for name in sorted(names) if name.startswith(last))


def _metrics(space_name: str) -> list[str]:
    """Those that a space has, its block tables and registered predictors too; all built-in ones without a space."""
    names: list[str] = []
    try:
        space = load_space(space_name)
        names.extend(
            (*metrics.metrics_of(space), *metrics.list_block_tables(space), *metrics.list_lookup_tables(space))
        )
        names.extend(tracking.list_predictors(space.name))
    except BlockprofError:  # no such space, or a store that does not answer: nothing to add, and no place to say so
        pass
    return names or list(metrics.all_metrics())


def _complete_sampler(incomplete: str) -> list[str]:
    return [name for name in sampling.SAMPLERS if name.startswith(incomplete)]


def _complete_accuracy_source(incomplete: str) -> list[str]:
    return [name for name in metrics.ACCURACY_SOURCES if name.startswith(incomplete)]


SpaceOption = Annotated[
    str,
    typer.Option("--space", "-s", metavar="NAME", help=f"Design space: {SPACES}.", autocompletion=complete_space),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        "-m",
        metavar="NAMES",
        help="Metrics, repeated, several at once, or joined with commas: npu, gpu, cpu, accuracy, macs, conv_macs, "
        "flops, params, peak_memory, weights, note10, i7-8700k, one of a predictor you trained or of your own look-up "
        "tables, or ort-cpu, measured on this machine with ONNX Runtime.",
        show_default="npu; resnet50: flops",
        autocompletion=complete_metrics,
    ),
]
SamplerOption = Annotated[
    str,
    typer.Option(
        "--sampler",
        metavar="NAME",
        help="paper: every network holds the placement; upstream: as the code released with the paper, whose Figs. 2 "
        "and 3 come from it; upstream-fig4: as a line commented out in it, from which Fig. 4 (resnet50) comes.",
        autocompletion=_complete_sampler,
    ),
]
ResolutionOption = Annotated[int, typer.Option("--resolution", metavar="PIXELS", help="Input resolution.")]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed for everything random.")]
NameOption = Annotated[str | None, typer.Option("--name", "--save", metavar="NAME", help="Name of the MLflow run.")]
ExperimentOption = Annotated[
    str | None,
    typer.Option("--experiment", metavar="NAME", help="MLflow experiment; blockprof by default.", show_default=False),
]
NoLogOption = Annotated[bool, typer.Option("--no-log", help="Log nothing to MLflow.")]
AccuracySourceOption = Annotated[
    str | None,
    typer.Option(
        "--accuracy-source",
        metavar="NAME",
        help="Where accuracy comes from: supernet (networks evaluated on ImageNet), ofa-predictor (OFA's, mbv3 only) "
        "or reference.",
        show_default="supernet with --data or --fast, else reference",
        autocompletion=_complete_accuracy_source,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="ImageNet folder, with train and val, to evaluate accuracy on.",
        show_default=False,
    ),
]
FastOption = Annotated[
    bool,
    typer.Option("--fast", help="Read the images from the cache that cache-imagenet wrote; --data is then optional."),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        "-d",
        metavar="NAME",
        help="torch device that runs the networks, such as cuda:0.",
        show_default="cpu",
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option("--batch-size", metavar="N", min=1, help="Images per batch.", show_default="100"),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=0, help="Extra processes that decode images.", show_default="0"),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Stop at an image that cannot be decoded, instead of skipping it.")
]


def log_to(name: str | None, experiment: str | None, no_log: bool) -> "Tracker":
    """Where a command logs, as it is asked."""
    return log.NOT_LOGGED if no_log else log.Log(name, experiment)


BatchesOption = Annotated[
    str,
    typer.Option(
        "--batch",
        metavar="N",
        help="Images at once, or several numbers joined with commas: a metric each, whose name ends in -b32 with 32. "
        "Latencies are of the whole batch.",
    ),
]
_BATCH = re.compile(r"[1-9][0-9]{0,5}")
_TORCH_DEVICE = re.compile(r"(cpu|cuda|mps|xpu)(:\d+)?")


def load_space(name: str) -> "Space":
    """Return the space, by its name or BlockProfile's.

    Raises:
        InputError: there is none of that name.
    """
    return spaces.load_space(name)


def split_names(values: list[str]) -> list[str]:
    """Split repeated and comma-separated names, keeping the first of each."""
    names = [name.strip() for value in values for name in value.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def parse_metrics(values: list[str] | None, space: "Space", *, numbered: bool = False) -> list[str]:
    """Read the metrics' names; the space's default where the option is not given.

    Args:
        values: what the option says.
        space: the design space.
        numbered: whether BlockProfile's numbers may stand for names, as in what it was asked with.

    Raises:
        InputError: none, a number that BlockProfile did not have, or one where names are asked for.
    """
    if values is None:
        return [metrics.default_metric(space)]
    names = split_names([_metric_name(name, space, numbered) for name in split_names(values)])
    if not names:
        raise InputError("--metrics is empty: name at least one, such as npu")
    return names


def parse_limits(values: list[str]) -> dict[str, float]:
    """Read limits such as ``npu=4.0``.

    Raises:
        InputError: one that is no name and number, or two of one metric.
    """
    bounds: dict[str, float] = {}
    for text in split_names(values):
        name, _, number = (part.strip() for part in text.partition("="))
        try:
            bound = float(number)
        except ValueError:
            bound = math.nan
        if not name or not math.isfinite(bound):
            raise InputError(f"--limit '{text}': write a metric and a number, such as npu=4.0")
        if name in bounds:
            raise InputError(f"{name} has two limits: give one")
        bounds[name] = bound
    return bounds


def note_flops(names: "Sequence[str]") -> None:
    """Say on stderr what flops are, where they are among the metrics: OFA's papers mean multiply-adds by that."""
    if "flops" in names:
        render.note(
            "flops are 2 x MACs, in millions; OFA's papers call multiply-adds FLOPs, which here are macs (or "
            "conv_macs): their 600 M FLOPs are macs=600e6, flops=1200"
        )


def _metric_name(text: str, space: "Space", numbered: bool) -> str:
    if not text.isdecimal():
        return text
    known = space.assets.numbered_metrics
    if int(text) >= len(known):
        there = ", ".join(f"{number} {name}" for number, name in enumerate(known))
        raise InputError(f"metric '{text}': BlockProfile numbered {there}: give one of these, or a name")
    if not numbered:
        raise InputError(f"metric '{text}': metrics are given by name, not by number: use {known[int(text)]}")
    return known[int(text)]


def parse_batch(text: str) -> int | None:
    """Read a number of images, None for ``dynamic``.

    Raises:
        InputError: neither.
    """
    if text == "dynamic":
        return None
    if not _BATCH.fullmatch(text):
        raise InputError(f"--batch '{text}': write a number from 1 to 999999, or dynamic")
    return int(text)


def parse_batches(text: str) -> list[int]:
    """Read numbers of images at once, joined with commas, each once.

    Raises:
        InputError: none, or what is no such number.
    """
    for one in (texts := split_names([text])) or [""]:
        if not _BATCH.fullmatch(one):
            raise InputError(f"--batch '{one}': write a number from 1 to 999999, or several joined with commas")
    return list(dict.fromkeys(map(int, texts)))


def training_options(
    model: str, fast: bool, epochs: int | None, patience: int | None, device: str | None
) -> "TrainingOptions":
    """How to train a predictor of the kind ``model``.

    Raises:
        InputError: another kind, an option that it does not have, or a device that torch does not have.
    """
    given = predictors.TrainingOptions(fast, epochs, patience, device)
    predictors.check_options(model, given)
    if device:
        torch_device.find_device(device)
    return given


def check_device(name: str | None) -> None:
    """Refuse what is no name of a torch device, before anything is loaded.

    Raises:
        InputError: it is none.
    """
    if name is not None and not _TORCH_DEVICE.fullmatch(name):
        raise InputError(f"--device '{name}': write a torch device, such as cpu or cuda:0")
