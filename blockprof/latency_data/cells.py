"""Split a file of rows into cells: CSV with commas, semicolons or tabs, gzipped or not, or Parquet."""

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blockprof.foundation.errors import DataFileError, Place
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.text import printable
from blockprof.latency_data.layout import COLUMNS, REQUIRED_COLUMNS, SPACE, VISIT_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet
else:
    pa = lazy_import("pyarrow")
    parquet = lazy_import("pyarrow.parquet")


SEPARATORS = (",", ";", "\t")
MAX_UNPACKED_BYTES = 1 << 30
"""Of a gzipped file: 1 GiB, some ten million rows. A few kilobytes may hold more than memory does."""

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


@dataclass(frozen=True)
class Cells:
    """The cells of ``REQUIRED_COLUMNS`` by column, N each, and those of ``SPACE`` and ``VISIT_COLUMNS`` that the file
    has.

    ``lines`` are the rows' numbers as an editor shows them.

    ``ragged`` are the number and the fields of rows that have more or fewer than the ``width`` of the header; they are
    left out. ``separator`` is empty for Parquet, whose rows count from 1.
    """

    lines: list[int]
    columns: dict[str, list[str]]
    ragged: list[tuple[int, int]]
    width: int
    separator: str


def read_cells(content: bytes, origin: str) -> Cells:
    """Split a file's content; ``origin`` names it in messages.

    Raises:
        DataFileError: it is none of these formats, lacks a column or has it twice, or has no rows.
    """
    content = unpack(content, origin)
    if content.startswith(_PARQUET):
        return _read_parquet(content, origin)
    text = _decode(content, origin)
    separator = _separator(text) or SEPARATORS[0]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        numbered = [(reader.line_num, fields) for fields in reader if any(map(str.strip, fields))]
    except csv.Error as error:
        raise DataFileError(
            f"not a CSV file ({error})",
            where=Place(origin, reader.line_num),
            remedy="correct the row",
            code="not-a-csv",
        ) from None
    if not numbered:
        raise DataFileError(
            f"is empty: expected a CSV file with the columns {', '.join(COLUMNS)}", where=origin, code="empty-file"
        )
    names = _names(numbered[0][1])
    place_of = _places(names, Place(origin, numbered[0][0]))
    if len(numbered) == 1:
        raise DataFileError("has a header but no rows", where=origin, remedy="add at least one network", code="no-rows")
    whole = [(line, fields) for line, fields in numbered[1:] if len(fields) == len(names)]
    return Cells(
        lines=[line for line, _ in whole],
        columns={name: [fields[place] for _, fields in whole] for name, place in place_of.items()},
        ragged=[(line, len(fields)) for line, fields in numbered[1:] if len(fields) != len(names)],
        width=len(names),
        separator=separator,
    )


def first_cell(content: bytes, column: str) -> str | None:
    """The first cell of a column, empty without rows or the column; None where the file is not in the layout."""
    try:
        content = unpack(content, "")
        if content.startswith(_PARQUET):
            return _read_parquet(content, "").columns.get(column, [""])[0]
        text = content.decode("utf-8-sig", errors="replace")
        separator = _separator(text)
        if separator is None:
            return None
        names, first = next(_rows(text, separator)), next(_rows(text, separator, skip=1), [])
        return dict(zip(_names(names), first, strict=False)).get(column, "")
    except (DataFileError, csv.Error):
        return None


def unpack(content: bytes, origin: str) -> bytes:
    """What a gzipped file holds; any other content as it is.

    Raises:
        DataFileError: it is gzipped, but damaged or cut off, or holds more than ``MAX_UNPACKED_BYTES``.
    """
    unpacked: list[bytes] = []
    size = 0
    while content.startswith(_GZIP):  # one after the other, as gzip takes them
        part = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            unpacked.append(part.decompress(content, MAX_UNPACKED_BYTES - size))
        except zlib.error as error:
            raise DataFileError(
                f"is gzipped, but damaged ({error})", where=origin, remedy="compress it again", code="damaged-gzip"
            ) from None
        size += len(unpacked[-1])
        if size >= MAX_UNPACKED_BYTES:
            raise DataFileError(
                f"holds over {MAX_UNPACKED_BYTES >> 30} GiB unpacked", where=origin, remedy="split it", code="too-large"
            )
        if not part.eof:
            raise DataFileError(
                "is gzipped, but cut off", where=origin, remedy="compress it again", code="damaged-gzip"
            )
        content = part.unused_data
    return b"".join(unpacked) or content


def one_line(text: str, limit: int) -> str:
    """Text from a file, safe to show: one line, nothing that a terminal would act on, cut to ``limit`` characters."""
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= limit else f"{shown[:limit]}..."


def _decode(content: bytes, origin: str) -> str:
    if b"\0" in content:
        raise DataFileError(
            "is not a CSV file in UTF-8 (it holds binary data)",
            where=origin,
            remedy="save it as CSV in UTF-8",
            code="not-utf-8",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataFileError(
            f"byte 0x{content[error.start]:02x} is not UTF-8 text",
            where=Place(origin, line),
            remedy="save the file as CSV in UTF-8",
            code="not-utf-8",
        ) from None


def _rows(text: str, separator: str, skip: int = 0) -> Iterator[list[str]]:
    """The rows that are not blank, after the first ``skip`` of them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for number, fields in enumerate(fields for fields in reader if any(map(str.strip, fields))):
        if number >= skip:
            yield fields


def _separator(text: str) -> str | None:
    """What parts a header that has all columns; None where there is no such header."""
    for separator in SEPARATORS:
        try:
            header = next(_rows(text, separator), [])
        except csv.Error:
            continue
        if set(REQUIRED_COLUMNS) <= set(_names(header)):
            return separator
    return None


def _names(header: Sequence[str]) -> list[str]:
    """The names of columns, whose case and outer blanks do not matter."""
    return [name.strip().casefold() for name in header]


def _places(names: list[str], where: str | Place) -> dict[str, int]:
    if missing := [name for name in REQUIRED_COLUMNS if name not in names]:
        listed = ", ".join(f"'{name}'" for name in missing)
        found = one_line(", ".join(names), 200)
        raise DataFileError(
            f"missing column {listed} (found: {found}): the header must be {','.join(COLUMNS)}",
            where=where,
            code="missing-column",
        )
    known = [name for name in (*REQUIRED_COLUMNS, SPACE, *VISIT_COLUMNS) if name in names]
    if twice := [name for name in known if names.count(name) > 1]:
        raise DataFileError(
            f"column '{twice[0]}' is there twice", where=where, remedy="remove one", code="column-twice"
        )
    return {name: names.index(name) for name in known}


def _read_parquet(content: bytes, origin: str) -> Cells:
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        names = _names(file.schema_arrow.names)
        place_of = _places(names, origin)
        table = file.read(columns=[file.schema_arrow.names[place] for place in place_of.values()])
        table.validate(full=True)
        found = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise DataFileError(
            f"is not a Parquet file ({one_line(str(error), 200)})",
            where=origin,
            remedy="write it again",
            code="not-a-parquet",
        ) from None
    if not table.num_rows:
        raise DataFileError("has no rows", where=origin, remedy="add at least one network", code="no-rows")
    order = [name.strip().casefold() for name in table.column_names]
    columns = {name: [_text(value) for value in found[order.index(name)]] for name in place_of}
    return Cells([*range(1, table.num_rows + 1)], columns, [], len(names), "")


def _text(value: object) -> str:
    """A value as a CSV would have it."""
    return "" if value is None else str(value)
