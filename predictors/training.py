"""Train a latency predictor and test it on held-out networks."""

import time
from dataclasses import dataclass

from blockprof.latency_data import LatencyData
from blockprof.predictors.blockwise import BlockwiseModel
from blockprof.predictors.evaluation import Evaluation, evaluate
from blockprof.predictors.fitting import fit_blockwise
from blockprof.predictors.splitting import Split, split_by_network


@dataclass(frozen=True, eq=False)
class TrainedPredictor:
    """A predictor, the rows it was trained and tested on, its scores, and the seconds that training took."""

    model: BlockwiseModel
    split: Split
    dev: Evaluation
    test: Evaluation
    seconds: float


def train_predictor(data: LatencyData, metric: str, seed: int = 0, train_size: int | None = None) -> TrainedPredictor:
    """Split ``data`` by ``seed``, train the blockwise predictor called ``metric``, and evaluate it.

    It knows the resolutions of the whole of ``data``, and those between. ``train_size`` trains it on so many networks
    only, with the held-out ones unchanged.

    Raises:
        DataFileError: fewer than 20 different networks.
        InputError: a ``train_size`` below 5, or above the number of training networks.
    """
    split = split_by_network(data, seed, train_size)
    train = data.select(split.train)
    start = time.perf_counter()
    model = fit_blockwise(train, metric, data.resolutions)
    seconds = time.perf_counter() - start
    return TrainedPredictor(
        model=model,
        split=split,
        dev=evaluate(model, train, data.select(split.dev)),
        test=evaluate(model, train, data.select(split.test)),
        seconds=seconds,
    )
