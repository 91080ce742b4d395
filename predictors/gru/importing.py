"""Predictors trained by the code released with the paper: its ``_best.pt`` files."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from blockprof.foundation.errors import Argument, DataFileError, InputError, Said
from blockprof.foundation.torch_files import read_torch_file
from blockprof.latency_data import LatencyData
from blockprof.predictors.evaluation import evaluate, score
from blockprof.predictors.fitting import known_resolutions
from blockprof.predictors.gru.features import NUM_SHAPES, num_operators, shape_scales
from blockprof.predictors.gru.model import GruModel
from blockprof.predictors.gru.network import GruNetwork, NetworkSpec
from blockprof.predictors.gru.training import interval_factors
from blockprof.predictors.runtime import Weights
from blockprof.predictors.splitting import split_by_network
from blockprof.predictors.training import TrainedPredictor
from blockprof.spaces import Space

_COMPARED = 1000
"""Rows that tell which maximum is a file's own, and whether it is of this device: more would only take longer."""

_NAMES = {
    "operators.weight": "embed_layer.op_embed_layer.weight",
    "shapes.weight": "embed_layer.shape_embed_layer.weight",
    "shapes.bias": "embed_layer.shape_embed_layer.bias",
    "output.weight": "regressor.weight",
    "output.bias": "regressor.bias",
}
_GRU, _RELEASED_GRU = "gru.", "encoder.rnn."


@dataclass(frozen=True)
class Maximum:
    """A latency in ms that a predictor's output may be a share of, whose it is, and its error with it, in percent."""

    ms: float
    whose: str
    mape_percent: float


def released_maximum(space: Space, metric: str) -> float:
    """The greatest latency, ms, that a released predictor's output is a share of.

    Raises:
        InputError: it is not one that was released.
    """
    known = space.assets.released.maxima_ms
    if metric not in known:
        known_of = f"known only of {', '.join(known)}" if known else f"known of none of {space.name}"
        raise InputError(
            f"the greatest latency that a predictor of {metric} was trained on is not in its file, and {known_of}",
            remedy=Said("give it as {}", Argument("max_ms")),
            code="unknown-maximum",
        )
    return known[metric]


def compare_maxima(path: Path, data: LatencyData, metric: str, seed: int = 0) -> tuple[Maximum, ...]:
    """The latencies that a predictor's output may be a share of, by its error with each, least first.

    The released trainer takes the greatest in its CSV: that of the CSVs behind the released predictors, or of ``data``,
    if it was trained on that. Errors are of up to 1,000 rows of ``data``, none of which are to test it.

    Raises:
        BlockprofError, DataFileError: as for :func:`import_predictor`.
        InputError: nothing like it was released, so that there is nothing to compare.
    """
    candidates = {
        "that of BlockProfile's own predictors": released_maximum(data.space, metric),
        "the greatest in the CSV": float(data.latencies_ms.max()),
    }
    split = split_by_network(data, seed)
    rows = data.select(np.concatenate([split.train, split.dev])[:_COMPARED])
    shares = _read_model(path, data, metric, max_ms=1.0).predict(rows.archs, rows.resolutions).latency_ms
    found = (Maximum(ms, whose, score(rows.latencies_ms, ms * shares).mape_percent) for whose, ms in candidates.items())
    return tuple(sorted(found, key=lambda one: one.mape_percent))


