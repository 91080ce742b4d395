"""Train a latency predictor and test it on held-out networks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import Evaluation, evaluate
from blockprof.predictors.fitting import fit_blockwise
from blockprof.predictors.gru.recipe import PAPER, Recipe
from blockprof.predictors.prediction import Predictor
from blockprof.predictors.splitting import Split, split_by_network

if TYPE_CHECKING:
    from blockprof.predictors.gru.training import Epoch


@dataclass(frozen=True, eq=False)
class TrainedPredictor:
    """A predictor, the rows it was trained and tested on, its scores, and the seconds that training took.

    Of a gru that went on from its checkpoint, ``seconds`` counts those before too. ``recipe`` and ``epochs`` are a
    gru's; None and empty where another kind was trained, or none was. ``source`` is the file of a model that was not
    trained here, whose own training rows are not known: those of ``split`` may be among them.
    """

    model: Predictor
    split: Split
    dev: Evaluation
    test: Evaluation
    seconds: float
    recipe: Recipe | None = None
    epochs: "tuple[Epoch, ...]" = ()
    source: Path | None = None


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
    rows choose the epoch and the interval.

    Raises:
        BlockprofError: the training of a gru diverged.
        DataFileError: fewer than 20 different networks, or a checkpoint of another training.
        InputError: a ``train_size`` below 5, or above the number of training networks; a device that torch has not.
    """
    split = split_by_network(data, seed, train_size)
    train, dev = data.select(split.train), data.select(split.dev)
    model: Predictor
    epochs: tuple[Epoch, ...] = ()
    if gru is None:
        start = time.perf_counter()
        model = fit_blockwise(train, metric, data.resolutions)
        seconds = time.perf_counter() - start
    else:
        from blockprof.predictors.gru.training import fit_gru

        fitted = fit_gru(
            train,
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
        dev=evaluate(model, train, dev),
        test=evaluate(model, train, data.select(split.test)),
        seconds=seconds,
        recipe=gru.recipe if gru else None,
        epochs=epochs,
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
