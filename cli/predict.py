"""``blockprof predict``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import delivery, options
from blockprof.foundation.files import temporary_folder
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import predicting
    from blockprof.api.predicting import Predictions
    from blockprof.cli import render, supernet
else:
    predicting = lazy_import("blockprof.api.predicting")
    render = lazy_import("blockprof.cli.render")
    supernet = lazy_import("blockprof.cli.supernet")

_STANDARD_INPUT = "-"


def predict(
    nets: Annotated[
        str,
        typer.Argument(
            metavar="NETS",
            help="A CSV with net_str (and resolution), a list with a net string a line, OFA's settings as JSON, a net "
            "string in quotes, or - for standard input.",
        ),
    ],
    space: options.SpaceOption,
    metrics: options.MetricsOption = None,
    resolution: Annotated[
        int | None,
        typer.Option(
            "--resolution", metavar="PIXELS", help="Input resolution.", show_default="each network's own, or 224"
        ),
    ] = None,
    seed: options.SeedOption = 0,
    accuracy_source: options.AccuracySourceOption = None,
    data: options.DataOption = None,
    fast: options.FastOption = False,
    device: options.DeviceOption = None,
    batch_size: options.BatchSizeOption = None,
    workers: options.WorkersOption = None,
    strict: options.StrictOption = False,
) -> "Predictions":
    """Say what metrics given networks have, with 90 % intervals where they are known.

    Without --out the table goes to standard output. A row a network: net_str, resolution, then <metric>,
    <metric>_lower and <metric>_upper, empty where there is no interval. Metrics come from where profile takes them;
    with --data each network is evaluated in OFA's supernet.

    Example: blockprof predict nets.csv --space pn --metrics npu -o out.csv
    """
    chosen_space = options.load_space(space)
    names = options.parse_metrics(metrics, chosen_space)
    source, spec = supernet.read_options(names, accuracy_source, data, fast, device, batch_size, workers, strict)
    with render.listening() as listener, temporary_folder() as folder:
        given: str | Path = nets
        if nets == _STANDARD_INPUT:
            given = folder / "standard-input"
            given.write_text(sys.stdin.read(), encoding="utf-8")
        found = predicting.predict(
            chosen_space,
            given,
            names,
            resolution=resolution,
            seed=seed,
            accuracy_source=source,
            supernet=spec,
            listener=listener,
        )
    render.give(found, _print)
    return found


def _print(found: "Predictions") -> None:
    """Print the table as CSV, unless it goes to a file."""
    if delivery.current().out is None:
        for line in found.to_pandas().to_csv(index=False).splitlines():
            render.out.print(line, soft_wrap=True)
