"""What the choice of a champion needs of a training, kept in a folder so that another command can choose."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.foundation.lazy import lazy_import
from blockprof.latency_data import LatencyData
from blockprof.output.runs.champion import KeptTraining, choose_champion
from blockprof.spaces import Architectures, load_space
from blockprof.tracking import Choice

if TYPE_CHECKING:
    from blockprof import predictors
    from blockprof.predictors import CrossValidation, TrainedPredictor, prediction
else:
    prediction = lazy_import("blockprof.predictors.prediction")
    predictors = lazy_import("blockprof.predictors")

_FILE = "training.npz"


def keep_training(
    folder: Path, trained: "TrainedPredictor", data: LatencyData, folds: "CrossValidation | None" = None
) -> None:
    """Write what :func:`choose_by_kept` reads into ``folder``."""
    split, said = trained.split, folds.prediction if folds else None
    np.savez(
        folder / _FILE,
        space=data.space.name,
        nets=np.asarray(data.archs.to_strings()),
        resolutions=data.resolutions,
        latencies_ms=data.latencies_ms,
        device=data.device,
        train=split.train,
        dev=split.dev,
        test=split.test,
        source=str(trained.source or ""),
        folds=np.stack([said.latency_ms, said.lower_ms, said.upper_ms]) if said else np.empty((0, 3)),
    )


def choose_by_kept(folder: Path, files: Path) -> Choice:
    """Choose as the training did whose predictor is in ``files``; :func:`keep_training` wrote ``folder``."""
    with np.load(folder / _FILE, allow_pickle=False) as kept:
        archs = Architectures.from_strings(load_space(str(kept["space"])), kept["nets"].tolist())
        data = LatencyData(archs, kept["resolutions"], kept["latencies_ms"], str(kept["device"]))
        split = predictors.Split(kept["train"], kept["dev"], kept["test"])
        source, said = str(kept["source"]), kept["folds"]
    folds = predictors.CrossValidation(data, prediction.Prediction(*said)) if len(said) else None
    training = KeptTraining(predictors.load_predictor(files), split, Path(source) if source else None)
    return choose_champion(training, data, folds)
