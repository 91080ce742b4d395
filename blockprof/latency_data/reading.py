"""Read latencies in BlockProfile's CSV layout, and say exactly what is wrong with a file that cannot be used."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.errors import Argument, DataFileError, DataNote, NetStringError, Place, Said
from blockprof.foundation.files import read_file
from blockprof.foundation.latencies import check_latency, parse_decimal
from blockprof.latency_data.cells import Cells, first_cell, one_line, read_cells
from blockprof.latency_data.layout import DEVICE, LATENCY, MS_PER_UNIT, NET, RESOLUTION, SPACE, UNIT, unit_name
from blockprof.latency_data.problems import Problem, error_of
from blockprof.latency_data.repeats import Repeats, find_repeats, repeated_rows
from blockprof.latency_data.table import LatencyData
from blockprof.spaces import Architectures, Space, spaces_having

MAX_DEVICE = 200
"""Characters of a device's name."""


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
        raise DataFileError("is a folder", where=path, remedy="give one CSV file", code="folder-in-place-of-a-file")
    return parse_latency_csv(read_file(path), space, str(path))


def parse_latency_csv(content: bytes, space: Space, origin: str) -> LatencyData:
    """Read the content of a CSV file in BlockProfile's layout; ``origin`` names the file in messages.

    Latencies are converted to ms, each by its own row's unit (ns, us, ms or s). Columns may come in any order, with
    others beside them, parted by commas, semicolons or tabs; their names' and the units' case does not matter; empty
    lines are passed over. A column ``space`` says of which space the networks are. The file may be gzipped, or
    Parquet. A network may be measured several times at a resolution: all its rows are kept. What is a guess is told by
    a ``DataNote``, a warning.

    Raises:
        DataFileError: as for :func:`read_latency_csv`.
    """
    cells, data, problems, notes = parse_rows(content, space, origin)
    if not problems:
        repeats = find_repeats(data.archs, data.resolutions, data.latencies_ms)
        problems = _check_measured(cells.lines, repeats)
        notes += [repeats.note] if repeats.note else []
    if problems:
        raise error_of(problems, origin)
    for note in notes:
        warnings.warn(f"{origin}: {note}", DataNote, stacklevel=2)
    return data


def parse_rows(content: bytes, space: Space, origin: str) -> tuple[Cells, LatencyData, list[Problem], list[str]]:
    """The cells of a file; its rows, which count only where there is no problem; the problems; what was guessed.

    Raises:
        DataFileError: as for :func:`parse_latency_csv`, but for what is wrong in a row.
    """
    cells, ragged = _split_networks(content, space, origin)
    archs, bad_nets = _parse_nets(cells.lines, cells.columns[NET], space)
    resolutions, bad_resolutions = _parse_resolutions(cells, space)
    latencies_ms, bad_latencies, notes = _parse_latencies(cells)
    problems = [*ragged, *bad_nets, *_check_devices(cells), *bad_resolutions, *bad_latencies]
    device = one_line(next(iter(cells.columns[DEVICE]), ""), MAX_DEVICE)
    return cells, LatencyData(archs, resolutions, latencies_ms, device, np.array(cells.lines)), problems, notes


def parse_network_csv(content: bytes, space: Space, origin: str) -> ListedNetworks:
    """Read only the networks and resolutions of a CSV file in BlockProfile's layout, measured or not.

    What the columns of device, unit and latency hold does not matter; otherwise as :func:`parse_latency_csv`.

    Raises:
        DataFileError: as for :func:`read_latency_csv`.
    """
    cells, ragged = _split_networks(content, space, origin)
    archs, bad_nets = _parse_nets(cells.lines, cells.columns[NET], space)
    resolutions, bad_resolutions = _parse_resolutions(cells, space)
    problems = [*ragged, *bad_nets, *bad_resolutions]
    if not problems:
        problems = _check_listed(cells.lines, archs, resolutions)
    if problems:
        raise error_of(problems, origin)
    return ListedNetworks(archs, resolutions, sum(map(bool, map(str.strip, cells.columns[LATENCY]))))


def first_network(content: bytes) -> str | None:
    """The first net string of a file, empty where it has no rows; None where the file is not in the layout."""
    return first_cell(content, NET)


def named_space(content: bytes) -> str | None:
    """The space that a file says its networks are of; None where it does not say, or is not in the layout."""
    return (first_cell(content, SPACE) or "").strip() or None


def _split_networks(content: bytes, space: Space, origin: str) -> tuple[Cells, list[Problem]]:
    """The file's cells, and the rows that are of another space or have too many or too few of them.

    Raises:
        DataFileError: the file says that it is of another space, or, where it says none, its first network does.
    """
    cells = read_cells(content, origin)
    said = [name.strip() for name in cells.columns.get(SPACE, [])]
    named = [name for name in said if name]
    if named and named[0] != space.name:
        raise _of_another_space(Place(origin, cells.lines[said.index(named[0])], SPACE), named[:1], space)
    nets = cells.columns[NET]
    if nets and not named and (found := spaces_having(nets[0])) and space not in found:
        raise _of_another_space(Place(origin, cells.lines[0], NET), [other.name for other in found], space)
    mixed = [
        Problem(
            line,
            SPACE,
            f"'{name}' beside '{space.name}': a file holds one space",
            "several-spaces",
            "split the file by space",
        )
        for line, name in zip(cells.lines, said, strict=False)
        if name not in ("", space.name)
    ]
    ragged = [
        Problem(line, "", f"{fields} fields, but the header has {cells.width}", "ragged-row")
        for line, fields in cells.ragged
    ]
    return cells, mixed + ragged


