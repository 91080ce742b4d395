"""Read latencies in BlockProfile's CSV layout, and say exactly what is wrong with a file that cannot be used."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blockprof.errors import DataFileError, NetStringError
from blockprof.files import read_file
from blockprof.latency_data.layout import (
    COLUMNS,
    DEVICE,
    LATENCY,
    MS_PER_UNIT,
    NET,
    REQUIRED_COLUMNS,
    RESOLUTION,
    UNIT,
)
from blockprof.latency_data.table import LatencyData
from blockprof.spaces import Architectures, FloatArray, IntArray, Space, space_of
from blockprof.text import printable

SAME_LATENCY = 1e-9
"""Relative difference below which two latencies are the same number, written in different units."""


@dataclass(frozen=True)
class _Rows:
    """The cells of a file's rows, by column; ``lines`` are their line numbers as an editor shows them."""

    lines: list[int]
    nets: list[str]
    devices: list[str]
    resolutions: list[str]
    units: list[str]
    latencies: list[str]


@dataclass(frozen=True)
class _Problem:
    """What is wrong in a row; ``told`` are the lines of all rows that the text speaks of, where it is not one only."""

    line: int
    column: str
    text: str
    remedy: str = "correct or remove the row"
    told: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class ListedNetworks:
    """N networks of a file that need not be measured yet.

    ``resolutions`` is (N,), pixels; ``num_latencies`` is how many rows have a latency, whether it can be used or not.
    """

    archs: Architectures
    resolutions: IntArray
    num_latencies: int


def read_latency_csv(path: str | Path, space: Space) -> LatencyData:
    """Read networks of ``space`` and their latencies, one device a file; see :func:`parse_latency_csv`.

    Raises:
        DataFileError: the file is not there, is not in the layout, or has rows that cannot be used. The message names
            the file and the first such row and column, and counts the other rows.
    """
    path = Path(path)
    if path.is_dir():
        raise DataFileError(f"{path}: is a folder: give one CSV file")
    return parse_latency_csv(read_file(path), space, str(path))


def parse_latency_csv(content: bytes, space: Space, origin: str) -> LatencyData:
    """Read the content of a CSV file in BlockProfile's layout; ``origin`` names the file in messages.

    Latencies are converted to ms, each by its own row's unit (us, ms or s). Columns may come in any order, with others
    beside them; empty lines are passed over. A network may appear once for each resolution.

    Raises:
        DataFileError: as for :func:`read_latency_csv`.
    """
    rows, ragged = _split_networks(content, space, origin)
    archs, bad_nets = _parse_nets(rows.lines, rows.nets, space)
    resolutions, bad_resolutions = _parse_resolutions(rows, space)
    latencies_ms, bad_latencies = _parse_latencies(rows)
    problems = [*ragged, *bad_nets, *_check_devices(rows), *bad_resolutions, *bad_latencies]
    if not problems:
        problems = _check_repeats(rows.lines, archs, resolutions, latencies_ms)
    if problems:
        raise _error(problems, origin)
    return LatencyData(archs, resolutions, latencies_ms, device=printable(rows.devices[0].strip()))


def parse_network_csv(content: bytes, space: Space, origin: str) -> ListedNetworks:
    """Read only the networks and resolutions of a CSV file in BlockProfile's layout, measured or not.

    What the columns of device, unit and latency hold does not matter; otherwise as :func:`parse_latency_csv`.

    Raises:
        DataFileError: as for :func:`read_latency_csv`.
    """
    rows, ragged = _split_networks(content, space, origin)
    archs, bad_nets = _parse_nets(rows.lines, rows.nets, space)
    resolutions, bad_resolutions = _parse_resolutions(rows, space)
    problems = [*ragged, *bad_nets, *bad_resolutions]
    if not problems:
        problems = _check_repeats(rows.lines, archs, resolutions, None)
    if problems:
        raise _error(problems, origin)
    return ListedNetworks(archs, resolutions, sum(map(bool, map(str.strip, rows.latencies))))


def first_network(content: bytes) -> str | None:
    """The first net string of a CSV file, empty where it has no rows; None where the file is not in the layout."""
    lines = io.StringIO(content.decode("utf-8-sig", errors="replace"), newline="")
    reader = csv.reader(filter(str.strip, lines))
    try:
        names = [name.strip() for name in next(reader, [])]
        if not set(REQUIRED_COLUMNS) <= set(names):
            return None
        return dict(zip(names, next(reader, []), strict=False)).get(NET, "")
    except csv.Error:
        return None


