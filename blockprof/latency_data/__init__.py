"""Latencies of whole networks, and the CSV layout they are exchanged in."""

from blockprof.files import staged
from blockprof.latency_data.reading import first_network, parse_latency_csv, read_latency_csv
from blockprof.latency_data.table import LatencyData
from blockprof.latency_data.writing import write_latency_csv

__all__ = [
    "LatencyData",
    "first_network",
    "parse_latency_csv",
    "read_latency_csv",
    "staged",
    "write_latency_csv",
]
