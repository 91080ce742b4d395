"""Tables with a column of net strings, such as what ``search`` and ``predict`` write: CSV, Parquet or JSON."""

import csv
import io
import json
from collections.abc import Sequence

from blockprof.foundation.errors import DataFileError
from blockprof.latency_data.cells import SEPARATORS, unpack
from blockprof.latency_data.layout import NET, RESOLUTION

_PARQUET = b"PAR1"

Row = tuple[int, str, str]
"""A row's number as an editor shows it, from 1 where there are no lines; its net string; its resolution, or nothing."""


def parse_network_table(content: bytes, origin: str) -> list[Row] | None:
    """The rows of a table with a column ``net_str``, and ``resolution`` where there is one; None where it is none.

    Raises:
        DataFileError: it is gzipped, but damaged.
    """
    content = unpack(content, origin)
    if content.startswith(_PARQUET):
        return _of_parquet(content, origin)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return _of_json(text) if text.lstrip().startswith("[") else _of_csv(text)


def _of_csv(text: str) -> list[Row] | None:
    for separator in SEPARATORS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            rows = [(reader.line_num, fields) for fields in reader if any(map(str.strip, fields))]
        except csv.Error:
            continue
        names = [name.strip().casefold() for name in rows[0][1]] if rows else []
        if NET in names:
            places = [names.index(name) if name in names else None for name in (NET, RESOLUTION)]
            return [(line, *_at(fields, places)) for line, fields in rows[1:]]
    return None


def _at(fields: Sequence[str], places: Sequence[int | None]) -> tuple[str, str]:
    net, resolution = ("" if place is None or place >= len(fields) else fields[place].strip() for place in places)
    return net, resolution


def _of_json(text: str) -> list[Row] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not content or not all(isinstance(row, dict) and NET in row for row in content):
        return None
    return [(number, *_named(row)) for number, row in enumerate(content, start=1)]


def _of_parquet(content: bytes, origin: str) -> list[Row] | None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        there = [name for name in (NET, RESOLUTION) if name in file.schema_arrow.names]
        if NET not in there:
            return None
        rows = file.read(columns=there).to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        raise DataFileError(
            "is not a Parquet file", where=origin, remedy="write it again", code="not-a-parquet"
        ) from None
    return [(number, *_named(row)) for number, row in enumerate(rows, start=1)]


def _named(row: dict[str, object]) -> tuple[str, str]:
    net, resolution = ("" if row.get(name) is None else str(row[name]) for name in (NET, RESOLUTION))
    return net, resolution
