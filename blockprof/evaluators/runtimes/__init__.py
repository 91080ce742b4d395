"""Run-times: what executes networks, each a small plug-in behind one door."""

from blockprof.evaluators.runtimes.runtime import (
    PRECISIONS,
    RUNTIMES,
    Engine,
    Feeds,
    Loaded,
    Runtime,
    Settings,
    Shapes,
    StartEngine,
    find_runtime,
    find_target,
    register_runtime,
    runtime_names,
    target_batch,
)

__all__ = [
    "PRECISIONS",
    "RUNTIMES",
    "Engine",
    "Feeds",
    "Loaded",
    "Runtime",
    "Settings",
    "Shapes",
    "StartEngine",
    "find_runtime",
    "find_target",
    "register_runtime",
    "runtime_names",
    "target_batch",
]
