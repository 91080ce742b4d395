"""Files that say which networks to measure."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from blockprof.errors import DataFileError, InputError, NetStringError
from blockprof.files import read_file
from blockprof.latency_data import first_network, parse_network_csv
from blockprof.spaces import Architectures, IntArray, Space


def read_networks(path: Path, space: Space, resolutions: Sequence[int] | None = None) -> tuple[Architectures, IntArray]:
    """Read the networks of a CSV in BlockProfile's layout, or of a list with a net string a line.

    A CSV has a resolution for each network, and need not have latencies. The networks of a list are each taken at all
    of ``resolutions``, at 224 where None.

    Returns:
        N networks and (N,) resolutions, in the file's order.

    Raises:
        DataFileError: the file cannot be read, is empty, or a row is no network of ``space`` or repeats one.
        InputError: ``resolutions`` for a CSV.
    """
    content = read_file(path)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise DataFileError(f"{path}: is not a text in UTF-8: give a CSV, or a list with a net string a line") from None
    if first_network(content) is not None:
        if resolutions is not None:
            raise InputError(f"{path}: has a resolution in each row: leave --resolution out")
        listed = parse_network_csv(content, space, str(path))
        return listed.archs, listed.resolutions
    archs = _parse_list(text, space, path)
    pairs = np.array(list(product(range(len(archs)), resolutions or (224,))))
    return archs[pairs[:, 0]], pairs[:, 1]


def _parse_list(text: str, space: Space, path: Path) -> Architectures:
    rows: dict[str, int] = {}
    parts = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            parts.append(Architectures.from_strings(space, [line]))
        except NetStringError as error:
            raise DataFileError(f"{path}: row {number}: {error}: correct or remove the row") from None
        first = rows.setdefault(parts[-1].to_strings()[0], number)
        if first != number:
            raise DataFileError(f"{path}: row {number}: repeats row {first}: remove one of them")
    if not parts:
        raise DataFileError(f"{path}: holds no networks: give a CSV, or a list with a net string a line")
    return Architectures.concatenate(parts)
