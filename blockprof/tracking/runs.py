"""One run a command: begun, logged to, and ended as what it was: finished, failed or killed."""

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from itertools import count
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import LifecycleStage, RunTag
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import (
    MLFLOW_LOGGED_ARTIFACTS,
    MLFLOW_LOGGED_IMAGES,
    MLFLOW_RUN_NAME,
    MLFLOW_RUN_NOTE,
)
from mlflow.utils.time import get_current_time_millis
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH
from PIL import Image

from blockprof.foundation import interrupts
from blockprof.foundation.errors import InputError, ServerGoneError, TrackingError
from blockprof.foundation.extras import installed_version
from blockprof.foundation.text import command_line, masked, printable, shown
from blockprof.tracking import sending, settings, store
from blockprof.tracking.location import is_there, read_column, sqlite_file, tracking_uri
from blockprof.tracking.outbox import Outgoing
from blockprof.tracking.processes import FAILURE_TAG, mark_killed, process_tags
from blockprof.tracking.translation import one_line, translated

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMMAND_TAG = "blockprof.command"
SPACE_TAG = "blockprof.space"
_RUN_ID = "MLFLOW_RUN_ID"
_BEGUN_TAG = "blockprof.begun"
_VERSIONED = ("torch", "ofa", "numpy", "mlflow")
_MAX_DIGEST_LENGTH = 32
_DOTS_PER_INCH = 150
_SMALL_PIXELS = 256
"""The greatest side of the image that MLflow's pages show first."""
_ENDING_SECONDS = 1.5
_ROOM_BYTES = 8_000_000
"""What a run writes at most, but for a training on thousands of networks: figures, tables, a report, a predictor."""

_NAMED_SO = "SELECT name FROM runs WHERE name = ? OR name LIKE ?"

