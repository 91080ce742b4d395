"""Real MLflow stores in temporary folders, real predictors, and a real server."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blockprof import predictors
from blockprof.latency_data import LatencyData
from blockprof.predictors.gru.network import NetworkSpec
from blockprof.predictors.gru.training import fit_gru
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures
from blockprof.tracking.store import begin_stores

MLFLOW_NAMES = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_RUN_ID",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, with MLflow told nothing."""
    for name in MLFLOW_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store without runs, made once: it takes a second."""
    place = tmp_path_factory.mktemp("empty-store")
    with pytest.MonkeyPatch.context() as patch:
        for name in MLFLOW_NAMES:
            patch.delenv(name, raising=False)
        patch.chdir(place)
        begin_stores()
    return place / "mlflow.db"


@pytest.fixture
def store(folder: Path, empty_store: Path) -> Path:
    """A working folder that holds a store without runs."""
    shutil.copy(empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture
def make_latencies() -> Callable[..., LatencyData]:
    """Latencies, ms, of random pn networks: a cost for each block, and noise of ``noise_ms``."""

    def make(num: int, seed: int, noise_ms: float = 0.01, resolution: int = 224) -> LatencyData:
        rng = np.random.default_rng(seed)
        archs = sample_architectures(load_space("pn"), num, rng)
        cost = 0.5 * (archs.blocks + 1).sum(axis=1) * (resolution / 224) ** 2
        return LatencyData(archs, np.full(num, resolution), 5 + cost + rng.normal(0, noise_ms, num), "test-npu")

    return make


@pytest.fixture
def save_predictor(tmp_path: Path) -> Callable[[LatencyData], Path]:
    """Trains a blockwise predictor, saves it, and gives its folder."""

    def save(data: LatencyData) -> Path:
        place = tmp_path / "saved" / data.digest[:8]
        predictors.fit_blockwise(data, "npu", data.resolutions).save(place)
        return place

    return save


@pytest.fixture
def save_gru(tmp_path: Path) -> Callable[[LatencyData], Path]:
    """Trains a small gru for an epoch, saves it, and gives its folder."""

    def save(data: LatencyData) -> Path:
        spec, recipe = NetworkSpec(9, hidden=24), replace(predictors.FAST, epochs=1)
        rows = np.arange(len(data))
        train, dev = data.select(rows[:-20]), data.select(rows[-20:])
        fit_gru(train, dev, "npu", recipe=recipe, spec=spec).model.save(tmp_path / "gru")
        return tmp_path / "gru"

    return save
