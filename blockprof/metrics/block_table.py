"""Block tables: a device's latency of every piece of a space, measured by blockprof, as files and as metrics.

A file ``ofa_<space>_<metric>_r<resolution>_block_table.csv`` in the data folder has a row a piece. ``cost_ms`` is what
the piece takes as a model of its own. Sums of these are off by a factor that is much the same for all networks of a
space: alone, a piece keeps its weights in the processor's caches, but pays for a session of its own. ``scale`` is that
factor, from whole networks measured along with the pieces; the metric is the sums times it.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blockprof.foundation.errors import DataFileError, MetricError, Place
from blockprof.foundation.latencies import check_latency, check_positive
from blockprof.foundation.paths import data_folder
from blockprof.metrics.metric import AdditiveMetric, MetricInfo
from blockprof.spaces import Space, load_space, space_names

REQUIRED_COLUMNS = ("piece", "cost_ms", "space", "resolution", "scale", "device", "version")
"""Those that the metric is read from. All but the first two say the same in every row."""

_OLD_COLUMNS = {"onnxruntime": "version"}

_END = "_block_table.csv"
_REST = re.compile(rf"(?P<metric>.+)_r(?P<size>[1-9][0-9]{{0,3}}){re.escape(_END)}")
_NAME = re.compile(f"ofa_.+?_{_REST.pattern}")


@dataclass(frozen=True)
class BlockCosts:
    """A device's costs of the pieces of ``space`` at ``resolution``.

    ``costs_ms`` has each piece by name, as it was measured; ``scale`` makes sums of them latencies of whole networks.
    ``device`` and ``version`` (of the run-time) are what they were measured with.
    """

    space: Space
    resolution: int
    costs_ms: Mapping[str, float]
    scale: float
    device: str
    version: str

    def to_metric(self, name: str) -> AdditiveMetric:
        """The metric of that name, in ms."""
        source = (
            f"block table, {self.device}, version {self.version}, measured at {self.resolution}, "
            f"sums times {self.scale:.3f}"
        )
        costs_ms = np.array([self.costs_ms[instance.name] for instance in self.space.instances])
        return AdditiveMetric(
            info=MetricInfo(name, "ms", False, "table", source),
            space=self.space,
            base=self.scale * sum(self.costs_ms[piece] for piece in self.space.fixed_parts),
            costs=self.scale * costs_ms,
            resolution=self.resolution,
        )


def block_table_name(space: Space, metric: str, resolution: int) -> str:
    """The name of a metric's block table, as a file of the data folder."""
    return f"{_beginning(space)}{metric}_r{resolution}{_END}"


def _beginning(space: Space) -> str:
    return f"ofa_{space.name}_"


def is_block_table_name(name: str) -> bool:
    """Whether a file is named as a block table is."""
    return _NAME.fullmatch(name) is not None


def parse_block_table_name(name: str, space: str) -> tuple[str, int] | None:
    """The metric and the resolution of a file that is named as a block table of a space is; None of any other."""
    beginning = f"ofa_{space}_"
    found = _REST.fullmatch(name, len(beginning)) if name.startswith(beginning) else None
    return (found["metric"], int(found["size"])) if found else None


def check_block_table(path: Path) -> None:
    """Read a block table of the space and resolution that it says it is of.

    Raises:
        DataFileError: it is none, or its name says otherwise.
    """
    _, rows = _read_rows(path)
    said = rows[0]["space"] if rows else ""
    if said not in space_names():
        raise DataFileError(f"there is no space '{said}'", where=path, remedy=f"there are {', '.join(space_names())}")
    space, found = load_space(said), _NAME.fullmatch(path.name)
    if found is None or not path.name.startswith(_beginning(space)):
        raise DataFileError(
            f"is a block table of {said}", where=path, remedy=f"name it {_beginning(space)}METRIC_rRESOLUTION{_END}"
        )
    read_block_table(path, space, int(found["size"]))


def list_block_tables(space: Space) -> dict[str, list[int]]:
    """The metrics that the data folder has block tables of, with their resolutions, both in order."""
    beginning = _beginning(space)
    names = (file.name for file in data_folder().glob(f"{beginning}*{_END}"))
    found = (_REST.fullmatch(name, len(beginning)) for name in names)
    pairs = sorted((match["metric"], int(match["size"])) for match in found if match)
    return {metric: [resolution for other, resolution in pairs if other == metric] for metric, _ in pairs}


