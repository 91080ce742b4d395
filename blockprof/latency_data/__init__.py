"""Latencies of whole networks, and the CSV layout they are exchanged in."""

from blockprof.latency_data.table import LatencyData

__all__ = ["LatencyData"]
