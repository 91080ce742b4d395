"""Latencies out of the log of a measurement elsewhere, by the statistics of those that are made here."""

import numpy as np

from blockprof.evaluators.device.records import Visit
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.timing import Timing
from blockprof.foundation.errors import DataFileError
from blockprof.latency_data import LatencyData, VisitLog


def correct_visits(log: VisitLog, origin: str) -> tuple[LatencyData, MeasuredNetworks]:
    """One latency a network: the median of its rounds, the drift that the anchor tells divided out.

    A log that ends early has fewer rounds, or networks, than were planned; networks without a visit are left out.

    Args:
        log: a visit's latency is taken as one run, without waits.
        origin: names the log in messages.

    Raises:
        DataFileError: there are no visits of the anchor, or none but its.
    """
    if not log.is_anchor.any():
        raise DataFileError(
            "has no visits of the anchor", where=origin, remedy="keep the log as it was written", code="no-anchor"
        )
    of_networks = np.flatnonzero(~log.is_anchor)
    if not len(of_networks):
        raise DataFileError("has no visits but of the anchor", where=origin, remedy="measure more", code="no-visits")
    rows = log.data
    keys = np.stack([rows.network_of, rows.resolutions], axis=1)
    _, firsts, numbers = np.unique(keys[of_networks], axis=0, return_index=True, return_inverse=True)
    order = np.argsort(firsts)  # networks in the order of their first visits
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    network = np.zeros(len(rows), dtype=np.int64)
    network[of_networks] = place[numbers.ravel()]
    visits = [
        Visit(int(number), int(turn), bool(anchor), float(started), _one_run(latency))
        for number, turn, anchor, started, latency in zip(
            network, log.rounds, log.is_anchor, log.started_s, rows.latencies_ms, strict=True
        )
    ]
    data = rows.select(of_networks[firsts[order]])
    spec = MeasureSpec(rounds=int(log.rounds.max()))
    measured = MeasuredNetworks.from_visits(data.archs.to_strings(), spec, (), visits)
    return LatencyData(data.archs, data.resolutions, measured.latencies_ms, data.device), measured


def _one_run(latency_ms: float) -> Timing:
    times_ns = np.array([max(round(latency_ms * 1e6), 1)], dtype=np.int64)
    return Timing(times_ns, np.zeros_like(times_ns), warm_up_runs=0)
