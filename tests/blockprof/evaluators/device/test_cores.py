"""The cores that a process may use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blockprof.evaluators.device.cores import Cores, usable_cores


def test_the_limit_of_a_container_and_of_those_it_is_in(tmp_path: Path) -> None:
    own = tmp_path / "self"
    own.write_text("1:name=systemd:/x\n0::/outer/inner\n")
    inner = tmp_path / "groups" / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n")
    machine = usable_cores(tmp_path / "groups", own)
    (inner.parent / "cpu.max").write_text("150000 100000\n")
    assert usable_cores(tmp_path / "groups", own) == Cores(1, "the limit of its container is lower")
    (inner.parent / "cpu.max").write_text("99900000 100000\n")
    assert usable_cores(tmp_path / "groups", own) == machine


def test_the_limit_of_a_container_of_the_first_version(tmp_path: Path) -> None:
    own = tmp_path / "self"
    own.write_text("4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n")
    group = tmp_path / "groups" / "cpu,cpuacct" / "docker" / "a"
    group.mkdir(parents=True)
    (group / "cpu.cfs_period_us").write_text("100000\n")
    (group / "cpu.cfs_quota_us").write_text("-1\n")
    machine = usable_cores(tmp_path / "groups", own)
    assert machine.why != "the limit of its container is lower"
    (group / "cpu.cfs_quota_us").write_text("100000\n")
    assert usable_cores(tmp_path / "groups", own) == Cores(1, "the limit of its container is lower")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_the_affinity() -> None:
    script = (
        "import os; from blockprof.evaluators.device.cores import usable_cores; "
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(usable_cores().count)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
