"""What MLflow is told by environment variables, where the user has not set them: for the command, or around calls."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # else it asks config.mlflow-telemetry.io
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",  # seconds without a byte; its own 120, eight times over, are 16 minutes
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # else it prints SQL, of errors that are told as ours
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # else a uv.lock in the working folder is copied into every predictor
}
_lock = Lock()
_users = 0
_set: list[str] = []


def set_for_process() -> None:
    """Set them for good: the process is the command's own."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


@contextmanager
def applied() -> Iterator[None]:
    """Set them while the block runs, in whatever threads; afterwards the caller's environment is as it was."""
    global _users
    with _lock:
        if not _users:
            _set.extend(name for name in _DEFAULTS if name not in os.environ)
            set_for_process()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                while _set:
                    os.environ.pop(_set.pop(), None)
