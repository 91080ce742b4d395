"""Train a latency predictor and test it on held-out networks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.arrays import BoolArray
from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import Evaluation, evaluate
from blockprof.predictors.fitting import fit_sound_rows
from blockprof.predictors.gru.recipe import PAPER, Recipe
from blockprof.predictors.outlier_rows import Outliers
from blockprof.predictors.prediction import Predictor
from blockprof.predictors.splitting import Split, split_by_network

if TYPE_CHECKING:
    from blockprof.predictors.gru.training import Epoch


@dataclass(frozen=True, eq=False)
class TrainedPredictor:
    """A predictor, the rows it was trained and tested on, its scores, and the seconds that training took.

    Of a gru that went on from its checkpoint, ``seconds`` counts those before too. ``recipe`` and ``epochs`` are a
    gru's; None and empty where another kind was trained, or none was. ``source`` is the file of a model that was not
    trained here, whose own training rows are not known: those of ``split`` may be among them. ``is_sound`` says which
    of the rows ``split.train`` it was fitted to; the others are outliers.
    """

    model: Predictor
    split: Split
    dev: Evaluation
    test: Evaluation
    seconds: float
    recipe: Recipe | None = None
    epochs: "tuple[Epoch, ...]" = ()
    source: Path | None = None
    is_sound: BoolArray | None = None

    @property
    def outliers(self) -> Outliers:
        """The rows that are outliers to it."""
        left_out = self.split.train[:0] if self.is_sound is None else self.split.train[~self.is_sound]
        return Outliers(left_out, self.split.dev[self.dev.is_outlier], self.split.test[self.test.is_outlier])


@dataclass(frozen=True, slots=True)
class GruOptions:
    """How :func:`train_predictor` trains a gru: see :func:`blockprof.predictors.gru.training.fit_gru`."""

    recipe: Recipe = PAPER
    device: str = "cpu"
    checkpoint: Path | None = None
    on_epoch: "Callable[[Epoch], None] | None" = None


def train_predictor(
    data: LatencyData, metric: str, seed: int = 0, train_size: int | None = None, gru: GruOptions | None = None
) -> TrainedPredictor:
    """Split ``data`` by ``seed``, train a predictor called ``metric``, and evaluate it.

    It knows the resolutions of the whole of ``data``, and those between. ``train_size`` trains it on so many networks
    only, with the held-out ones unchanged. It is the blockwise predictor, or with ``gru`` the paper's, of which the dev
    rows choose the epoch and the interval. Training rows that are outliers to the blockwise predictor are left out, of
    either kind and of the baselines.

    Raises:
        BlockprofError: the training of a gru diverged.
        DataFileError: fewer than 20 different networks, or a checkpoint of another training.
        InputError: a ``train_size`` below 5, or above the number of training networks; a device that torch has not.
    """
    split = split_by_network(data, seed, train_size)
    train, dev = data.select(split.train), data.select(split.dev)
    epochs: tuple[Epoch, ...] = ()
    start = time.perf_counter()
    found = fit_sound_rows(train, metric, data.resolutions)
    model: Predictor = found.model
    seconds = time.perf_counter() - start
    sound = train.select(found.is_sound)
    if gru:
        from blockprof.predictors.gru.training import fit_gru

        fitted = fit_gru(
            sound,
            dev,
            metric,
            resolutions=data.resolutions,
            recipe=gru.recipe,
            seed=seed,
            device=gru.device,
            checkpoint=gru.checkpoint,
            on_epoch=gru.on_epoch,
        )
        model, epochs, seconds = fitted.model, fitted.epochs, fitted.seconds
    return TrainedPredictor(
        model=model,
        split=split,
        dev=evaluate(model, sound, dev),
        test=evaluate(model, sound, data.select(split.test)),
        seconds=seconds,
        recipe=gru.recipe if gru else None,
        epochs=epochs,
        is_sound=found.is_sound,
    )


def checkpoint_path(
    folder: Path, data: LatencyData, metric: str, recipe: Recipe, seed: int = 0, train_size: int | None = None
) -> Path:
    """Where in ``folder`` a gru's training of those rows, by that recipe and seed, keeps its state: a file of its own.

    Raises:
        DataFileError, InputError: as :func:`train_predictor`.
    """
    from blockprof.predictors.gru.features import num_operators
    from blockprof.predictors.gru.network import NetworkSpec
    from blockprof.predictors.gru.training import training_fingerprint

    split = split_by_network(data, seed, train_size)
    spec = NetworkSpec(num_operators(data.space))
    found = training_fingerprint(data.select(split.train), data.select(split.dev), recipe, seed, spec)
    return folder / f"gru_{data.space.name}_{metric}_{found[:12]}.checkpoint"
