"""Logs of a measurement elsewhere: a row a visit of a network, in BlockProfile's layout, with what visits have beside.

Before it is measured, the plan is the same file without latencies: whatever times the networks goes through its rows,
and copies each, filled in, to the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.foundation.latencies import parse_decimal
from blockprof.latency_data.cells import Cells, first_cell
from blockprof.latency_data.layout import ANCHOR, COLUMNS, FILE, NET, ROUND, SPACE, STARTED, VISIT_COLUMNS
from blockprof.latency_data.problems import Problem, error_of
from blockprof.latency_data.reading import parse_rows
from blockprof.latency_data.table import LatencyData
from blockprof.latency_data.writing import UNIT, write_rows
from blockprof.spaces import Architectures, Space

PLAN_COLUMNS = (*COLUMNS, FILE, SPACE, *VISIT_COLUMNS)


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit to be made: of the network of that index, in a round (from 1), as the anchor or not."""

    network: int
    round: int
    anchor: bool


@dataclass(frozen=True, eq=False)
class VisitLog:
    """N visits in the order they were made: ``data`` has a row each, with the visit's latency.

    ``rounds`` is (N,), from 1; ``is_anchor`` is (N,); ``started_s`` is (N,), when each began, seconds since any moment.
    """

    data: LatencyData
    rounds: IntArray
    is_anchor: BoolArray
    started_s: FloatArray


def write_visit_plan(
    path: Path,
    archs: Architectures,
    resolutions: IntArray,
    device: str,
    files: Sequence[str],
    visits: Sequence[PlannedVisit],
) -> None:
    """Write the rows of a log that is to be filled in: latencies in ms, and when each visit began.

    Args:
        path: the file; one of that name is replaced in one step.
        archs: N networks.
        resolutions: (N,), pixels.
        device: what the log calls that which is measured.
        files: (N,), the name of each network's file.
        visits: in the order they are to be made.

    Raises:
        InputError: the file cannot be written there.
    """
    nets, sizes, space = archs.to_strings(), resolutions.tolist(), archs.space.name
    networks = [
        (number, net, device, size, UNIT, "", file, space)
        for number, (net, size, file) in enumerate(zip(nets, sizes, files, strict=True))
    ]
    write_rows(path, PLAN_COLUMNS, [(*networks[each.network], each.round, int(each.anchor), "") for each in visits])


def is_visit_log(content: bytes) -> bool:
    """Whether a file is in BlockProfile's layout, with what visits have beside."""
    return all(first_cell(content, column) for column in VISIT_COLUMNS)


def parse_visit_log(content: bytes, space: Space, origin: str) -> VisitLog:
    """Read a log; ``origin`` names it in messages.

    Raises:
        DataFileError: as for :func:`parse_latency_csv`, where a visit may repeat a network but not a round of it; or a
            round, an anchor's mark or a time that is none, or no visit but the anchor's.
    """
    cells, data, problems, _ = parse_rows(content, space, origin)
    rounds, anchors, started_s = (
        np.array([parse_decimal(text) for text in cells.columns[column]]) for column in VISIT_COLUMNS
    )
    problems += _unlike(cells, ROUND, (rounds >= 1) & (rounds % 1 == 0), "a round: write 1, 2, ...")
    problems += _unlike(cells, ANCHOR, np.isin(anchors, (0, 1)), "1 (of the anchor) or 0")
    problems += _unlike(cells, STARTED, np.isfinite(started_s), "a time in seconds")
    if not problems:
        problems = _repeated(cells, data, rounds, anchors == 1)
    if problems:
        raise error_of(problems, origin)
    return VisitLog(data, rounds.astype(np.int64), anchors == 1, started_s)


def _unlike(cells: Cells, column: str, is_right: BoolArray, right: str) -> list[Problem]:
    rows = zip(cells.lines, cells.columns[column], is_right.tolist(), strict=True)
    return [Problem(line, column, f"'{text}' is not {right}", "bad-visit") for line, text, fits in rows if not fits]


def _repeated(cells: Cells, data: LatencyData, rounds: FloatArray, is_anchor: BoolArray) -> list[Problem]:
    """Visits of a network, but for the anchor's, that the log has in the same round before."""
    seen: dict[tuple[int, int, float], int] = {}
    problems = []
    keys = zip(data.network_of.tolist(), data.resolutions.tolist(), rounds.tolist(), strict=True)
    for line, key, anchor in zip(cells.lines, keys, is_anchor.tolist(), strict=True):
        if not anchor and (first := seen.setdefault(key, line)) != line:
            text = f"repeats row {first}: the same network in the same round"
            problems.append(Problem(line, NET, text, "repeated-visit", "remove one of them"))
    return problems
