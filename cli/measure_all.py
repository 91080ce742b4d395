"""What is behind ``blockprof measure --runtime all``."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from blockprof.api.measuring import MeasuredBlocks
from blockprof.cli import render
from blockprof.cli.wording import worded
from blockprof.evaluators.runtimes import find_runtime, runtime_names
from blockprof.foundation.errors import Argument, BlockprofError, InputError
from blockprof.foundation.extras import check_extra

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.evaluators.device import MeasureSpec
    from blockprof.evaluators.device.campaign import CampaignResult


@dataclass(frozen=True, eq=False)
class MeasuredAll:
    """What was measured with each of several run-times."""

    results: "tuple[CampaignResult | MeasuredBlocks, ...]"

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of all, which say their run-time and precision."""
        import pandas as pd

        return pd.concat([result.to_pandas() for result in self.results], ignore_index=True)


COLUMNS = ("target", "networks", "median (ms)", "lowest (ms)", "highest (ms)", "rounds repeat to")


def measure_all(
    measure: "Callable[[MeasureSpec], CampaignResult | MeasuredBlocks]",
    plain: "MeasureSpec",
    precision: str,
    metric: str | None,
) -> MeasuredAll:
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
    check_extra("measure", "measuring")
    known = [find_runtime(name) for name in runtime_names()]
    for each in known:
        if each.missing:
            render.note(f"{each.title} is not installed: `{each.install}`")
    chosen = [each for each in known if not each.missing and precision in each.precisions]
    if not chosen:
        raise InputError(f"no run-time that is installed has {precision}", remedy="`blockprof doctor`")
    measured, rows, failed = [], [], []
    for each in chosen:
        spec = replace(plain, runtime=each.name, precision=precision)
        try:
            measured.append(measure(spec))
            rows.append(_row(measured[-1], spec.target_name))
        except BlockprofError as error:
            failed.append(spec.target_name)
            render.note(f"{spec.target_name} is left out: {worded(error)}")
    found = MeasuredAll(tuple(measured))
    if rows:
        render.give(found, lambda _: render.print_table(COLUMNS, rows))
    if failed:
        raise BlockprofError(f"{', '.join(failed)} could not be measured: the notes above say why")
    return found


def _row(result: "CampaignResult | MeasuredBlocks", target: str) -> tuple[str, ...]:
    if isinstance(result, MeasuredBlocks):
        measured, latencies_ms = result.table.measured, result.table.network_ms
    else:
        measured, latencies_ms = result.measured, result.measured.latencies_ms
    lowest, middle, highest = (f"{value:.3g}" for value in np.quantile(latencies_ms, (0, 0.5, 1)))
    repeats = "" if measured.spec.rounds == 1 else f"{measured.repeatability_percent:.2f} %"
    return target, str(len(latencies_ms)), middle, lowest, highest, repeats
