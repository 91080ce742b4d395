"""``blockprof fetch-data``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.api.defaults import REFERENCE, REFERENCE_METRICS, REFERENCE_NETS
from blockprof.cli import options
from blockprof.cli.results import TABLE_TOO
from blockprof.cli.several_values import SPACES
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api import fetching
    from blockprof.api.fetching import Fetched
    from blockprof.cli import render
    from blockprof.fetching import catalogue, published
    from blockprof.fetching.published import Catalogue
    from blockprof.foundation import paths
else:
    catalogue = lazy_import("blockprof.fetching.catalogue")
    fetching = lazy_import("blockprof.api.fetching")
    paths = lazy_import("blockprof.foundation.paths")
    published = lazy_import("blockprof.fetching.published")
    render = lazy_import("blockprof.cli.render")


def _complete_source(incomplete: str) -> list[str]:
    return [name for name in (REFERENCE, *catalogue.load_sources()) if name.startswith(incomplete)]


def fetch_data(
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            "-s",
            metavar="NAME",
            help=f"Design space: {SPACES}. Published data may do without: all its files are fetched.",
            autocompletion=options.complete_space,
        ),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="SOURCE",
            help="reference (the built-in tables), published data by its name (--list shows them), a local file or "
            "folder, or a URL (with --sha256).",
            autocompletion=_complete_source,
        ),
    ] = REFERENCE,
    show_list: Annotated[
        bool, typer.Option("--list", help="Show the published data, or with --source its files, and what is here.")
    ] = False,
    files: Annotated[
        list[str] | None,
        typer.Option("--files", metavar="NAMES", help="Published files to fetch.", show_default="all of the source"),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            "--mirror",
            metavar="URL|FOLDER",
            help="Fetch from this mirror, which holds published files by name. Also set by BLOCKPROF_MIRROR.",
        ),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            "-m",
            metavar="NAMES",
            help="Reference tables to write networks for: npu, gpu, cpu.",
            show_default=",".join(REFERENCE_METRICS),
        ),
    ] = None,
    num_nets: Annotated[
        int | None,
        typer.Option(
            "--num-nets", "-n", metavar="N", help="Reference networks to write.", show_default=f"{REFERENCE_NETS}"
        ),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="DIGITS", help="Expected checksum of the file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help=f"Folder to write to. {TABLE_TOO}", show_default="./blockprof-data"
        ),
    ] = None,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> "Fetched | Catalogue":
    """Fetch latencies, look-up tables or trained weights into the data folder.

    With --source reference, seeded random networks get the latency of the built-in tables, with the tables' own error
    as noise: enough to try every command, and named reference wherever it shows. Published data is downloaded once,
    into the cache folder, checked, and resumed where a download broke off.

    Example: blockprof fetch-data --space pn --source reference --metrics npu
    """
    if show_list:
        return _list(source, out or paths.data_folder())
    chosen_space = options.load_space(space) if space else None
    how = fetching.Fetching(
        metrics=options.parse_metrics(metrics, chosen_space) if metrics and chosen_space else metrics,
        num_nets=num_nets,
        files=options.split_names(files or []),
        mirror=mirror,
        sha256=sha256,
        seed=seed,
        progress=sys.stderr.isatty(),
    )
    with render.listening(render.print_files) as listener:
        return fetching.fetch_data(
            source, chosen_space, how, out=out, log=options.log_to(name, experiment, no_log), listener=listener
        )


def _list(source: str, folder: Path) -> "Catalogue":
    """Print what published data there is, or which files one of it has.

    Raises:
        InputError: there is none of that name.
    """
    sources = catalogue.load_sources()
    if source != REFERENCE and source not in sources:
        raise InputError(f"--list: no published data is named '{source}': there are {', '.join(sources)}")
    found = published.Catalogue(tuple(sources.values()) if source == REFERENCE else (sources[source],), folder)
    render.give(found, render.print_source if source in sources else render.print_sources)
    return found
