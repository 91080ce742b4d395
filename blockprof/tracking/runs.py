"""One run a command: begun, logged to, and ended as what it was: finished, failed or killed."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.time import get_current_time_millis
from mlflow.utils.validation import MAX_METRICS_PER_BATCH, MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH

from blockprof.errors import InputError, TrackingError
from blockprof.text import masked, printable, shown
from blockprof.tracking import store
from blockprof.tracking.processes import FAILURE_TAG, mark_killed, process_tags
from blockprof.tracking.translation import one_line, translated

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMMAND_TAG = "blockprof.command"
SPACE_TAG = "blockprof.space"
_RUN_ID = "MLFLOW_RUN_ID"
_NOTE_TAG = "mlflow.note.content"
_VERSIONED = ("torch", "ofa", "numpy", "mlflow")
_MAX_DIGEST_LENGTH = 32
_DOTS_PER_INCH = 150


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is under way. Every method raises ``TrackingError`` where the store cannot take what is logged.

    ``is_given`` says that MLFLOW_RUN_ID names it: it was there before.
    """

    id: str
    name: str
    is_given: bool = False

    @translated("logging params")
    def log_params(self, params: Mapping[str, object]) -> None:
        """Log params. A value longer than MLflow takes is cut, and is whole in the artifact ``params/<key>.txt``.

        Raises:
            InputError: the run that MLFLOW_RUN_ID names has other params.
        """
        texts = {key: shown(str(value)) for key, value in params.items()}
        for key, text in texts.items():
            if len(text) > MAX_PARAM_VAL_LENGTH:
                MlflowClient().log_text(self.id, text, f"params/{key}.txt")
                texts[key] = f"{text[: MAX_PARAM_VAL_LENGTH - 1]}…"
        entities = [Param(key, text) for key, text in texts.items()]
        try:
            for start in range(0, len(entities), MAX_PARAMS_TAGS_PER_BATCH):
                MlflowClient().log_batch(self.id, params=entities[start : start + MAX_PARAMS_TAGS_PER_BATCH])
        except MlflowException as error:
            if self.is_given and error.error_code == "INVALID_PARAMETER_VALUE":
                raise InputError(
                    f"{_RUN_ID}={self.id} is run '{self.name}' of other params ({one_line(error)}): unset it, or give "
                    "the options that the run was begun with"
                ) from error
            raise

    @translated("logging tags")
    def log_tags(self, tags: Mapping[str, object]) -> None:
        """Log tags."""
        entities = [RunTag(key, shown(str(value))) for key, value in tags.items()]
        for start in range(0, len(entities), MAX_PARAMS_TAGS_PER_BATCH):
            MlflowClient().log_batch(self.id, tags=entities[start : start + MAX_PARAMS_TAGS_PER_BATCH])

    @translated("logging metrics")
    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log metrics, all at one time and at step 0. Names hold letters, digits and ``_ - . : /`` and blanks."""
        self._log_points([(key, value, 0) for key, value in metrics.items()])

    @translated("logging metrics by step")
    def log_steps(self, steps: Mapping[int, Mapping[str, float]]) -> None:
        """Log the metrics of each step, such as a generation, all at one time; MLflow draws them as curves."""
        self._log_points([(key, value, step) for step, metrics in steps.items() for key, value in metrics.items()])

    def _log_points(self, points: Sequence[tuple[str, float, int]]) -> None:
        now = get_current_time_millis()
        entities = [Metric(key, float(value), now, step) for key, value, step in points]
        for start in range(0, len(entities), MAX_METRICS_PER_BATCH):
            MlflowClient().log_batch(self.id, metrics=entities[start : start + MAX_METRICS_PER_BATCH])

    @translated("logging a table")
    def log_frame(self, frame: pd.DataFrame, path: str) -> None:
        """Log a frame as a CSV artifact, without its index; ``load_frames`` gives the same numbers back."""
        MlflowClient().log_text(self.id, frame.to_csv(index=False), path)

    @translated("logging a figure")
    def log_figure(self, figure: "Figure", path: str) -> None:
        """Log a figure; the ending of ``path`` (``.png``, ``.svg``) decides the format."""
        MlflowClient().log_figure(self.id, figure, path, save_kwargs={"dpi": _DOTS_PER_INCH})

    @translated("logging a text")
    def log_text(self, text: str, path: str) -> None:
        """Log a text as an artifact."""
        MlflowClient().log_text(self.id, masked(text), path)

    @translated("logging the dataset")
    def log_dataset(self, frame: pd.DataFrame, *, source: str, name: str, digest: str, context: str) -> None:
        """Log which data the run used: not the rows, but their columns, number, source and digest.

        Args:
            frame: the rows.
            source: the path or URL of the file they are from.
            name: what the UI calls them.
            digest: of their content; MLflow keeps the first 32 characters.
            context: ``training`` or ``testing``.
        """
        dataset = from_pandas(frame, source=shown(source), name=shown(name), digest=digest[:_MAX_DIGEST_LENGTH])
        mlflow.log_input(dataset, context=context)


class _TerminatedError(SystemExit):
    """SIGTERM or SIGHUP, raised where the program is, so that it ends in order with the shell's exit code."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal_name = signal.Signals(number).name


