"""``blockprof fetch-data``."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.cli import options
from blockprof.cli.several_values import SPACES
from blockprof.foundation.errors import InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof import fetching, tracking
    from blockprof.cli import render
    from blockprof.fetching import FetchedFile, Source
    from blockprof.foundation import paths
    from blockprof.output.runs import fetches
    from blockprof.spaces import Space
else:
    fetches = lazy_import("blockprof.output.runs.fetches")
    fetching = lazy_import("blockprof.fetching")
    paths = lazy_import("blockprof.foundation.paths")
    render = lazy_import("blockprof.cli.render")
    tracking = lazy_import("blockprof.tracking")

REFERENCE = "reference"
REFERENCE_METRICS = ["npu"]
REFERENCE_NETS = 5000


def _complete_source(incomplete: str) -> list[str]:
    return [name for name in (REFERENCE, *fetching.load_sources()) if name.startswith(incomplete)]


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
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write to.", show_default="./blockprof-data"),
    ] = None,
    seed: options.SeedOption = 0,
    name: options.NameOption = None,
    experiment: options.ExperimentOption = None,
    no_log: options.NoLogOption = False,
) -> None:
    """Fetch latencies, look-up tables or trained weights into the data folder.

    With --source reference, seeded random networks get the latency of the built-in tables, with the tables' own error
    as noise: enough to try every command, and named reference wherever it shows. Published data is downloaded once,
    into the cache folder, checked, and resumed where a download broke off.

    Example: blockprof fetch-data --space pn --source reference --metrics npu
    """
    folder = out or paths.data_folder()
    published = fetching.load_sources().get(source)
    if show_list:
        if published:
            render.print_source(published, folder)
        elif source != REFERENCE:
            known = ", ".join(fetching.load_sources())
            raise InputError(f"--list: no published data is named '{source}': there are {known}")
        else:
            render.print_sources(list(fetching.load_sources().values()), folder)
        return
    chosen_space = options.load_space(space) if space else None
    params: dict[str, object] = {"out": folder}
    for option, given in (("--metrics", metrics), ("--num-nets", num_nets)):
        if given is not None and source != REFERENCE:
            raise InputError(f"{option} is for --source reference: leave it out with {source}")
    for option, value in (("--files", files), ("--mirror", mirror)):
        if value and not published:
            raise InputError(f"{option} is for published data: leave it out with {source}, or see --list")
    if sha256 and (published or source == REFERENCE):
        raise InputError(f"--sha256 is for a file or a URL: leave it out with --source {source}")
    if published:
        mirror = mirror or os.environ.get("BLOCKPROF_MIRROR")
        fetch, chosen_space = _published(published, chosen_space, files or [], folder, mirror)
        params |= {"mirror": mirror} if mirror else {}
    else:
        if chosen_space is None:
            raise InputError("Missing option '--space' / '-s': only published data may do without, see --list")
        if source == REFERENCE:
            names = options.parse_metrics(metrics or REFERENCE_METRICS, chosen_space)
            nets = REFERENCE_NETS if num_nets is None else num_nets
            params |= {"metrics": ",".join(names), "num_nets": nets, "seed": seed}
            fetch = partial(fetching.fetch_reference, chosen_space, names, folder, nets, seed)
        else:
            is_shown = sys.stderr.isatty()
            fetch = partial(fetching.fetch, source, folder, sha256=sha256, space=chosen_space, progress=is_shown)
    if not no_log:
        tracking.check_store(experiment)

    # What is wrong with local files is the user's to correct, before a run begins; a download may fail of itself.
    is_local = "://" not in source and not published
    fetched = fetch() if is_local or no_log else []
    if no_log:
        render.print_files(fetched)
        return

    run_space = chosen_space.name if chosen_space else None
    with tracking.start_run("fetch-data", name=name, experiment=experiment, space=run_space) as run:
        fetched = fetched or fetch()
        render.print_files(fetched)
        fetches.record_fetch(run, fetched, source, params)
    render.print_run(run.name, run.id)


def _published(
    source: "Source", space: "Space | None", names: list[str], folder: Path, mirror: str | None
) -> "tuple[Callable[[], list[FetchedFile]], Space | None]":
    """What fetches the chosen files, and the space they are of, None where they are of several."""
    chosen = source.select(options.split_names(names), space.name if space else None)
    spaces = {name for file in chosen for name in file.spaces}
    fetch = partial(fetching.fetch_published, source, chosen, folder, mirror=mirror, progress=sys.stderr.isatty())
    return fetch, space or (options.load_space(spaces.pop()) if len(spaces) == 1 else None)