def import_predictor(path: Path, data: LatencyData, metric: str, max_ms: float, seed: int = 0) -> TrainedPredictor:
    """Read a predictor that the released code trained, and evaluate it on ``data``, split as for training.

    The dev rows tell the interval, and the test rows how good it is, as far as it was not trained on them. It predicts
    what the released code does: shapes of ``resnet50`` are not scaled, and its output is a sigmoid.

    Args:
        path: a ``_best.pt``; read without running code of it.
        data: networks measured on the device that it predicts.
        metric: the name it will have in ``profile``.
        max_ms: the greatest latency, which its output is a share of.
        seed: of the split.

    Raises:
        BlockprofError: it gives some networks no positive latency.
        DataFileError: no such file, or not one of a predictor of this space; fewer than 20 different networks; or its
            error on ``data`` is above that of their mean, as of a predictor of another space with the same arrays.
        InputError: a ``max_ms`` that is not above 0, or infinite.
    """
    if not 0 < max_ms < math.inf:
        raise InputError(
            "give the greatest latency it was trained on, in ms, above 0", where=Argument("max_ms", max_ms)
        )
    split = split_by_network(data, seed)
    train, dev = data.select(split.train), data.select(split.dev)
    start = time.perf_counter()
    raw = _read_model(path, data, metric, max_ms)
    _check_better_than_mean(path, raw, data)
    predicted = raw.predict(dev.archs, dev.resolutions).latency_ms
    with np.errstate(divide="ignore"):
        lower, upper = interval_factors(dev.latencies_ms / predicted)
    model = replace(raw, lower_factor=lower, upper_factor=upper)
    return TrainedPredictor(
        model=model,
        split=split,
        dev=evaluate(model, train, dev),
        test=evaluate(model, train, data.select(split.test)),
        seconds=time.perf_counter() - start,
        source=path,
    )


def _read_model(path: Path, data: LatencyData, metric: str, max_ms: float) -> GruModel:
    space, released = data.space, data.space.assets.released
    return GruModel(
        space=space,
        metric=metric,
        device=data.device,
        num_nets=0,
        resolutions=known_resolutions(space, data.resolutions),
        weights=read_weights(path, space),
        shape_scales=shape_scales(space) if released.scales_shapes else np.ones(NUM_SHAPES),
        max_ms=max_ms,
        sigmoid=released.sigmoid,
        lower_factor=1.0,
        upper_factor=1.0,
    )


def _check_better_than_mean(path: Path, model: GruModel, data: LatencyData) -> None:
    rows = data.select(np.arange(min(len(data), _COMPARED)))
    of_mean = np.full(len(rows), rows.latencies_ms.mean())
    own, mean = (
        score(rows.latencies_ms, predicted).mape_percent
        for predicted in (model.predict(rows.archs, rows.resolutions).latency_ms, of_mean)
    )
    if not own < mean:
        raise DataFileError(
            Said(
                "predicts the networks of {} with an error of {:.1f} % (MAPE), and their mean alone one of {:.1f} %: "
                "it is of another space or device, or its greatest latency was not {:g} ms ({})",
                data.device,
                own,
                mean,
                model.max_ms,
                Argument("max_ms"),
            ),
            where=path,
            code="worse-than-the-mean",
        )


def read_weights(path: Path, space: Space) -> Weights:
    """The weights in a ``_best.pt``, by their names in ``GruNetwork``.

    Raises:
        DataFileError: no such file; damaged; with code in it; or of another network than the paper's of ``space``.
    """
    content = read_torch_file(path, "give a _best.pt as BlockProfile saves it")
    state = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataFileError(
            "no state of a network under 'model'",
            where=path,
            remedy="give a _best.pt as BlockProfile saves it",
            code="no-state",
        )
    expected = GruNetwork(NetworkSpec(num_operators(space))).state_dict()
    if len(state) != len(expected):
        raise DataFileError(
            f"{len(state)} arrays, but the paper's network has {len(expected)}", where=path, code="not-of-shape"
        )
    weights = {}
    for name, like in expected.items():
        released = _NAMES.get(name, name.replace(_GRU, _RELEASED_GRU))
        value = state.get(released)
        if value is None or value.shape != like.shape:
            there = "is missing" if value is None else f"is {tuple(value.shape)}"
            raise DataFileError(
                f"{released} {there}, but the paper's network of {space.name} has {tuple(like.shape)}: "
                "is it of another space?",
                where=path,
                code="not-of-shape",
            )
        weights[name] = value.float().numpy()
    return weights
