"""``blockprof fetch-data``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options

REFERENCE = "reference"
REFERENCE_METRICS = ["npu"]
REFERENCE_NETS = 5000


def fetch_data(
    space: options.SpaceOption,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="SOURCE",
            help="reference (the built-in tables), a local file or folder, or a URL (with --sha256).",
        ),
    ] = REFERENCE,
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
        str | None, typer.Option("--sha256", metavar="DIGITS", help="Checksum that the file must have.")
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
    """Bring latencies of measured networks, or look-up tables, into the data folder.

    With --source reference, seeded random networks get the latency of the built-in tables, with the tables' own error
    as noise: enough to try every command, and named reference wherever it shows.

    Example: blockprof fetch-data --space pn --source reference --metrics npu
    """
    from blockprof import fetching, tracking
    from blockprof.cli import render
    from blockprof.errors import InputError
    from blockprof.paths import data_folder

    chosen_space = options.load_space(space)
    folder = out or data_folder()
    params: dict[str, object] = {"out": folder}
    if source == REFERENCE:
        if sha256:
            raise InputError("--sha256 is for a file or a URL: leave it out with --source reference")
        names = options.parse_metrics(metrics or REFERENCE_METRICS, chosen_space)
        nets = REFERENCE_NETS if num_nets is None else num_nets
        params |= {"metrics": ",".join(names), "num_nets": nets, "seed": seed}
    for option, given in (("--metrics", metrics), ("--num-nets", num_nets)):
        if given is not None and source != REFERENCE:
            raise InputError(f"{option} is for --source reference: leave it out with {source}")
    if not no_log:
        tracking.check_store(experiment)

    def fetch() -> list[fetching.FetchedFile]:
        if source == REFERENCE:
            return fetching.fetch_reference(chosen_space, names, folder, nets, seed)
        # A folder may hold files of several spaces; each then tells its own.
        expected = None if Path(source).is_dir() else chosen_space
        return fetching.fetch(source, folder, sha256=sha256, space=expected, progress=sys.stderr.isatty())

    # What is wrong with local files is the user's to correct, before a run begins; a download may fail of itself.
    is_local = "://" not in source
    files = fetch() if is_local or no_log else []
    if no_log:
        render.print_files(files)
        return
    from blockprof import recording

    with tracking.start_run("fetch-data", name=name, experiment=experiment, space=chosen_space.name) as run:
        files = files or fetch()
        recording.record_fetch(run, files, source, params)
    render.print_files(files)
    render.print_run(run.name, run.id)