_log = logging.getLogger("blockprof")


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is under way. What is logged is kept in the outbox, and sent to the store when the run ends, or
    :meth:`send` says so.

    ``is_given`` says that MLFLOW_RUN_ID names it: it was there before.
    """

    id: str
    name: str
    outgoing: Outgoing = field(repr=False, compare=False)
    is_given: bool = False

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log params. A value longer than MLflow takes is cut, and is whole in the artifact ``params/<key>.txt``."""
        for key, value in params.items():
            text = shown(str(value))
            if len(text) > MAX_PARAM_VAL_LENGTH:
                self.log_text(text, f"params/{key}.txt")
                text = f"{text[: MAX_PARAM_VAL_LENGTH - 1]}…"
            self.outgoing.params[key] = text

    def log_tags(self, tags: Mapping[str, object]) -> None:
        """Log tags."""
        self.outgoing.tags |= {key: shown(str(value)) for key, value in tags.items()}

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics, all at one time and at step 0. Names hold letters, digits and ``_ - . : /`` and blanks."""
        self._add_points([(key, value, 0) for key, value in metrics.items()])

    def log_steps(self, steps: Mapping[int, Mapping[str, float]]) -> None:
        """Log the metrics of each step, such as a generation, all at one time; MLflow draws them as curves."""
        self._add_points([(key, value, step) for step, metrics in steps.items() for key, value in metrics.items()])

    def _add_points(self, points: Sequence[tuple[str, float, int]]) -> None:
        now = get_current_time_millis()
        self.outgoing.points.extend((key, float(value), now, step) for key, value, step in points)

    def log_frame(self, frame: pd.DataFrame, path: str) -> None:
        """Log a frame as a CSV artifact, without its index; ``load_frames`` gives the same numbers back."""
        self.log_text(frame.to_csv(index=False), path)

    def log_table(self, frame: pd.DataFrame, path: str) -> None:
        """Log a frame as a table that MLflow's own pages show, and compare across runs; ``path`` ends in ``.json``."""
        self.log_text(frame.to_json(orient="split", index=False), path)
        tables = [*json.loads(self.outgoing.tags.get(MLFLOW_LOGGED_ARTIFACTS, "[]")), {"path": path, "type": "table"}]
        self.outgoing.tags[MLFLOW_LOGGED_ARTIFACTS] = json.dumps(tables)

    def log_figure(self, figure: "Figure", path: str, *, as_image: bool = True) -> None:
        """Log a figure in the format of its ending. With ``as_image``, a PNG is among the charts of the run, too.

        MLflow finds images by their names: ``images/<key>+step+<step>+timestamp+<ms>+<uuid>``, with a small one beside.
        """
        with self.outgoing.file(path) as file:
            figure.savefig(file, dpi=_DOTS_PER_INCH)
        if not (as_image and path.endswith(".png")):
            return
        key = PurePosixPath(path).stem
        image = f"images/{key}+step+0+timestamp+{get_current_time_millis()}+{uuid4()}"
        with self.outgoing.file(f"{image}.png") as whole, self.outgoing.file(f"{image}+compressed.webp") as small:
            shutil.copyfile(file, whole)
            with Image.open(file) as picture:
                picture.thumbnail((_SMALL_PIXELS, _SMALL_PIXELS))
                picture.save(small)
        self.outgoing.tags[MLFLOW_LOGGED_IMAGES] = "True"

    def describe(self, *lines: str) -> None:
        """Say on the run's page what was found, and by which command, in Markdown."""
        found = "\n".join(shown(line) for line in lines)
        self.outgoing.tags[MLFLOW_RUN_NOTE] = masked(f"{found}\n\n    {shown(command_line())}")

    def log_text(self, text: str, path: str) -> None:
        """Log a text as an artifact."""
        with self.outgoing.file(path) as file:
            file.write_text(masked(text), encoding="utf-8", newline="")

    def log_dataset(self, frame: pd.DataFrame, *, source: str, name: str, digest: str, context: str) -> None:
        """Log which data the run used: not the rows, but their columns, number, source and digest.

        Args:
            frame: the rows.
            source: the path or URL of the file they are from.
            name: what the UI calls them.
            digest: of their content; MLflow keeps the first 32 characters.
            context: ``training`` or ``testing``.
        """
        with translated("describing the dataset"):
            dataset = from_pandas(frame, source=shown(source), name=shown(name), digest=digest[:_MAX_DIGEST_LENGTH])
            self.outgoing.datasets.append({**dataset.to_dict(), "context": context})

    def log_models(self, uris: Iterable[str]) -> None:
        """Log which registered models, as ``models:/NAME/VERSION``, the run used: MLflow links their pages and its."""
        self.outgoing.models.extend(uris)

    def send(self) -> None:
        """Send all that was logged so far, which is complete but for what the store answers.

        From here on another command can log it, where this one cannot.

        Raises:
            InputError: the run that MLFLOW_RUN_ID names has other params.
            ServerGoneError: the store's server is gone.
            TrackingError: the store refuses, or the disk is full.
        """
        self.outgoing.seal()
        try:
            self.outgoing.send()
        except TrackingError as error:
            if self.is_given and _is_refusal(error):
                raise InputError(
                    f"{_RUN_ID}={self.id} is run '{self.name}' of other params ({error})",
                    remedy="unset it, or give the options that the run was begun with",
                    code="run-of-other-params",
                ) from error
            raise


