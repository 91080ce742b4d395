"""Write latencies in BlockProfile's CSV layout."""

import csv
from itertools import repeat
from pathlib import Path

from blockprof.files import staged
from blockprof.latency_data.layout import COLUMNS
from blockprof.latency_data.table import LatencyData


def write_latency_csv(path: str | Path, data: LatencyData) -> None:
    """Write ``data`` in ms, so that reading the file gives the same numbers; ``net_id`` counts from 0.

    Folders that are missing are made; a file of that name is replaced in one step.

    Raises:
        InputError: the file cannot be written there.
    """
    path = Path(path)
    with staged(path.parent) as temporary, (temporary / path.name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(
            zip(
                range(len(data)),
                data.archs.to_strings(),
                repeat(data.device),
                data.resolutions.tolist(),
                repeat("ms"),
                data.latencies_ms.tolist(),
                strict=False,
            )
        )
