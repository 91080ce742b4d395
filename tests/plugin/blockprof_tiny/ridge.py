"""A kind of predictors: a cost for each block instance, by ridge regression, with what it leaves open."""

import numpy as np

from blockprof.latency_data import LatencyData
from blockprof.predictors import BlockwiseModel, Fitted, PredictorKind, TrainingTask, load_blockwise
from blockprof.predictors.features import instance_counts
from blockprof.predictors.onnx_blockwise import build_blockwise

STRENGTH = 0.1
Z90 = 1.645


def _train(task: TrainingTask) -> Fitted:
    resolutions = np.unique(task.resolutions)
    fits = [_fit(task.sound.select(task.sound.resolutions == resolution)) for resolution in resolutions]
    costs, covariances, noises = zip(*fits, strict=True)
    model = BlockwiseModel(
        space=task.train.space,
        metric=task.metric,
        device=task.train.device,
        num_nets=task.sound.num_networks,
        resolutions=resolutions,
        costs=np.stack(costs),
        covariances=np.stack(covariances),
        noise_sd=max(noises),
        lower_quantile=-Z90,
        upper_quantile=Z90,
        kind="ridge",
    )
    return Fitted(model, settings={"strength": STRENGTH})


def _fit(rows: LatencyData) -> tuple[np.ndarray, np.ndarray, float]:
    """(I + 1,) costs, the base's last; their covariance, packed; and the relative noise."""
    counts, level = instance_counts(rows.archs), rows.latencies_ms.mean()
    precision = counts.T @ counts + STRENGTH * np.eye(counts.shape[1])
    costs = np.linalg.solve(precision, counts.T @ rows.latencies_ms)
    noise = float((rows.latencies_ms - counts @ costs).std())
    return costs, np.linalg.inv(precision)[np.triu_indices(len(costs))] * noise**2, noise / level


RIDGE = PredictorKind(_train, load_blockwise, to_onnx=build_blockwise, uses_dev=False)
