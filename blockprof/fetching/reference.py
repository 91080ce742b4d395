"""Training data made from the built-in reference tables, for a first run before anything is measured."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blockprof.fetching.files import FetchedFile, accept
from blockprof.foundation.errors import Argument, InputError, MetricError, Said
from blockprof.latency_data import LatencyData, staged, write_latency_csv
from blockprof.metrics.reference import (
    REFERENCE_RESOLUTION,
    load_reference,
    reference_deviation,
    reference_latencies,
)
from blockprof.spaces import Space
from blockprof.spaces.sampling import sample_distinct

DEVICE_PREFIX = "reference-"
"""How the ``device`` column tells such data from measurements."""

DECIMALS = 6
"""Latencies are rounded to the nanosecond, so that the files are easy on the eye."""


def latency_file_name(space: Space, metric: str) -> str:
    """BlockProfile's own name for a space's latencies on a device: ``ofa_pn_npu_lat_data.csv``."""
    return f"ofa_{space.name}_{metric}_lat_data.csv"


def reference_file_name(space: Space, metric: str) -> str:
    """The name of latencies that are made from a reference table, other than that of any published or measured ones."""
    return f"ofa_{space.name}_{metric}_reference.csv"


def find_latency_file(space: Space, metric: str, folder: Path) -> Path:
    """Where a metric's latencies are in the data folder: published or measured ones there, else in a folder within it,
    as ``fetch`` leaves those of a folder, else the reference table's.

    The path is that of the first where there are none.

    Raises:
        InputError: several folders have them.
    """
    name = latency_file_name(space, metric)
    file, reference = folder / name, folder / reference_file_name(space, metric)
    within = sorted(folder.glob(f"*/{name}")) if not file.exists() and folder.is_dir() else []
    if len(within) > 1:
        raise InputError(
            f"{', '.join(map(str, within))} all hold latencies of {metric}",
            remedy="give the one that is meant",
            code="several-files",
        )
    return within[0] if within else reference if reference.exists() and not file.exists() else file


def reference_data(space: Space, metric: str, num_nets: int, seed: int) -> LatencyData:
    """Draw distinct random networks and give each the reference table's latency, with the table's own error as noise.

    The noise is normal and relative, with the standard deviation that the table's fit left over. The networks
    depend on the seed and their number, not on the metric.

    Raises:
        MetricError: there is no reference table of latencies of that name (``npu``, ``gpu``, ``cpu``).
        InputError: ``num_nets`` is not positive.
    """
    names = reference_latencies(space)
    if metric not in names:
        there = (
            f"there are {', '.join(names)}"
            if names
            else Said("there are none: give your CSV as {}", Argument("source"))
        )
        raise MetricError(
            f"no reference latencies '{metric}' for {space.name}", remedy=there, code="no-reference-table"
        )
    if num_nets < 1:
        raise InputError(f"the number of networks must be at least 1, not {num_nets}", code="below-1")
    nets = sample_distinct(space, num_nets, np.random.default_rng(seed))
    noise = np.random.default_rng([seed, *metric.encode()]).standard_normal(num_nets)
    latencies_ms = load_reference(space, metric).evaluate(nets)
    noisy = latencies_ms * (1.0 + reference_deviation(space, metric) * noise)
    return LatencyData(
        archs=nets,
        resolutions=np.full(num_nets, REFERENCE_RESOLUTION),
        latencies_ms=noisy.round(DECIMALS),
        device=f"{DEVICE_PREFIX}{metric}",
    )


def fetch_reference(
    space: Space, metrics: Sequence[str], folder: str | Path, num_nets: int, seed: int
) -> list[FetchedFile]:
    """Write :func:`reference_data` of each metric into ``folder``, all files or none.

    Raises:
        MetricError, InputError: as for :func:`reference_data`; or ``folder`` cannot be written to, or holds another
            file of the same name.
    """
    tables = {reference_file_name(space, metric): reference_data(space, metric, num_nets, seed) for metric in metrics}
    with staged(Path(folder)) as temporary:
        for name, data in tables.items():
            write_latency_csv(temporary / name, data)
        return [accept(temporary / name, Path(folder), origin=f"reference {name}", space=space) for name in tables]
