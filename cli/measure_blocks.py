"""What is behind ``blockprof measure --blocks``."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blockprof.evaluators.device import BlockTable, MeasureSpec
    from blockprof.spaces import Space


def measure_blocks(
    space: "Space",
    metric: str,
    resolution: int,
    spec: "MeasureSpec",
    folder: Path,
    *,
    name: str | None = None,
    experiment: str | None = None,
    no_log: bool = False,
    fresh: bool = False,
) -> None:
    """Measure a block table, write it into ``folder`` under the metric's name, log it and print it.

    The journal is beside the table. With ``fresh`` both are set aside as ``*.old`` first.

    Raises:
        InputError, BlockprofError: as for ``measure_block_table``; or the files cannot be written.
    """
    from blockprof import tracking
    from blockprof.cli import render, render_measuring
    from blockprof.evaluators.device import check_block_journal, measure_block_table
    from blockprof.evaluators.device.campaign import set_aside
    from blockprof.foundation.errors import InputError
    from blockprof.metrics.block_table import block_table_name
    from blockprof.spaces.resolution import check_resolution

    path = folder / block_table_name(space, metric, resolution)
    journal = path.with_suffix(".journal.jsonl")
    check_resolution(space, resolution)
    spec.find_runtime()
    if not no_log:
        tracking.check_store(experiment)
        if metric in tracking.list_predictors(space.name):
            render.note(
                f"{space.name} has a registered predictor '{metric}', which profile uses before this table: choose "
                "another --metric to have both"
            )
    if fresh:
        set_aside(path, journal)
    elif path.exists() and not journal.exists():
        raise InputError(
            f"{path}: another table of that name is there: give another --metric or --out, or --fresh, which keeps it "
            f"as {path.name}.old"
        )
    check_block_journal(space, resolution, journal, spec)

    if crowding := render_measuring.describe_crowding(spec.threads):
        render.note(crowding)

    def measure() -> "tuple[BlockTable, float]":
        start = time.perf_counter()
        with render.listening() as listener:
            table = measure_block_table(space, resolution, journal, spec, listener=listener)
        table.write(path)
        return table, time.perf_counter() - start

    if no_log:
        table, seconds = measure()
        _print(table, seconds, metric, [path, journal])
        return
    from blockprof.output.runs.block_tables import record_block_table

    with tracking.start_run("measure", name=name, experiment=experiment, space=space.name) as run:
        table, seconds = measure()
        _print(table, seconds, metric, [path, journal])
        record_block_table(run, table, {"metric": metric, "blocks": True, "out": path}, seconds)
    render.print_run(run.name, run.id)


def _print(table: "BlockTable", seconds: float, metric: str, files: list[Path]) -> None:
    from blockprof.cli import render
    from blockprof.cli.render_measuring import describe_drift
    from blockprof.foundation.paths import data_folder

    measured, costs = table.measured, table.costs
    render.print_line(
        f"{len(table.pieces)} pieces and {len(table.networks)} whole networks of {table.space.title} "
        f"({table.space.name}) at resolution {table.resolution}, on {costs.device}, in {seconds:.0f} s"
    )
    repeats = "" if measured.spec.rounds == 1 else f"rounds repeat to {measured.repeatability_percent:.2f} %, "
    render.print_line(f"{repeats}{measured.num_noisy} noisy measurements, {describe_drift(measured.drift)}")
    for what, scores in (
        ("sums of pieces", table.raw_scores),
        (f"sums times {costs.scale:.3f} (each network by the others' factor)", table.scaled_scores),
    ):
        render.print_line(
            f"{what} against whole networks: MAPE {scores.mape_percent:.2f} %, ratio {scores.bias:.3f}, "
            f"Spearman {scores.spearman:.3f}"
        )
    render.print_paths(files)
    where = "" if files[0].parent == data_folder() else f"BLOCKPROF_DATA={files[0].parent} "
    profile = f"blockprof profile --space {table.space.name} --metrics {metric} --resolution {table.resolution}"
    render.print_line(f"next: {where}{profile}")
