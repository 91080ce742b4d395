"""``blockprof.measure``: networks, or all blocks of a space, measured on this machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof import fetching
from blockprof.api.choosing import Networks
from blockprof.api.defaults import BLOCKS_SUFFIX, METRIC, RESOLUTION
from blockprof.api.latencies import check_latency_name
from blockprof.evaluators.device import BlockTable, MeasureSpec, check_block_journal, measure_block_table
from blockprof.evaluators.device.boards.board import Board
from blockprof.evaluators.device.campaign import CampaignResult, measured_sizes, plan_campaign, set_aside
from blockprof.foundation.display import Picture, as_html, plot
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.extras import check_extra
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.metrics.block_table import block_table_name
from blockprof.spaces import Space, load_space
from blockprof.spaces.resolution import check_resolution
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.output.runs import block_tables, measurements
    from blockprof.tracking import Run
else:
    block_tables = lazy_import("blockprof.output.runs.block_tables")
    measurements = lazy_import("blockprof.output.runs.measurements")


def measure(
    space: Space | str,
    metric: str = METRIC,
    *,
    networks: Networks | None = None,
    spec: MeasureSpec | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    board: Board | None = None,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> CampaignResult:
    """Measure networks with ONNX Runtime or another run-time, here or on a board, for :func:`blockprof.train`.

    Writes ``ofa_<space>_<metric>_lat_data.csv``, where ``train`` looks for it; beside it a record of each network and a
    journal of all times. After an interruption the same call resumes, and with more networks what was measured is kept.

    Args:
        space: a space, or its name.
        metric: the name of this device's latency in ``train`` and ``profile``.
        networks: which networks; the defaults where None.
        spec: how to measure; the defaults where None. Its seed also chooses the networks.
        out: folder to write to; the data folder where None.
        fresh: measure everything again; what is there is kept as ``*.old``.
        board: where the networks are measured, reached by ssh; this machine where None.
        log: where it is logged.
        listener: told of the ``Campaign`` that is planned, of progress, and of the result before it is logged.

    Raises:
        InputError, MetricError, DataFileError, BlockprofError: as for ``plan_campaign`` and ``Campaign.run``.
        TrackingError: the MLflow store does not answer.
    """
    chosen_space, networks, spec = _asked(space, networks, spec)
    check_latency_name(chosen_space, metric)
    file = _folder(out) / fetching.latency_file_name(chosen_space, metric)
    there = () if fresh or networks.nets else measured_sizes(file)
    archs, resolutions, chosen = networks.choose(chosen_space, spec.seed, listener, there)
    campaign = plan_campaign(archs, resolutions, file, spec, fresh=fresh, board=board)
    log.check()
    listener.on_plan(campaign)
    with log.run("measure", chosen_space.name, listener, metric) as record:
        result = campaign.run(listener)
        listener.on_result(result)
        record(lambda run: _record(run, result, {"metric": metric, **chosen}))
    return result


@dataclass(frozen=True, eq=False)
class MeasuredBlocks:
    """A block table, the seconds that measuring took, and its files: the table and the journal."""

    metric: str
    table: BlockTable
    seconds: float
    files: tuple[Path, Path]

    def __repr__(self) -> str:
        table = self.table
        return f"<MeasuredBlocks: {len(table.pieces)} pieces of {table.space.name}, measured on {table.costs.device}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    def to_pandas(self) -> "pd.DataFrame":
        """One row a piece, as ``BlockTable.to_frame``."""
        return self.table.to_frame()

    def plot(self, what: str | None = None) -> Picture:
        """The sums of pieces against whole networks, ``sums``.

        Raises:
            InputError: there is no such picture.
        """
        return plot(self.table, what)


def measure_blocks(
    space: Space | str,
    metric: str = METRIC + BLOCKS_SUFFIX,
    *,
    networks: Networks | None = None,
    spec: MeasureSpec | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    board: Board | None = None,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> MeasuredBlocks:
    """Measure every block of a space by itself, and 20 whole networks that judge the sums: a block table.

    It is written where ``profile`` finds it as a metric: ``ofa_<space>_<metric>_r<resolution>_block_table.csv`` and its
    journal, from which the same call resumes.

    Args:
        space: a space, or its name.
        metric: the name of this device's latency in ``profile``.
        networks: its one resolution; 224 where None.
        spec: how to measure; the defaults where None.
        out: folder to write to; the data folder where None.
        fresh: measure everything again; what is there is kept as ``*.old``.
        board: where the networks are measured, reached by ssh; this machine where None.
        log: where it is logged.
        listener: told of the ``MeasureSpec`` that is planned, of progress, and of the result before it is logged.

    Raises:
        InputError, MetricError, DataFileError, BlockprofError: as for ``measure_block_table``; or the files cannot be
            written.
        TrackingError: the MLflow store does not answer.
    """
    chosen_space, networks, spec = _asked(space, networks, spec)
    check_latency_name(chosen_space, metric)
    networks.refuse(Said("{} measures all blocks", Argument("blocks")), "num_nets", "design", "nets")
    resolution, *others = networks.resolutions or [RESOLUTION]
    if others:
        raise InputError("a block table is of one resolution: give one, and run the command again for another")
    check_resolution(chosen_space, resolution)
    spec.find_runtime(here=board is None)
    path = _folder(out) / block_table_name(chosen_space, metric, resolution)
    journal = path.with_suffix(".journal.jsonl")
    log.check()
    _note_predictor(metric, log.list_predictors(chosen_space.name), chosen_space, listener)
    _make_way(path, journal, fresh=fresh)
    check_block_journal(chosen_space, resolution, journal, spec, board=board)
    listener.on_plan(spec)
    with log.run("measure", chosen_space.name, listener, metric) as record:
        start = time.perf_counter()
        table = measure_block_table(chosen_space, resolution, journal, spec, listener=listener, board=board)
        table.write(path)
        result = MeasuredBlocks(metric, table, time.perf_counter() - start, (path, journal))
        listener.on_result(result)
        record(lambda run: _record_blocks(run, result))
    return result


def _asked(
    space: Space | str, networks: Networks | None, spec: MeasureSpec | None
) -> tuple[Space, Networks, MeasureSpec]:
    check_extra("measure", "measuring")
    return load_space(space) if isinstance(space, str) else space, networks or Networks(), spec or MeasureSpec()


def _folder(out: str | Path | None) -> Path:
    return data_folder() if out is None else Path(out)


def _make_way(path: Path, journal: Path, *, fresh: bool) -> None:
    if fresh:
        set_aside(path, journal)
    elif path.exists() and not journal.exists():
        raise InputError(
            "another table of that name is there",
            where=path,
            remedy=Said(
                "give another {} or {}, or {}, which keeps it as {}",
                Argument("metric"),
                Argument("out"),
                Argument("fresh", True),
                f"{path.name}.old",
            ),
        )


def _note_predictor(metric: str, registered: Sequence[str], space: Space, listener: Listener) -> None:
    if metric in registered:
        listener.on_note(
            f"{space.name} has a registered predictor '{metric}', which profile uses before this table: choose another "
            "metric's name to have both"
        )


def _record(run: "Run", result: CampaignResult, params: dict[str, object]) -> None:
    measurements.record_measurement(run, result, params)


def _record_blocks(run: "Run", result: MeasuredBlocks) -> None:
    params = {"metric": result.metric, "blocks": True, "out": result.files[0]}
    block_tables.record_block_table(run, result.table, params, result.seconds)
