"""Folders that blockprof reads and writes outside of MLflow's store."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import platformdirs
else:
    platformdirs = lazy_import("platformdirs")


DATA_FOLDER = "blockprof-data"


def data_folder() -> Path:
    """Where ``fetch-data`` puts files and metrics look for tables: ``BLOCKPROF_DATA``, else ``./blockprof-data``."""
    return Path(os.environ.get("BLOCKPROF_DATA", DATA_FOLDER))


def cache_folder() -> Path:
    """Where counts, ONNX pieces and downloads are kept: ``BLOCKPROF_CACHE``, else the platform's cache folder."""
    if folder := os.environ.get("BLOCKPROF_CACHE"):
        return Path(folder)
    return platformdirs.user_cache_path("blockprof")


def runtimes_folder() -> Path:
    """Where run-times have environments of their own: ``BLOCKPROF_RUNTIMES``, else in the platform's data folder."""
    if folder := os.environ.get("BLOCKPROF_RUNTIMES"):
        return Path(folder)
    return platformdirs.user_data_path("blockprof") / "runtimes"
