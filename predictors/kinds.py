"""Kinds of predictors: how each is trained, saved and loaded; found by name through one registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.registry import Registry
from blockprof.latency_data import LatencyData
from blockprof.predictors.fitting import BlockwiseFit, fit_sound_rows
from blockprof.predictors.prediction import Predictor

if TYPE_CHECKING:
    from blockprof.predictors.onnx_parts import OnnxGraph

DEFAULT_KIND = "blockwise"


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How to train, where a kind leaves a choice: which of these it has says :attr:`PredictorKind.options`.

    ``fast`` trains in less time, ``epochs`` is how often it goes through the data, ``patience`` after how many without
    a better one it stops, ``device`` torch's, such as ``cuda:0``; None and False leave it to the kind.
    """

    fast: bool = False
    epochs: int | None = None
    patience: int | None = None
    device: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The names of those that are given."""
        return tuple(name for name in self.__slots__ if getattr(self, name))


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch, counted from 1, came to: the mean loss of its batches and the dev rows' mean error."""

    number: int
    train_loss: float
    dev_mape_percent: float


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """What a predictor is trained on, and how.

    It learns from ``train``; ``dev`` are other networks, for what training leaves to choose. It will be called
    ``metric``, and knows ``resolutions``, any shape, and with several all of the space's between them. Where
    ``checkpoint`` is a path, a kind that takes long keeps its state there after each epoch, and resumes from it; the
    caller removes it. ``listener`` is told how many epochs of how many are done.
    """

    train: LatencyData
    dev: LatencyData
    metric: str
    resolutions: IntArray
    seed: int = 0
    options: TrainingOptions = field(default_factory=TrainingOptions)
    checkpoint: Path | None = None
    listener: Listener = SILENT

    @cached_property
    def screened(self) -> BlockwiseFit:
        """The blockwise predictor of ``train``, which says which rows are outliers.

        Raises:
            DataFileError: fewer than 5 different networks, or latencies that have nothing to do with their networks.
        """
        return fit_sound_rows(self.train, self.metric, self.resolutions)

    @property
    def sound(self) -> LatencyData:
        """The rows of ``train`` that are no outliers: what to learn from."""
        return self.train.select(self.screened.is_sound)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained predictor. ``settings`` is how it was trained, logged as params; ``epochs`` what each came to, where it
    was trained by these. ``seconds`` counts those before a kill too, where training was resumed; None where it was not.
    """

    model: Predictor
    settings: Mapping[str, object] = field(default_factory=dict)
    epochs: tuple[Epoch, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PredictorKind:
    """A kind of predictors. Its models' ``kind`` is the name by which it is registered.

    ``train`` makes one; ``load`` reads what its model's ``save`` wrote into a folder, and raises ``DataFileError``
    where that is not such a model. ``options`` names the :class:`TrainingOptions` that it has. ``fingerprint`` tells
    trainings apart that keep checkpoints; None where none does. ``to_onnx`` builds the ONNX graph of a model; None
    where it has none. ``runtime`` is a Python file, with NumPy alone, that a registered model predicts by where
    blockprof is not installed: it has ``predict`` as ``blockprof/predictors/runtime.py`` does, which is used where it
    is None. ``uses_dev`` says whether training looks at the dev rows: a cross-validation then has a fold for them.
    Models are saved by :func:`blockprof.predictors.model_files.write_model`.
    """

    train: Callable[[TrainingTask], Fitted]
    load: Callable[[Path], Predictor]
    options: frozenset[str] = frozenset()
    fingerprint: Callable[[TrainingTask], str] | None = None
    to_onnx: "Callable[[Any], OnnxGraph] | None" = None
    runtime: Path | None = None
    uses_dev: bool = True


PREDICTORS: Registry[PredictorKind] = Registry("predictor", ("blockprof.predictors.built_in",))
"""All kinds by name."""


def register_predictor(name: str, kind: PredictorKind) -> PredictorKind:
    """Add a kind of predictors that ``train`` finds by ``name``, and return it.

    Raises:
        InputError: another kind has that name.
    """
    return PREDICTORS.register(name, kind)


def check_options(name: str, options: TrainingOptions) -> PredictorKind:
    """The kind of that name, which must have all of the options that are given.

    Raises:
        InputError: there is no such kind, or it has no such option.
    """
    kind = PREDICTORS.get(name)
    for given in options.given:
        if given not in kind.options:
            having = [other for other in PREDICTORS.names() if given in PREDICTORS.get(other).options]
            raise InputError(
                f"a {name} predictor is not trained by it",
                where=Argument(given),
                remedy=Said("give {}, or leave {} out", Argument("model", " or ".join(having)), Argument(given)),
                code="training-option",
            )
    return kind