def _unique(name: str) -> str:
    """A name with a number where the local store has runs of that name; of a server, which would be asked, the time."""
    database = sqlite_file(tracking_uri())
    if database is None:
        return f"{name} {datetime.now():%m-%d %H:%M:%S}"
    taken = set(read_column(database, _NAMED_SO, (name, f"{name} %"))) if is_there(database) else set()
    numbered = (f"{name} {number}" for number in count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


@dataclass
class _Begun:
    """The run of a command, known from the moment that the store has made it: see :func:`_begin`."""

    run: Run | None = None


@contextmanager
def start_run(
    command: str,
    *,
    name: str | None = None,
    subject: str = "",
    experiment: str | None = None,
    space: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
) -> Iterator[Run]:
    """Begin a run, and end it with the block: FINISHED, FAILED or, by Ctrl-C, SIGTERM or SIGHUP, KILLED.

    A run that is already active in this thread is logged to, and neither renamed nor ended. A store that does not exist
    yet is created. Where the store cannot take what the whole block logged, it stays in the outbox of the data folder.

    Args:
        command: which command of blockprof it is.
        name: of the run; where there is none, the command with its space and ``subject``, made unique.
        subject: what the run is of, such as the metrics that are profiled.
        experiment: it goes to; default: MLFLOW_EXPERIMENT_NAME, else ``blockprof``.
        space: the design space, where there is one.
        params: logged with the rest.
        tags: logged at the start, beside the command's, the space's, the versions' and the git commit's.

    Raises:
        TrackingError: the store cannot be reached or written to; found before the run is begun.
        InputError: the experiment is deleted.
    """
    outer = mlflow.active_run()
    all_tags = {**_origin_tags(command, space), **{key: shown(str(value)) for key, value in (tags or {}).items()}}
    begun = _Begun()
    with settings.applied(), interrupts.handled():
        try:
            if outer is None:
                store.check_store(experiment)
                store.check_room(_ROOM_BYTES)
                store.begin_stores()
                experiment_id = store.known_experiment(experiment)
                sending.send("looking for runs of killed commands", lambda: mark_killed(experiment_id))
                default = " ".join(filter(None, (command, space, subject)))
                _begin(begun, command, name, default, experiment, all_tags)
            else:
                begun.run = _run_of(outer, command)
                begun.run.log_tags(all_tags)
            run = begun.run
            assert run is not None
            run.log_params(params or {})
            yield run
            run.send()
            interrupts.work_is_done()
            if outer or run.is_given:
                sending.send("ending the run", lambda: clear_failure(run.id))
            if outer is None:
                sending.send("ending the run", lambda: MlflowClient().set_terminated(run.id, "FINISHED"))
        except BaseException as error:
            if begun.run:
                _end_failed(begun.run, error, is_ours=outer is None)
            raise
        run.outgoing.remove()


def _begin(
    begun: _Begun, command: str, name: str | None, default: str, experiment: str | None, tags: dict[str, str]
) -> None:
    """Make the run. Its id is in ``begun`` as soon as there is one, though a signal may end the wait for it.

    One that MLFLOW_RUN_ID names is renamed if there is a ``name``; without one, another is called ``default``.
    """
    client, mark = MlflowClient(), {_BEGUN_TAG: uuid4().hex}
    asked: list[str] = []
    shown_name = printable(name or _unique(default))
    all_tags = {**tags, **process_tags()}
    context = resolve_tags({**all_tags, **mark, MLFLOW_RUN_NAME: shown_name})

    def begin() -> None:
        if given := os.environ.get(_RUN_ID):
            begun.run = _adopt(client, given, command, name, all_tags)
            os.environ.pop(_RUN_ID)  # as MLflow does: the next run is another one
            return
        experiment_id = store.begin_experiment(experiment)
        # Where no answer came, the run may be there all the same.
        made = client.search_runs([experiment_id], _having(mark)) if asked else []
        asked.append(experiment_id)
        begun.run = _run_of(made[0] if made else client.create_run(experiment_id, None, context, shown_name), command)

    sending.send("beginning a run", begin)


def _having(tag: Mapping[str, str]) -> str:
    return " and ".join(f"tags.`{key}` = '{value}'" for key, value in tag.items())


def _adopt(client: MlflowClient, run_id: str, command: str, name: str | None, tags: Mapping[str, str]) -> Run:
    """Go on with the run that MLFLOW_RUN_ID names, as MLflow does."""
    try:
        if client.get_run(run_id).info.lifecycle_stage != LifecycleStage.ACTIVE:
            raise InputError(f"{_RUN_ID}={run_id}: the run is deleted: unset it, or restore the run")
        client.update_run(run_id, "RUNNING", name and printable(name))
    except MlflowException as error:
        if sending.describe_illness(error):
            raise
        raise InputError(
            f"{_RUN_ID}={run_id}: {one_line(error)}: unset it, or give the id of a run", code="no-such-run"
        ) from error
    run = replace(_run_of(client.get_run(run_id), command), is_given=True)
    run.log_tags(tags)
    return run


def clear_failure(run_id: str) -> None:
    """Take back what an earlier command said of its failure, now that one has succeeded in the same run."""
    client = MlflowClient()
    tags = client.get_run(run_id).data.tags
    if FAILURE_TAG in tags:
        client.delete_tag(run_id, FAILURE_TAG)
        if tags.get(MLFLOW_RUN_NOTE, "").endswith(tags[FAILURE_TAG]):
            client.delete_tag(run_id, MLFLOW_RUN_NOTE)


def _run_of(run: MlflowRun, command: str) -> Run:
    info = run.info
    places = (sending.server(), info.experiment_id, info.artifact_uri)
    return Run(info.run_id, info.run_name, Outgoing(info.run_id, info.run_name, command, *places))


def _end_failed(run: Run, error: BaseException, *, is_ours: bool) -> None:
    """Say in the store what became of the run, and keep or log what it holds."""
    number = interrupts.pending()
    is_signal = number is not None or isinstance(error, KeyboardInterrupt)
    is_kept = run.outgoing.is_whole and (is_signal or (isinstance(error, TrackingError) and not _is_refusal(error)))
    if is_kept:
        _log.warning("what was to be logged is kept in %s: `blockprof resume` logs it", run.outgoing.folder)
    if is_signal:
        interrupts.heard()
        name = number.name if number else "SIGINT"
        _mark(run, "KILLED", f"interrupted by {name}", is_ours=is_ours, seconds=_ENDING_SECONDS)
    else:
        _mark(run, "FAILED", f"{type(error).__name__}: {one_line(error)}", is_ours=is_ours)
        if not run.outgoing.is_whole:
            _log_rest(run)
    if not is_kept:
        run.outgoing.remove()


def _mark(run: Run, status: str, reason: str, *, is_ours: bool, seconds: float | None = None) -> None:
    """End a run before it is tagged: whatever happens between, it does not look as if it still ran, or had finished."""
    tags = {FAILURE_TAG: reason, **({MLFLOW_RUN_NOTE: f"{status.lower()}: {reason}"} if is_ours else {})}

    def mark() -> None:
        if is_ours:
            MlflowClient().set_terminated(run.id, status)
        MlflowClient().log_batch(run.id, tags=[RunTag(*pair) for pair in tags.items()])

    task = "marking the run"
    try:
        if seconds is None:
            sending.send(task, mark)
        else:
            with translated(task):
                sending.waited_for(task, mark, seconds)
    except TrackingError as error:
        _log.warning("run %s could not be marked %s and is left RUNNING: %s", run.id, status, error)


def _log_rest(run: Run) -> None:
    try:
        run.outgoing.send()
    except TrackingError as error:
        _log.warning("what run %s held when it failed is lost: %s", run.id, error)


def _is_refusal(error: BaseException) -> bool:
    """Whether MLflow says that what it is given is wrong: it would say so again."""
    cause = error.__cause__
    refused = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    return not isinstance(error, ServerGoneError) and isinstance(cause, MlflowException) and cause.error_code in refused


def _origin_tags(command: str, space: str | None) -> dict[str, str]:
    tags = {COMMAND_TAG: command, "blockprof.version": version("blockprof")}
    tags |= {f"version.{package}": found for package in _VERSIONED if (found := installed_version(package))}
    if space is not None:
        tags[SPACE_TAG] = space
    if commit := _git_commit():
        tags["blockprof.git_commit"] = commit
    return tags


def _git_commit() -> str | None:
    """The commit that the working folder is at; None where it is in no git repository, or git is not there."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None
