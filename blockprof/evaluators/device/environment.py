"""What a measurement ran on."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from blockprof.evaluators.runtimes import Runtime

_CPU_INFO = Path("/proc/cpuinfo")
_CPU_INFO_NAMES = ("model name", "Model", "Hardware")
_BOARD = Path("/proc/device-tree/model")
_CPU_FOLDER = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Machine:
    """What must stay the same for two latencies to be comparable: technical facts only.

    ``version`` is the run-time's.
    """

    cpu: str
    cores: int
    architecture: str
    system: str
    version: str


@dataclass(frozen=True)
class Environment:
    """The machine, and its state when a measurement began.

    ``governor`` is that of the CPU's frequency, ``load`` the mean number of programs that wanted a core in the minute
    before; None where the system does not tell.
    """

    machine: Machine
    platform: str
    governor: str | None
    load: float | None


def read_environment(runtime: Runtime) -> Environment:
    """Read what this process runs on, and the version of what is to run networks."""
    machine = Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        architecture=platform.machine(),
        system=platform.system(),
        version=runtime.version(),
    )
    return Environment(machine, platform.platform(), _governor(), _load())


def _cpu_model() -> str:
    """The CPU's name on x86; on ARM, whose cpuinfo has none, the board's."""
    lines = _read(_CPU_INFO).splitlines()
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    names = [told.get(name, "") for name in _CPU_INFO_NAMES]
    return next(filter(None, [*names, _read(_BOARD).strip("\0\n"), platform.processor()]), "unknown")


def _governor() -> str | None:
    files = sorted(_CPU_FOLDER.glob("cpu[0-9]*/cpufreq/scaling_governor"))
    return ",".join(sorted({_read(file).strip() for file in files} - {""})) or None


def _load() -> float | None:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _read(path: Path) -> str:
    """The text of a file that the system may lack or keep closed."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
