"""How many cores this process may use: those of the machine, of its affinity, and of its container's share."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Cores:
    """``count`` cores may be used at once, and ``why`` not more."""

    count: int
    why: str


def usable_cores(cgroups: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> Cores:
    """The least of what the machine has, the affinity (taskset) allows, and the limit of the control group gives.

    Args:
        cgroups: where control groups, of version 2, are mounted.
        own: the file that names this process's group.
    """
    found = [Cores(os.cpu_count() or 1, "the machine has no more")]
    if hasattr(os, "sched_getaffinity"):
        found.append(Cores(len(os.sched_getaffinity(0)), "its affinity allows no more"))
    found += [
        Cores(max(1, math.floor(quota)), "the limit of its container is lower") for quota in _quotas(cgroups, own)
    ]
    return min(found, key=lambda cores: cores.count)


def _quotas(cgroups: Path, own: Path) -> list[float]:
    """The limits, in cores, of the process's group and of those that it is in."""
    line = next((line for line in _read(own).splitlines() if line.startswith("0::")), "0::/")
    group = cgroups / line.removeprefix("0::").strip("/")
    groups = [group, *(parent for parent in group.parents if parent.is_relative_to(cgroups))]
    limits = [_read(each / "cpu.max").split() for each in groups]
    return [int(limit[0]) / int(limit[1]) for limit in limits if len(limit) == 2 and limit[0] != "max"]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
