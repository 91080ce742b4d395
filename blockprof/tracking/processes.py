"""Which process a run is of, so that the next command can tell whether it is still there."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import RunStatus

from blockprof.tracking.location import is_there, read_column, sqlite_file, tracking_uri
from blockprof.tracking.translation import translated

FAILURE_TAG = "blockprof.failure"
HOST_TAG = "blockprof.host"
PID_TAG = "blockprof.pid"
_BOOT_TAG = "blockprof.boot_id"
_NAMESPACE_TAG = "blockprof.pid_namespace"
_STARTED_TAG = "blockprof.process_started"

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_ENDED = ("Z", "X")
"""The states of a process that has ended, but that its parent has not asked after."""
_RUNNING = """
SELECT runs.run_uuid FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid
WHERE runs.status = 'RUNNING' AND runs.lifecycle_stage = 'active' AND tags.key = ? AND tags.value = ?
"""


def process_tags() -> dict[str, str]:
    """The tags that say which process begins a run: host, boot, process id, and when it started.

    Where the system does not tell the boot, the start or the namespace of process ids (not Linux), they are empty.
    """
    state_and_start = _state_and_start(os.getpid())
    return {
        HOST_TAG: platform.node(),
        PID_TAG: str(os.getpid()),
        _BOOT_TAG: _boot_id(),
        _NAMESPACE_TAG: _namespace(),
        _STARTED_TAG: state_and_start[1] if state_and_start else "",
    }


def is_gone(tags: Mapping[str, str]) -> bool:
    """Whether the process that a run's tags name was on this host, and is there no more.

    One of another host or of another container, whose process ids are its own, may be there.
    """
    if tags.get(HOST_TAG) != platform.node() or not tags.get(PID_TAG, "").isdecimal():
        return False
    if tags.get(_BOOT_TAG) != _boot_id():
        return True
    if tags.get(_NAMESPACE_TAG) != _namespace():
        return False
    pid = int(tags[PID_TAG])
    if not Path("/proc/self").exists():
        return not _exists(pid)
    found = _state_and_start(pid)
    return found is None or found[0] in _ENDED or found[1] != tags.get(_STARTED_TAG)


def mark_killed(experiment_id: str | None) -> list[str]:
    """Mark runs of this host as KILLED that are RUNNING, and whose process is gone; their ids.

    Of a server, those of the experiment ``experiment_id`` only, where that is known: each command asks it.

    Raises:
        TrackingError: the store does not answer.
    """
    with translated("marking the runs of killed commands"):
        client = MlflowClient()
        gone = [run for run in map(client.get_run, _running(client, experiment_id)) if is_gone(run.data.tags)]
        for run in gone:
            client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))
            client.set_tag(run.info.run_id, FAILURE_TAG, f"its process {run.data.tags[PID_TAG]} was killed")
    return [run.info.run_id for run in gone]


def _running(client: MlflowClient, experiment_id: str | None) -> list[str]:
    """The ids of the runs that processes of this host have begun, and not ended."""
    uri, host = tracking_uri(), platform.node()
    database = sqlite_file(uri)
    if database is not None:
        return read_column(database, _RUNNING, (HOST_TAG, host)) if is_there(database) else []
    known = [experiment_id] if experiment_id else [each.experiment_id for each in client.search_experiments()]
    wanted = f"attributes.status = 'RUNNING' AND tags.`{HOST_TAG}` = '{host}'"
    return [run.info.run_id for run in client.search_runs(known, wanted)]


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, str] | None:
    """A process's state and when it started, in ticks since the boot, as /proc/PID/stat says; None: there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    after_name = text.rpartition(")")[2].split()
    return after_name[0], after_name[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
