"""Latencies of networks: measured on this machine with a run-time, or to be measured elsewhere, from files.

What is here is imported when it is first used: a run-time's process, which needs little of it, starts sooner.
"""

from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_names

if TYPE_CHECKING:
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

__getattr__ = lazy_names(
    __name__,
    {
        "blockprof.evaluators.device.block_table": (
            "BlockTable",
            "SumScores",
            "check_block_journal",
            "measure_block_table",
        ),
        "blockprof.evaluators.device.environment": ("Environment", "Machine", "read_environment"),
        "blockprof.evaluators.device.measurement": ("Measurement",),
        "blockprof.evaluators.device.networks": ("measure_architectures", "network_names"),
        "blockprof.evaluators.device.results": ("MeasuredNetworks",),
        "blockprof.evaluators.device.runner": ("measure_networks",),
        "blockprof.evaluators.device.spec": ("MeasureSpec",),
    },
)
