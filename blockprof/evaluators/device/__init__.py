"""Latencies of networks: measured on this machine with a run-time, or to be measured elsewhere, from files."""

from blockprof.evaluators.device.block_table import BlockTable, SumScores, check_block_journal, measure_block_table
from blockprof.evaluators.device.environment import Environment, Machine, read_environment
from blockprof.evaluators.device.measurement import Measurement
from blockprof.evaluators.device.networks import measure_architectures, network_names
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.runner import measure_networks
from blockprof.evaluators.device.spec import MeasureSpec

__all__ = [
    "BlockTable",
    "Environment",
    "Machine",
    "MeasureSpec",
    "MeasuredNetworks",
    "Measurement",
    "SumScores",
    "check_block_journal",
    "measure_architectures",
    "measure_block_table",
    "measure_networks",
    "network_names",
    "read_environment",
]
