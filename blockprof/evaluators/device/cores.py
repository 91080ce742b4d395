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
        cgroups: where control groups are mounted: of version 2, or of version 1, a folder a controller.
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
    quotas = []
    for line in _read(own).splitlines() or ["0::/"]:
        _, controllers, group = line.split(":", 2)
        mount = cgroups / controllers
        names = ["cpu.cfs_quota_us", "cpu.cfs_period_us"] if "cpu" in controllers.split(",") else []
        if not controllers:
            names = ["cpu.max"]
        place = mount / group.strip("/")
        for each in (place, *(parent for parent in place.parents if parent.is_relative_to(mount))):
            limit = " ".join(_read(each / name) for name in names).split()
            if len(limit) == 2 and limit[0] not in ("max", "-1"):
                quotas.append(int(limit[0]) / int(limit[1]))
    return quotas


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
