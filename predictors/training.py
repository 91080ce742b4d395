"""Train a latency predictor and test it on held-out networks."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from blockprof.foundation.arrays import BoolArray
from blockprof.foundation.listener import SILENT, Listener
from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import Evaluation, evaluate
from blockprof.predictors.kinds import DEFAULT_KIND, PREDICTORS, Epoch, TrainingOptions, TrainingTask, check_options
from blockprof.predictors.outlier_rows import Outliers
from blockprof.predictors.prediction import Predictor
from blockprof.predictors.splitting import Split, split_by_network


@dataclass(frozen=True, eq=False)
class TrainedPredictor:
    """A predictor, the rows it was trained and tested on, its scores, and the seconds that training took.

    Where training was resumed from a checkpoint, ``seconds`` counts those before too. ``settings`` is how its kind
    trained it, ``epochs`` what each came to; both empty where the kind has none, or where it was not trained here. Then
    ``source`` is the file of the model, whose own training rows are not known: those of ``split`` may be among them.
    ``is_sound`` says which of the rows ``split.train`` it was fitted to; the others are outliers.
    """

    model: Predictor
    split: Split
    dev: Evaluation
    test: Evaluation
    seconds: float
    settings: Mapping[str, object] = field(default_factory=dict)
    epochs: tuple[Epoch, ...] = ()
    source: Path | None = None
    is_sound: BoolArray | None = None

    def __repr__(self) -> str:
        model, test = self.model, self.test.scores
        what = f"{model.kind} predictor of {model.metric} of {model.space.name}, of {model.num_nets} networks"
        return f"<{what}: MAPE {test.mape_percent:.2f} % on {len(self.split.test)} test rows>"

    @property
    def outliers(self) -> Outliers:
        """The rows that are outliers to it."""
        left_out = self.split.train[:0] if self.is_sound is None else self.split.train[~self.is_sound]
        return Outliers(left_out, self.split.dev[self.dev.is_outlier], self.split.test[self.test.is_outlier])


def train_predictor(
    data: LatencyData,
    metric: str,
    seed: int = 0,
    train_size: int | None = None,
    kind: str = DEFAULT_KIND,
    options: TrainingOptions | None = None,
    checkpoint: Path | None = None,
    listener: Listener = SILENT,
) -> TrainedPredictor:
    """Split ``data`` by ``seed``, train a predictor called ``metric``, and evaluate it.

    It knows the resolutions of the whole of ``data``, and those between. ``train_size`` trains it on so many networks
    only, with the held-out ones unchanged. Training rows that are outliers to the blockwise predictor are left out, of
    any kind and of the baselines.

    Args:
        data: networks and their latencies.
        metric: the name it will have in ``profile``.
        seed: of the split, and of all that is random in training.
        train_size: how many networks to train on; all but the held-out ones where None.
        kind: ``blockwise``, ``gru`` (the paper's, of which the dev rows choose the epoch and the interval), or a
            registered one.
        options: how to train, where the kind leaves a choice.
        checkpoint: where a kind that takes long keeps its state (:func:`checkpoint_path`); the caller removes it.
        listener: told how many epochs of how many are done.

    Raises:
        BlockprofError: the training diverged.
        DataFileError: fewer than 20 different networks, or a checkpoint of another training.
        InputError: a ``train_size`` below 5, or above the number of training networks; no such kind, or an option that
            it does not have; a device that torch has not.
    """
    chosen = check_options(kind, options or TrainingOptions())
    split = split_by_network(data, seed, train_size)
    task = _task(data, metric, split, seed, options, checkpoint, listener)
    start = time.perf_counter()
    fitted = chosen.train(task)
    seconds = time.perf_counter() - start if fitted.seconds is None else fitted.seconds
    return TrainedPredictor(
        model=fitted.model,
        split=split,
        dev=evaluate(fitted.model, task.sound, task.dev),
        test=evaluate(fitted.model, task.sound, data.select(split.test)),
        seconds=seconds,
        settings=fitted.settings,
        epochs=fitted.epochs,
        is_sound=task.screened.is_sound,
    )


def checkpoint_path(
    folder: Path,
    data: LatencyData,
    metric: str,
    kind: str,
    options: TrainingOptions,
    seed: int = 0,
    train_size: int | None = None,
) -> Path | None:
    """Where in ``folder`` such a training of those rows keeps its state: a file of its own; None where its kind keeps
    none.

    Raises:
        DataFileError, InputError: as :func:`train_predictor`.
    """
    fingerprint = PREDICTORS.get(kind).fingerprint
    if fingerprint is None:
        return None
    task = _task(data, metric, split_by_network(data, seed, train_size), seed, options)
    return folder / f"{kind}_{data.space.name}_{metric}_{fingerprint(task)[:12]}.checkpoint"


def _task(
    data: LatencyData,
    metric: str,
    split: Split,
    seed: int,
    options: TrainingOptions | None,
    checkpoint: Path | None = None,
    listener: Listener = SILENT,
) -> TrainingTask:
    return TrainingTask(
        train=data.select(split.train),
        dev=data.select(split.dev),
        metric=metric,
        resolutions=data.resolutions,
        seed=seed,
        options=options or TrainingOptions(),
        checkpoint=checkpoint,
        listener=listener,
    )
