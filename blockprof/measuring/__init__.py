"""Latencies of networks: measured on this machine with ONNX Runtime, or to be measured elsewhere, from files."""

from blockprof.measuring.block_table import BlockTable, SumScores, check_block_journal, measure_block_table
from blockprof.measuring.environment import Environment, Machine, read_environment
from blockprof.measuring.measurement import Measurement
from blockprof.measuring.networks import measure_architectures, network_names
from blockprof.measuring.results import MeasuredNetworks
from blockprof.measuring.runner import Progress, measure_networks
from blockprof.measuring.spec import CPU_PROVIDER, MeasureSpec

__all__ = [
    "CPU_PROVIDER",
    "BlockTable",
    "Environment",
    "Machine",
    "MeasureSpec",
    "MeasuredNetworks",
    "Measurement",
    "Progress",
    "SumScores",
    "check_block_journal",
    "measure_architectures",
    "measure_block_table",
    "measure_networks",
    "network_names",
    "read_environment",
]