def _of_another_space(where: Place, names: list[str], space: Space) -> DataFileError:
    shown = [one_line(name, 80) for name in names]
    use = Said(" or ".join(["{}"] * len(shown)), *(Argument("space", name) for name in shown))
    return DataFileError(
        f"a network of {' or '.join(shown)}, not of {space.name}",
        where=where,
        remedy=Said("use {}", use),
        code="not-of-space",
    )


def _parse_nets(lines: list[int], nets: list[str], space: Space) -> tuple[Architectures, list[Problem]]:
    """The networks, which count only where there is no problem, and the problems."""
    try:
        return Architectures.from_strings(space, nets), []
    except NetStringError as error:
        if len(nets) == 1:
            return Architectures.from_strings(space, []), [Problem(lines[0], NET, str(error), error.code)]
    # A batch tells only its first bad network, and one at a time is slow: halve until each bad one stands alone.
    middle = len(nets) // 2
    archs, first = _parse_nets(lines[:middle], nets[:middle], space)
    _, second = _parse_nets(lines[middle:], nets[middle:], space)
    return archs, first + second


def _check_devices(cells: Cells) -> list[Problem]:
    devices = [device.strip() for device in cells.columns[DEVICE]]
    expected = next(filter(None, devices), "")
    return [
        Problem(
            line,
            DEVICE,
            f"'{device}' beside '{expected}': a file holds one device",
            "several-devices",
            "split the file by device",
        )
        if device
        else Problem(line, DEVICE, "no device is named", "no-device", "name what the latency was measured on")
        for line, device in zip(cells.lines, devices, strict=True)
        if device != expected or not device
    ]


def _parse_resolutions(cells: Cells, space: Space) -> tuple[IntArray, list[Problem]]:
    texts = cells.columns[RESOLUTION]
    if cells.separator == ";":
        texts = [text.replace(",", ".") for text in texts]
    value_of = {text: _resolution(text, space) for text in set(texts)}
    allowed = f"{space.resolutions[0]} to {space.resolutions[-1]} in steps of {space.resolutions.step}"
    problems = [
        Problem(line, RESOLUTION, f"'{text}' is not a resolution of {space.name} ({allowed})", "no-such-resolution")
        for line, text in zip(cells.lines, texts, strict=True)
        if not value_of[text]
    ]
    return np.array([value_of[text] for text in texts], dtype=np.int64), problems


def _resolution(text: str, space: Space) -> int:
    """The resolution that ``text`` says, ``224`` or ``224.0``, 0 where the space has none such."""
    value = parse_decimal(text)
    return int(value) if value in space.resolutions else 0


def _parse_latencies(cells: Cells) -> tuple[FloatArray, list[Problem], list[str]]:
    """(N,) latencies in ms, checked as converted, what is wrong with them, and what was guessed."""
    texts, notes = cells.columns[LATENCY], []
    if cells.separator == ";" and _has_decimal_commas(texts):
        texts = [text.replace(",", ".") for text in texts]
        notes = ["commas in the latencies are taken for decimal points, as semicolons part the columns"]
    units = [unit_name(unit) for unit in cells.columns[UNIT]]
    latencies_ms, problems = np.full(len(texts), np.nan), []
    for row, (line, text, unit) in enumerate(zip(cells.lines, texts, units, strict=True)):
        if unit not in MS_PER_UNIT:
            shown = cells.columns[UNIT][row].strip()
            text = f"unknown unit '{shown}': there are {', '.join(MS_PER_UNIT)}"
            problems.append(Problem(line, UNIT, text, "unknown-unit"))
        try:
            latencies_ms[row] = check_latency(text, MS_PER_UNIT.get(unit, 1.0))
        except ValueError as error:
            problems += [Problem(line, LATENCY, str(error), "not-a-latency")] if text.strip() else []
    return latencies_ms, problems + _check_empty(cells.lines, texts), notes


def _has_decimal_commas(texts: list[str]) -> bool:
    """Whether numbers are written ``9,8``: all that are not whole, as beside points commas part thousands."""
    return any("," in text for text in texts) and not any("." in text for text in texts)


def _check_empty(lines: list[int], texts: list[str]) -> list[Problem]:
    """Rows without a latency, as a file has that is still to be filled in: told in one, not each by itself."""
    empty = [line for line, text in zip(lines, texts, strict=True) if not text.strip()]
    text = f"{len(empty)} of {len(lines)} latencies {'is' if len(empty) == 1 else 'are'} empty"
    remedy = "fill in what you measured, and remove the rows of networks that were not measured"
    return [Problem(line, LATENCY, text, "empty-latency", remedy, told=frozenset(empty)) for line in empty]


def _check_listed(lines: list[int], archs: Architectures, resolutions: IntArray) -> list[Problem]:
    """Rows of a network and resolution that were there before: there is nothing to measure twice."""
    return [
        Problem(
            lines[row],
            NET,
            f"repeats row {lines[first]}: the same network and resolution",
            "repeated-network",
            "remove one of them",
        )
        for first, *others in repeated_rows(archs, resolutions)
        for row in others
    ]


def _check_measured(lines: list[int], repeats: Repeats) -> list[Problem]:
    """Rows that only copy another one, or contradict it."""
    copies = [
        Problem(
            lines[row],
            NET,
            f"repeats row {lines[first]}: the same network, resolution and latency",
            "repeated-row",
            "remove one",
        )
        for row, first in repeats.copies
    ]
    contradictions = [
        Problem(
            lines[each.row],
            LATENCY,
            f"{each.latency_ms:.6g} ms contradicts row {lines[each.first]}, which has {each.first_ms:.6g} ms for the "
            f"same network and resolution: repeats may differ by a factor of {each.limit:.2f}",
            "contradicting-rows",
            "correct or remove one of them",
        )
        for each in repeats.contradictions
    ]
    return copies + contradictions