@contextmanager
def start_run(
    command: str,
    *,
    name: str | None = None,
    experiment: str | None = None,
    space: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
) -> Iterator[Run]:
    """Begin a run, and end it with the block: FINISHED, FAILED or, by Ctrl-C, SIGTERM or SIGHUP, KILLED.

    A run that is already active in this thread is logged to, and neither renamed nor ended. A store that does not exist
    yet is created.

    Args:
        command: which command of blockprof it is.
        name: of the run; MLflow makes one up where there is none.
        experiment: it goes to; default: MLFLOW_EXPERIMENT_NAME, else ``blockprof``.
        space: the design space, where there is one.
        params: logged at the start.
        tags: logged at the start, beside the command's, the space's, the versions' and the git commit's.

    Raises:
        TrackingError: the store cannot be reached or written to; found before the run is begun.
        InputError: the experiment is deleted.
    """
    outer, given = mlflow.active_run(), os.environ.get(_RUN_ID)
    all_tags = {**_origin_tags(command, space), **(tags or {})}
    with _signals_raised():
        if outer is None:
            store.check_store(experiment)
            store.begin_stores()
            mark_killed()
        try:
            active = outer or _begin(name, experiment, given)
            run = Run(active.info.run_id, active.info.run_name, is_given=given == active.info.run_id)
            run.log_tags(all_tags)
            run.log_params(params or {})
            yield run
        except BaseException as error:
            _end_failed(error, is_ours=outer is None)
            raise
        with translated("ending the run"):
            if outer or given:
                _clear_failure(run.id)
            if outer is None:
                mlflow.end_run()


@translated("beginning a run")
def _begin(name: str | None, experiment: str | None, given: str | None) -> mlflow.ActiveRun:
    experiment_id = store.begin_experiment(experiment)
    shown_name = printable(name) if name else None
    try:
        return mlflow.start_run(run_name=shown_name, experiment_id=experiment_id, tags=process_tags())
    except MlflowException as error:
        if given is None:
            raise
        raise InputError(f"{_RUN_ID}={given}: {one_line(error)}: unset it, or give the id of a run") from error


def _clear_failure(run_id: str) -> None:
    """Take back what an earlier command said of its failure, now that one has succeeded in the same run."""
    client = MlflowClient()
    tags = client.get_run(run_id).data.tags
    if FAILURE_TAG in tags:
        client.delete_tag(run_id, FAILURE_TAG)
        if tags.get(_NOTE_TAG, "").endswith(tags[FAILURE_TAG]):
            client.delete_tag(run_id, _NOTE_TAG)


def _end_failed(error: BaseException, *, is_ours: bool) -> None:
    active = mlflow.active_run()
    if active is None:
        return
    match error:
        case _TerminatedError():
            status, reason = "KILLED", f"interrupted by {error.signal_name}"
        case KeyboardInterrupt():
            status, reason = "KILLED", "interrupted by SIGINT"
        case _:
            status, reason = "FAILED", f"{type(error).__name__}: {one_line(error)}"
    run = Run(active.info.run_id, active.info.run_name)
    try:
        run.log_tags({FAILURE_TAG: reason})
        if is_ours:
            run.log_tags({_NOTE_TAG: f"{status.lower()}: {reason}"})
            mlflow.end_run(status)
    except (TrackingError, MlflowException) as second:
        error.add_note(f"run {run.id} could not be marked {status}: {one_line(second)}")


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Raise SIGTERM and SIGHUP as exceptions, where they would otherwise end the process without a word."""
    if current_thread() is not main_thread():
        yield
        return

    def terminate(number: int, _: FrameType | None) -> None:
        raise _TerminatedError(number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    taken = [number for name in names if signal.getsignal(number := signal.Signals[name]) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, terminate)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _origin_tags(command: str, space: str | None) -> dict[str, str]:
    tags = {COMMAND_TAG: command, "blockprof.version": version("blockprof")}
    tags |= {f"version.{package}": version(package) for package in _VERSIONED}
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
