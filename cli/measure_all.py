"""What is behind ``blockprof measure --runtime all``."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from blockprof.api.measuring import MeasuredBlocks
from blockprof.cli import render
from blockprof.cli.wording import worded
from blockprof.evaluators.runtimes import find_runtime, runtime_names
from blockprof.foundation.errors import Argument, BlockprofError, InputError

if TYPE_CHECKING:
    from blockprof.evaluators.device import MeasureSpec
    from blockprof.evaluators.device.campaign import CampaignResult

COLUMNS = ("target", "networks", "median (ms)", "lowest (ms)", "highest (ms)", "rounds repeat to")


def measure_all(
    measure: "Callable[[MeasureSpec], CampaignResult | MeasuredBlocks]",
    plain: "MeasureSpec",
    precision: str,
    metric: str | None,
) -> None:
    """Measure with each run-time that is installed and has the precision, one at a time, and print one table.

    What fails costs one line, and the others go on.

    Raises:
        InputError: one metric's name for several of them, or none is installed.
        BlockprofError: some failed; the message names them. The others are in the table.
    """
    if metric is not None:
        raise InputError(
            "each run-time has a metric of its own", where=Argument("metric", metric), remedy="leave it out"
        )
    found = [find_runtime(name) for name in runtime_names()]
    for each in found:
        if each.missing:
            render.note(f"{each.title} is not installed: `{each.install}`")
    chosen = [each for each in found if not each.missing and precision in each.precisions]
    if not chosen:
        raise InputError(f"no run-time that is installed has {precision}", remedy="`blockprof doctor`")
    rows, failed = [], []
    for each in chosen:
        spec = replace(plain, runtime=each.name, precision=precision)
        try:
            rows.append(_row(measure(spec), spec.target_name))
        except BlockprofError as error:
            failed.append(spec.target_name)
            render.note(f"{spec.target_name} is left out: {worded(error)}")
    if rows:
        render.print_line("")
        render.print_table(COLUMNS, rows)
    if failed:
        raise BlockprofError(f"{', '.join(failed)} could not be measured: the notes above say why")


def _row(result: "CampaignResult | MeasuredBlocks", target: str) -> tuple[str, ...]:
    if isinstance(result, MeasuredBlocks):
        measured, latencies_ms = result.table.measured, result.table.network_ms
    else:
        measured, latencies_ms = result.measured, result.measured.latencies_ms
    lowest, middle, highest = (f"{value:.3g}" for value in np.quantile(latencies_ms, (0, 0.5, 1)))
    repeats = "" if measured.spec.rounds == 1 else f"{measured.repeatability_percent:.2f} %"
    return target, str(len(latencies_ms)), middle, lowest, highest, repeats