def load_block_table(space: Space, metric: str, resolution: int) -> AdditiveMetric | None:
    """Load a metric from its block table in the data folder; None where there is none of that name.

    Raises:
        MetricError: there are tables of that name, but none at ``resolution``.
        DataFileError: the file cannot be read, is of something else, or lacks a piece.
    """
    there = list_block_tables(space).get(metric)
    if there is None:
        return None
    if resolution not in there:
        raise MetricError(
            f"no block table '{metric}' of {space.name} at resolution {resolution} in {data_folder()}",
            remedy=f"there are {', '.join(map(str, there))}",
            code="no-such-resolution",
        )
    path = data_folder() / block_table_name(space, metric, resolution)
    return read_block_table(path, space, resolution).to_metric(metric)


def read_block_table(path: Path, space: Space, resolution: int) -> BlockCosts:
    """Read a block table of ``space`` at ``resolution``.

    Raises:
        DataFileError: the file cannot be read, is of something else, or has not every piece once; the message names
            the row and column.
    """
    lines, rows = _read_rows(path)
    expected = {"space": space.name, "resolution": str(resolution)}
    pieces = {*space.fixed_parts, *(instance.name for instance in space.instances)}
    costs_ms: dict[str, float] = {}
    for line, row in zip(lines, rows, strict=True):
        for column in REQUIRED_COLUMNS[2:]:
            if row[column] != expected.setdefault(column, row[column]):
                raise _error(path, line, column, f"{row[column]!r} where {expected[column]!r} should be")
        if row["piece"] not in pieces:
            raise _error(path, line, "piece", f"{space.name} has no piece {row['piece']!r}")
        if row["piece"] in costs_ms:
            raise _error(path, line, "piece", f"{row['piece']!r} is there twice")
        costs_ms[row["piece"]] = _number(path, line, "cost_ms", row["cost_ms"], check_latency)
    if missing := sorted(pieces - costs_ms.keys()):
        others = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
        raise DataFileError(
            f"no row of the piece '{missing[0]}'{others}",
            where=path,
            remedy="measure the table again",
            code="pieces-missing",
        )
    return BlockCosts(
        space=space,
        resolution=resolution,
        costs_ms=costs_ms,
        scale=_number(path, lines[0], "scale", expected["scale"], check_positive),
        device=expected["device"],
        version=expected["version"],
    )


def _read_rows(path: Path) -> tuple[list[int], list[dict[str, str]]]:
    """Each row's line number, as an editor shows it, and its cells by column."""
    try:
        reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True)
        numbered = [(reader.line_num, fields) for fields in reader if fields]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataFileError(
            f"is not a CSV file ({error})", where=path, remedy="measure the table again", code="not-a-csv"
        ) from None
    except OSError as error:
        raise DataFileError(
            f"cannot be read ({error.strerror})", where=path, remedy="check the file", code="unreadable-file"
        ) from error
    header = [_OLD_COLUMNS.get(name, name) for name in numbered[0][1]] if numbered else []
    if missing := [column for column in REQUIRED_COLUMNS if column not in header]:
        raise DataFileError(
            f"no column '{missing[0]}': is it a block table?",
            where=Place(path, 1),
            remedy="measure it again",
            code="no-such-column",
        )
    for line, fields in numbered[1:]:
        if len(fields) != len(header):
            raise DataFileError(
                f"{len(fields)} fields, but the header has {len(header)}",
                where=Place(path, line),
                remedy="measure the table again",
                code="ragged-row",
            )
    return [line for line, _ in numbered[1:]], [dict(zip(header, fields, strict=True)) for _, fields in numbered[1:]]


def _number(path: Path, line: int, column: str, text: str, check: Callable[[str], float]) -> float:
    try:
        return check(text)
    except ValueError as error:
        raise _error(path, line, column, str(error)) from None


def _error(path: Path, line: int, column: str, problem: str) -> DataFileError:
    return DataFileError(
        problem, where=Place(path, line, column), remedy="correct it, or measure the table again", code="bad-cell"
    )
