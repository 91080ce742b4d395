"""Runs, predictors and their artifacts in MLflow: the only part of blockprof that imports it.

``import mlflow`` takes one to two seconds, so names are looked up when they are first used, and those that need no
MLflow (``list_predictors`` and ``find_champion`` where nothing is stored yet) do not import it.
"""

import importlib
import warnings
from typing import TYPE_CHECKING

from blockprof.tracking import settings

if TYPE_CHECKING:
    from blockprof.tracking.champion import Choice
    from blockprof.tracking.predictors import RegisteredPredictor, log_predictor
    from blockprof.tracking.records import RunRecord, find_run, list_frames, list_runs, load_frame, load_frames
    from blockprof.tracking.registry import (
        OtherModel,
        PredictorVersion,
        StoredPredictor,
        find_champion,
        find_other_model,
        find_predictor,
        find_predictor_of,
        is_other_model,
        is_predictor_name,
        list_predictors,
        list_versions,
    )
    from blockprof.tracking.resuming import Resumed, resume
    from blockprof.tracking.runs import Run, start_run
    from blockprof.tracking.store import check_store

__all__ = [
    "Choice",
    "OtherModel",
    "PredictorVersion",
    "RegisteredPredictor",
    "Resumed",
    "Run",
    "RunRecord",
    "StoredPredictor",
    "check_store",
    "find_champion",
    "find_other_model",
    "find_predictor",
    "find_predictor_of",
    "find_run",
    "is_other_model",
    "is_predictor_name",
    "list_frames",
    "list_predictors",
    "list_runs",
    "list_versions",
    "load_frame",
    "load_frames",
    "log_predictor",
    "resume",
    "start_run",
]

_MODULES = {
    "Choice": "champion",
    "OtherModel": "registry",
    "PredictorVersion": "registry",
    "RegisteredPredictor": "predictors",
    "Resumed": "resuming",
    "Run": "runs",
    "RunRecord": "records",
    "StoredPredictor": "registry",
    "check_store": "store",
    "find_champion": "registry",
    "find_other_model": "registry",
    "find_predictor": "registry",
    "find_predictor_of": "registry",
    "find_run": "records",
    "is_other_model": "registry",
    "is_predictor_name": "registry",
    "list_frames": "records",
    "list_predictors": "registry",
    "list_runs": "records",
    "list_versions": "registry",
    "load_frame": "records",
    "load_frames": "records",
    "log_predictor": "predictors",
    "resume": "resuming",
    "start_run": "runs",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    with settings.applied(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing MLflow warns of its own deprecations and type hints
        module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    return getattr(module, name)
