"""Files that say which networks to measure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import Argument, DataFileError, InputError, NetStringError, Place, Said
from blockprof.foundation.files import read_file
from blockprof.foundation.latencies import parse_decimal
from blockprof.latency_data import first_network, parse_network_csv, parse_network_table, unpack
from blockprof.latency_data.layout import NET, RESOLUTION
from blockprof.spaces import Architectures, Space, is_settings, parse_settings

DEFAULT_RESOLUTION = 224
_FORMS = "give a CSV, a list with a net string a line, or OFA's settings as JSON"
_NO_RESOLUTION = Said("leave {} out", Argument("resolution"))

Rows = list[tuple[int, Architectures, int | None]]
"""By network: the row it is in, or its place in a list of settings; the network; its resolution, if that is said."""


def read_networks(path: Path, space: Space, resolutions: Sequence[int] | None = None) -> tuple[Architectures, IntArray]:
    """Read the networks of a CSV in BlockProfile's layout, of another table with the column ``net_str`` (CSV, Parquet
    or JSON), of a list with a net string a line, or of OFA's settings.

    The layout has a resolution for each network, and need not have latencies; other tables may have one. Settings are
    JSON, of one network, of a list of them, or a line each, and may say a resolution. Networks without one are each
    taken at all of ``resolutions``, at 224 where None.

    Returns:
        N networks and (N,) resolutions, in the file's order.

    Raises:
        DataFileError: the file cannot be read, is empty, or a row is no network of ``space`` or repeats one.
        InputError: ``resolutions`` for networks that have one.
    """
    content = read_file(path)
    if first_network(content) is not None:
        if resolutions is not None:
            raise InputError("has a resolution in each row", where=path, remedy=_NO_RESOLUTION)
        listed = parse_network_csv(content, space, str(path))
        return listed.archs, listed.resolutions
    rows = _parse_table(content, space, path) or _parse_text(content, space, path)
    if not rows:
        raise DataFileError("holds no networks", where=path, remedy=_FORMS, code="no-networks")
    if resolutions is not None and any(size is not None for _, _, size in rows):
        raise InputError(
            "has networks with a resolution of their own",
            where=path,
            remedy=_NO_RESOLUTION,
            code="resolution-said-twice",
        )
    _refuse_repeats(rows, path)
    pairs = [
        (index, chosen)
        for index, (_, _, size) in enumerate(rows)
        for chosen in ([size] if size is not None else resolutions or (DEFAULT_RESOLUTION,))
    ]
    archs = Architectures.concatenate([net for _, net, _ in rows])
    return archs[np.array([index for index, _ in pairs])], np.array([size for _, size in pairs])


def _parse_table(content: bytes, space: Space, path: Path) -> Rows:
    """The networks of a table with a column of net strings; none where it is no such table."""
    rows: Rows = []
    for line, net, size in parse_network_table(content, str(path)) or ():
        try:
            rows.append((line, Architectures.from_strings(space, [net]), _resolution(size, space)))
        except NetStringError as error:
            raise DataFileError(error, where=Place(path, line, NET), remedy="correct or remove the row") from None
        except ValueError:
            allowed = f"{space.resolutions[0]} to {space.resolutions[-1]} in steps of {space.resolutions.step}"
            raise DataFileError(
                f"'{size}' is not a resolution of {space.name} ({allowed})",
                where=Place(path, line, RESOLUTION),
                remedy="correct or remove the row",
                code="no-such-resolution",
            ) from None
    return rows


def _resolution(text: str, space: Space) -> int | None:
    """The resolution that a cell says; None where it is empty.

    Raises:
        ValueError: the space has none such.
    """
    if not text:
        return None
    value = parse_decimal(text)
    if value not in space.resolutions:
        raise ValueError
    return int(value)


def _parse_text(content: bytes, space: Space, path: Path) -> Rows:
    try:
        text = unpack(content, str(path)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataFileError("is not a text in UTF-8", where=path, remedy=_FORMS, code="not-utf-8") from None
    return _whole_settings(text, space, path) or _parse_lines(text, space, path)


def _whole_settings(text: str, space: Space, path: Path) -> Rows:
    """The networks of a text that is JSON as a whole; none where it is not, but may have settings a line."""
    if not is_settings(text):
        return []
    try:
        archs, sizes = parse_settings(space, text)
    except NetStringError as error:
        if text.lstrip().startswith("{") and len(text.splitlines()) > 1:
            return []
        raise DataFileError(error, where=path) from None
    return [(number, archs[number - 1], size) for number, size in enumerate(sizes, start=1)]


def _parse_lines(text: str, space: Space, path: Path) -> Rows:
    rows: Rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            if is_settings(line):
                archs, sizes = parse_settings(space, line)
                rows += [(number, archs[index], size) for index, size in enumerate(sizes)]
            else:
                rows.append((number, Architectures.from_strings(space, [line]), None))
        except NetStringError as error:
            raise DataFileError(error, where=Place(path, number), remedy="correct or remove the row") from None
    return rows


def _refuse_repeats(rows: Rows, path: Path) -> None:
    seen: dict[tuple[bytes, int | None], int] = {}
    for number, net, size in rows:
        first = seen.setdefault((net.genes.tobytes(), size), number)
        if first != number:
            raise DataFileError(
                f"repeats row {first}", where=Place(path, number), remedy="remove one of them", code="repeated-network"
            )
