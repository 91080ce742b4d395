"""Latencies of whole networks, and the CSV layout they are exchanged in."""

from blockprof.foundation.files import staged
from blockprof.latency_data.cells import unpack
from blockprof.latency_data.network_tables import parse_network_table
from blockprof.latency_data.reading import (
    ListedNetworks,
    first_network,
    named_space,
    parse_latency_csv,
    parse_network_csv,
    read_latency_csv,
)
from blockprof.latency_data.table import LatencyData
from blockprof.latency_data.visits import (
    PlannedVisit,
    VisitLog,
    is_visit_log,
    parse_visit_log,
    write_visit_plan,
)
from blockprof.latency_data.writing import write_latency_csv, write_network_csv

__all__ = [
    "LatencyData",
    "ListedNetworks",
    "PlannedVisit",
    "VisitLog",
    "first_network",
    "is_visit_log",
    "named_space",
    "parse_latency_csv",
    "parse_network_csv",
    "parse_network_table",
    "parse_visit_log",
    "read_latency_csv",
    "staged",
    "unpack",
    "write_latency_csv",
    "write_network_csv",
    "write_visit_plan",
]