def _decode(content: bytes, origin: str) -> str:
    if b"\0" in content:
        raise DataFileError(f"{origin}: is not a CSV file in UTF-8 (it holds binary data): save it as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataFileError(
            f"{origin}: row {line}: byte 0x{content[error.start]:02x} is not UTF-8 text: save the file as CSV in UTF-8"
        ) from None


def _split_networks(content: bytes, space: Space, origin: str) -> tuple[_Rows, list[_Problem]]:
    """As :func:`_split`; the first network tells whether the file is of another space."""
    rows, ragged = _split(_decode(content, origin), origin)
    if rows.nets and (found := space_of(rows.nets[0])) not in (space, None):
        raise DataFileError(
            f"{origin}: row {rows.lines[0]}, column '{NET}': a network of {found.name}, not of {space.name}: "
            f"use --space {found.name}"
        )
    return rows, ragged


def _split(text: str, origin: str) -> tuple[_Rows, list[_Problem]]:
    """Split a file into cells; rows with more or fewer fields than the header are left out and told."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(reader.line_num, fields) for fields in reader if any(map(str.strip, fields))]
    except csv.Error as error:
        raise DataFileError(f"{origin}: row {reader.line_num}: not a CSV file ({error}): correct the row") from None
    if not numbered:
        raise DataFileError(f"{origin}: is empty: expected a CSV file with the columns {', '.join(COLUMNS)}")
    names = [name.strip() for name in numbered[0][1]]
    if missing := [name for name in REQUIRED_COLUMNS if name not in names]:
        listed = ", ".join(f"'{name}'" for name in missing)
        found = _one_line(", ".join(names), 200)
        raise DataFileError(
            f"{origin}: row {numbered[0][0]}: missing column {listed} (found: {found}): "
            f"the header must be {','.join(COLUMNS)}"
        )
    if twice := [name for name in REQUIRED_COLUMNS if names.count(name) > 1]:
        raise DataFileError(f"{origin}: row {numbered[0][0]}: column '{twice[0]}' is there twice: remove one")
    if len(numbered) == 1:
        raise DataFileError(f"{origin}: has a header but no rows: add at least one network")
    whole = [(line, fields) for line, fields in numbered[1:] if len(fields) == len(names)]
    problems = [
        _Problem(line, "", f"{len(fields)} fields, but the header has {len(names)}")
        for line, fields in numbered[1:]
        if len(fields) != len(names)
    ]
    cells = {name: [fields[names.index(name)] for _, fields in whole] for name in REQUIRED_COLUMNS}
    rows = _Rows([line for line, _ in whole], cells[NET], cells[DEVICE], cells[RESOLUTION], cells[UNIT], cells[LATENCY])
    return rows, problems


def _parse_nets(lines: list[int], nets: list[str], space: Space) -> tuple[Architectures, list[_Problem]]:
    """The networks, which count only where there is no problem, and the problems."""
    try:
        return Architectures.from_strings(space, nets), []
    except NetStringError as error:
        if len(nets) == 1:
            return Architectures.from_strings(space, []), [_Problem(lines[0], NET, str(error))]
    # A batch tells only its first bad network, and one at a time is slow: halve until each bad one stands alone.
    middle = len(nets) // 2
    archs, first = _parse_nets(lines[:middle], nets[:middle], space)
    _, second = _parse_nets(lines[middle:], nets[middle:], space)
    return archs, first + second


def _check_devices(rows: _Rows) -> list[_Problem]:
    devices = [device.strip() for device in rows.devices]
    expected = next(filter(None, devices), "")
    return [
        _Problem(line, DEVICE, f"'{device}' beside '{expected}': a file holds one device", "split the file by device")
        if device
        else _Problem(line, DEVICE, "no device is named", "name what the latency was measured on")
        for line, device in zip(rows.lines, devices, strict=True)
        if device != expected or not device
    ]


def _parse_resolutions(rows: _Rows, space: Space) -> tuple[IntArray, list[_Problem]]:
    value_of = {text: _resolution(text, space) for text in set(rows.resolutions)}
    allowed = f"{space.resolutions[0]} to {space.resolutions[-1]} in steps of {space.resolutions.step}"
    problems = [
        _Problem(line, RESOLUTION, f"'{text}' is not a resolution of {space.name} ({allowed})")
        for line, text in zip(rows.lines, rows.resolutions, strict=True)
        if not value_of[text]
    ]
    return np.array([value_of[text] for text in rows.resolutions], dtype=np.int64), problems


def _resolution(text: str, space: Space) -> int:
    """The resolution that ``text`` says, 0 where the space has none such."""
    try:
        value = int(text)
    except ValueError:
        return 0
    return value if value in space.resolutions else 0


def _parse_latencies(rows: _Rows) -> tuple[FloatArray, list[_Problem]]:
    """(N,) latencies in ms. They are checked as converted: 1e308 s is infinite in ms."""
    values = [_number(text) for text in rows.latencies]
    units = [unit.strip() for unit in rows.units]
    latencies_ms = [value * MS_PER_UNIT.get(unit, 1.0) for value, unit in zip(values, units, strict=True)]
    problems = [
        _Problem(line, UNIT, f"unknown unit '{unit}': there are {', '.join(MS_PER_UNIT)}")
        for line, unit in zip(rows.lines, units, strict=True)
        if unit not in MS_PER_UNIT
    ]
    problems += [
        _Problem(line, LATENCY, f"'{text}' is not a positive, finite number")
        for line, text, value in zip(rows.lines, rows.latencies, latencies_ms, strict=True)
        if text.strip() and not 0 < value < math.inf
    ]
    problems += _check_empty(rows)
    return np.array(latencies_ms, dtype=np.float64), problems


def _check_empty(rows: _Rows) -> list[_Problem]:
    """Rows without a latency, as a file has that is still to be filled in: told in one, not each by itself."""
    empty = [line for line, text in zip(rows.lines, rows.latencies, strict=True) if not text.strip()]
    text = f"{len(empty)} of {len(rows.lines)} latencies {'is' if len(empty) == 1 else 'are'} empty"
    remedy = "fill in what you measured, and remove the rows of networks that were not measured"
    return [_Problem(line, LATENCY, text, remedy, told=frozenset(empty)) for line in empty]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _check_repeats(
    lines: list[int], archs: Architectures, resolutions: IntArray, latencies_ms: FloatArray | None
) -> list[_Problem]:
    """Rows of a network and resolution that were there before; without latencies, whatever these are."""
    first_of: dict[tuple[bytes, int], int] = {}
    problems = []
    for row, (genes, resolution) in enumerate(zip(archs.genes, resolutions.tolist(), strict=True)):
        first = first_of.setdefault((genes.tobytes(), resolution), row)
        if first == row:
            continue
        if latencies_ms is None:
            text = f"repeats row {lines[first]}: the same network and resolution"
            problems.append(_Problem(lines[row], NET, text, "remove one of them"))
            continue
        latency, before = float(latencies_ms[row]), float(latencies_ms[first])
        if math.isclose(latency, before, rel_tol=SAME_LATENCY):
            text = f"repeats row {lines[first]}: the same network, resolution and latency"
            problems.append(_Problem(lines[row], NET, text, "remove one of them"))
        else:
            text = (
                f"{latency:.6g} ms contradicts row {lines[first]}, which has {before:.6g} ms for the same network and "
                "resolution"
            )
            problems.append(_Problem(lines[row], LATENCY, text, "keep one of them, or their median"))
    return problems


def _error(problems: list[_Problem], origin: str) -> DataFileError:
    """One line: the first problem, and how many other rows have one."""
    first = min(problems, key=lambda problem: problem.line)
    others = len({problem.line for problem in problems} - {first.line} - first.told)
    place = f"row {first.line}" + (f", column '{first.column}'" if first.column else "")
    more = f" (and {others} more {'row has' if others == 1 else 'rows have'} problems)" if others else ""
    return DataFileError(f"{origin}: {place}: {_one_line(first.text, 400)}: {first.remedy}{more}")


def _one_line(text: str, limit: int) -> str:
    """Text from a file, safe to show: one line, nothing that a terminal would act on, cut to ``limit`` characters."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= limit else f"{shown[:limit]}..."
