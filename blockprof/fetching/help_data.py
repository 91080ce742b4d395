"""Latencies as HELP published them (Lee et al., NeurIPS 2021): torch files of OFA's networks and of numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blockprof.foundation.decoding import MALFORMED
from blockprof.foundation.errors import DataFileError, NetStringError
from blockprof.foundation.latencies import check_latency
from blockprof.foundation.lazy import lazy_import
from blockprof.latency_data import LatencyData
from blockprof.spaces import Space, from_settings

if TYPE_CHECKING:
    from blockprof.foundation import torch_files
else:
    torch_files = lazy_import("blockprof.foundation.torch_files")


DECIMALS = 6
"""Of the latencies in ms, as in the other data that is written: to the nanosecond."""


def read_help(networks: Path, latencies: Path, device: str, space: Space) -> LatencyData:
    """Read HELP's networks (``arch``: N dicts of ``ks``, ``e``, ``d`` and ``r``) and a device's latencies, N in ms.

    torch reads numbers only from them: a file that holds code is refused, and the code does not run.

    Raises:
        DataFileError: a file that holds other things than these, or as many latencies as there are no networks.
    """
    content = _load(networks)
    try:
        rows = content["arch"]
        resolutions = np.array([row["r"] for row in rows], dtype=np.int64).reshape(-1)
        archs, _ = from_settings(space, [{key: row[key] for key in ("ks", "e", "d")} for row in rows])
    except (NetStringError, *MALFORMED) as error:
        raise DataFileError(
            f"does not hold networks as HELP wrote them: {error!r}: fetch it again",
            where=networks,
            code="not-help-networks",
        ) from None
    values = _load(latencies)
    try:
        latencies_ms = np.array(values, dtype=np.float64).round(DECIMALS)
    except MALFORMED:
        raise DataFileError(
            "does not hold a list of latencies", where=latencies, remedy="fetch it again", code="not-help-latencies"
        ) from None
    if latencies_ms.shape != (len(archs),):
        raise DataFileError(
            f"holds latencies of shape {latencies_ms.shape}, but {networks} holds {len(archs)} networks",
            where=latencies,
            code="unpaired-latencies",
        )
    for number, value in enumerate(latencies_ms.tolist(), start=1):
        try:
            check_latency(value)
        except ValueError as error:
            raise DataFileError(
                f"latency {number}: {error}: fetch it again", where=latencies, code="not-a-latency"
            ) from None
    return LatencyData(archs, resolutions, latencies_ms, device)


def _load(path: Path) -> Any:
    # The resolutions are numpy's own integers; numpy 1, which wrote the file, kept what reads them in numpy.core.
    read_scalar = np.int64().__reduce__()[0]
    allowed: list[Any] = [(read_scalar, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Int64DType]
    return torch_files.read_torch_file(path, "fetch it again", allowed)
