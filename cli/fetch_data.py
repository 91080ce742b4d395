"""``blockprof fetch-data``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from blockprof.cli import options


def fetch_data(
    space: options.SpaceOption,
    source: Annotated[
        str,
        typer.Option(
            "--source", help="reference (the built-in tables), a local file or folder, or a URL (with --sha256)."
        ),
    ] = "reference",
    metrics: Annotated[
        list[str],
        typer.Option("--metrics", "-m", help="Reference tables to write networks for: npu, gpu, cpu."),
    ] = ["npu"],  # noqa: B006
    num_nets: Annotated[int, typer.Option("--num-nets", "-n", help="Reference networks to write.")] = 5000,
    sha256: Annotated[str | None, typer.Option("--sha256", help="Checksum that the file must have.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write to.  [default: ./blockprof-data]", show_default=False),
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
    if source == "reference" and sha256:
        raise InputError("--sha256 is for a file or a URL: leave it out with --source reference")
    params: dict[str, object] = {"out": folder}
    if source == "reference":
        params |= {"metrics": ",".join(metrics), "num_nets": num_nets, "seed": seed}
    if not no_log:
        tracking.check_store(experiment)

    def fetch() -> list[fetching.FetchedFile]:
        if source == "reference":
            return fetching.fetch_reference(chosen_space, options.parse_metrics(metrics), folder, num_nets, seed)
        return fetching.fetch(source, folder, sha256=sha256, progress=sys.stderr.isatty())

    if no_log:
        render.print_files(fetch())
        return
    from blockprof import recording

    with tracking.start_run("fetch-data", name=name, experiment=experiment, space=chosen_space.name) as run:
        files = fetch()
        recording.record_fetch(run, files, source, params)
    render.print_files(files)
    render.print_run(run.name, run.id)
