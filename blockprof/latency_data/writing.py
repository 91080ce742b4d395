"""Write latencies, or networks whose latencies are to be filled in, in BlockProfile's CSV layout."""

import csv
from collections.abc import Iterable, Sequence
from itertools import count, repeat
from pathlib import Path

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.files import staged
from blockprof.latency_data.layout import COLUMNS, FILE, SPACE
from blockprof.latency_data.table import LatencyData
from blockprof.spaces import Architectures

UNIT = "ms"


def write_latency_csv(path: str | Path, data: LatencyData) -> None:
    """Write ``data`` in ms, so that reading the file gives the same numbers; ``net_id`` counts from 0.

    Folders that are missing are made; a file of that name is replaced in one step.

    Raises:
        InputError: the file cannot be written there.
    """
    nets, sizes, latencies = data.archs.to_strings(), data.resolutions.tolist(), data.latencies_ms.tolist()
    device, unit, space = (repeat(one) for one in (data.device, UNIT, data.space.name))
    rows = zip(count(), nets, device, sizes, unit, latencies, space, strict=False)
    write_rows(Path(path), (*COLUMNS, SPACE), rows)


def write_network_csv(
    path: str | Path, archs: Architectures, resolutions: IntArray, device: str, files: Sequence[str]
) -> None:
    """Write N networks whose latencies on ``device``, in ms, are still to be filled in; ``net_id`` counts from 0.

    ``resolutions`` is (N,), pixels; ``files`` names each one's ONNX file, in a column beside the layout's own. Folders
    that are missing are made; a file of that name is replaced in one step.

    Raises:
        InputError: the file cannot be written there.
    """
    nets, sizes = archs.to_strings(), resolutions.tolist()
    space = repeat(archs.space.name)
    rows = zip(count(), nets, repeat(device), sizes, repeat(UNIT), repeat(""), files, space, strict=False)
    write_rows(Path(path), (*COLUMNS, FILE, SPACE), rows)


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows as CSV, in one step.

    Raises:
        InputError: the file cannot be written there.
    """
    with staged(path.parent) as temporary, (temporary / path.name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
