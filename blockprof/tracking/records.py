"""Finished runs, found again by id or name, and their tables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import PurePosixPath

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException

from blockprof.foundation.errors import InputError
from blockprof.foundation.text import printable
from blockprof.tracking import store
from blockprof.tracking.location import is_there, sqlite_file, tracking_uri
from blockprof.tracking.runs import COMMAND_TAG, SPACE_TAG
from blockprof.tracking.sending import send, sent

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_MAX_NAMED = 5
_PAGE = 1000
LATEST = "latest"
"""Stands for the newest run where a run's id or name may."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run in the store. ``command`` and ``space`` are empty where blockprof did not log it, or it has no space."""

    id: str
    name: str
    command: str
    space: str
    status: str
    started: datetime
    artifact_uri: str
    tags: Mapping[str, str] = field(hash=False, repr=False)
    params: Mapping[str, str] = field(hash=False, repr=False)


def find_run(id_or_name: str, command: str | None = None, space: str | None = None) -> RunRecord:
    """Find a run of any experiment; ``latest`` is the newest finished one, of a command and a space where given.

    Raises:
        InputError: there is none, or several have the name (the message gives their ids).
        TrackingError: the store does not answer.
    """
    uri = tracking_uri()
    if not _is_store_there(uri):
        raise InputError(
            f"no run '{id_or_name}': {sqlite_file(uri)} does not exist, so nothing is logged here yet", code="no-store"
        )
    if id_or_name == LATEST:
        return _latest(command, space)
    found = send("searching runs", lambda: _by_id(id_or_name) or _by_name(id_or_name))
    if not found:
        raise InputError(f"no run has the id or name '{id_or_name}' in {uri}", code="no-such-run")
    if len(found) > 1:
        named = ", ".join(f"{run.id} ({run.started:%Y-%m-%d %H:%M})" for run in found[:_MAX_NAMED])
        raise InputError(
            f"{len(found)} runs are called '{id_or_name}': give the id of one, newest first: {named}"
            + (", ..." if len(found) > _MAX_NAMED else ""),
            code="several-runs",
        )
    return found[0]


def list_runs(command: str | None = None, space: str | None = None, most: int | None = None) -> list[RunRecord]:
    """The runs of blockprof's commands in all experiments, the newest first: ``most`` of them, all where None.

    There are none where there is no store yet; nothing is created.

    Raises:
        TrackingError: the store does not answer.
    """
    if not _is_store_there(tracking_uri()):
        return []
    asked = [f"tags.`{COMMAND_TAG}` {f'= {_quoted(command)}' if command else '!= ' + _quoted('')}"]
    if space:
        asked.append(f"tags.`{SPACE_TAG}` = {_quoted(space)}")
    return send("listing runs", lambda: _search(" AND ".join(asked), most))


def _is_store_there(uri: str) -> bool:
    store.check_answers(uri)
    database = sqlite_file(uri)
    return database is None or is_there(database)


def _latest(command: str | None, space: str | None) -> RunRecord:
    found = next((run for run in list_runs(command, space) if run.status == "FINISHED"), None)
    if found is None:
        what = f" of `blockprof {command}`" if command else ""
        raise InputError(
            f"no run{what}{f' of {space}' if space else ''} has finished yet",
            where=LATEST,
            remedy="see `blockprof runs`",
            code="no-such-run",
        )
    return found


def _search(asked: str, most: int | None) -> list[RunRecord]:
    client = MlflowClient()
    experiments = [each.experiment_id for each in client.search_experiments()]
    found: list[RunRecord] = []
    token = None
    while True:
        size = _PAGE if most is None else min(_PAGE, most - len(found))
        page = client.search_runs(
            experiments, asked, max_results=size, order_by=["attributes.start_time DESC"], page_token=token
        )
        found += map(_record, page)
        token = page.token
        if not token or (most is not None and len(found) >= most):
            return found


def _quoted(text: str) -> str:
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"


def _by_id(text: str) -> list[RunRecord]:
    if not _RUN_ID.fullmatch(text):
        return []
    try:
        return [_record(MlflowClient().get_run(text))]
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return []
        raise


def _by_name(name: str) -> list[RunRecord]:
    client = MlflowClient()
    experiments = [each.experiment_id for each in client.search_experiments()]
    asked = f"attributes.run_name = {_quoted(name)}"
    runs = client.search_runs(experiments, asked, order_by=["start_time DESC"])
    return [_record(run) for run in runs]


def _record(run: MlflowRun) -> RunRecord:
    tags = run.data.tags
    return RunRecord(
        id=run.info.run_id,
        name=printable(run.info.run_name),
        command=tags.get(COMMAND_TAG, ""),
        space=tags.get(SPACE_TAG, ""),
        status=run.info.status,
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        artifact_uri=run.info.artifact_uri,
        tags=dict(tags),
        params=dict(run.data.params),
    )


@sent("listing the run's files")
def list_frames(run: RunRecord) -> tuple[str, ...]:
    """The names of a run's CSV artifacts, without the ending: ``placements``, ``random``, ``responses``."""
    files = mlflow.artifacts.list_artifacts(artifact_uri=run.artifact_uri)
    names = [PurePosixPath(file.path).name for file in files]
    return tuple(name.removesuffix(".csv") for name in names if name.endswith(".csv"))


@sent("reading the run's files")
def load_frame(run: RunRecord, name: str) -> pd.DataFrame:
    """One of a run's CSV artifacts, by its name in ``list_frames``, with the very numbers that were logged.

    Raises:
        TrackingError: it is not there, or cannot be read.
    """
    return pd.read_csv(StringIO(mlflow.artifacts.load_text(f"{run.artifact_uri}/{name}.csv")))


def load_frames(run: RunRecord) -> dict[str, pd.DataFrame]:
    """All of a run's CSV artifacts by name.

    Raises:
        TrackingError: they cannot be read.
    """
    return {name: load_frame(run, name) for name in list_frames(run)}
