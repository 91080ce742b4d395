"""Latencies of networks on this machine, measured with ONNX Runtime."""

from blockprof.measuring.environment import Environment, Machine, read_environment
from blockprof.measuring.measurement import Measurement
from blockprof.measuring.networks import measure_architectures, network_names
from blockprof.measuring.results import MeasuredNetworks
from blockprof.measuring.runner import Progress, measure_networks
from blockprof.measuring.spec import CPU_PROVIDER, MeasureSpec

__all__ = [
    "CPU_PROVIDER",
    "Environment",
    "Machine",
    "MeasureSpec",
    "MeasuredNetworks",
    "Measurement",
    "Progress",
    "measure_architectures",
    "measure_networks",
    "network_names",
    "read_environment",
]
