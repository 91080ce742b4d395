"""Which networks to measure: a Bayesian D-optimal design for the blockwise predictor's prior.

The design maximises the determinant of the posterior precision of the weights (Chaloner and Verdinelli, Bayesian
Experimental Design: A Review, 1995), greedily, then by exchanges.
"""

import numpy as np

from blockprof.predictors.features import Features, build_features
from blockprof.predictors.fitting import prior_scales
from blockprof.sampling import sample_architectures
from blockprof.spaces import Architectures, FloatArray, IntArray, Space

NUM_CANDIDATES = 2000
MAX_EXCHANGED = 100


def choose_networks(space: Space, n: int, resolution: int, rng: np.random.Generator) -> Architectures:
    """Choose N networks to measure at ``resolution`` from a pool of random ones, those that tell most first."""
    pool = sample_architectures(space, max(NUM_CANDIDATES, 4 * n), rng)
    pool = pool[np.sort(np.unique(pool.blocks, axis=0, return_index=True)[1])]
    features = build_features(space, np.array([resolution]))
    rows = features.of(pool, np.full(len(pool), resolution))
    return pool[choose_rows(features, rows, n)]


def choose_rows(features: Features, candidates: FloatArray, n: int) -> IntArray:
    """Choose N of (M, F) candidate rows of features.

    Returns:
        (N,) indices, those that tell most first.
    """
    scales, noise = prior_scales(features)
    # Errors are relative: a row weighs as its latency would, of which only the totals are known beforehand.
    expected = candidates[:, features.group_of == features.groups.index("totals")].mean(axis=1)
    rows = candidates / expected[:, None] * (scales / np.sqrt(noise))
    return _exchange(rows, _greedy(rows, n))


def _greedy(rows: FloatArray, n: int) -> IntArray:
    """Add the row whose prediction is least certain, again and again: each step the best for the determinant."""
    variances = (rows**2).sum(axis=1)
    basis = np.empty((n, len(rows)))
    chosen = np.empty(n, dtype=np.int64)
    for step in range(n):
        best = int(variances.argmax())
        chosen[step] = best
        covariances = rows @ rows[best] - basis[:step].T @ basis[:step, best]
        basis[step] = covariances / np.sqrt(1.0 + variances[best])
        variances = variances - basis[step] ** 2
        variances[chosen[: step + 1]] = -np.inf
    return chosen


def _exchange(rows: FloatArray, chosen: IntArray) -> IntArray:
    """Swap each of the last chosen rows for the best one, while that raises the determinant."""
    chosen = chosen.copy()
    precision = np.eye(rows.shape[1]) + rows[chosen].T @ rows[chosen]
    covariance = np.linalg.inv(precision)
    for place in range(max(len(chosen) - MAX_EXCHANGED, 0), len(chosen)):
        left = rows[chosen[place]]
        without = covariance @ left
        covariance = covariance + np.outer(without, without) / (1.0 - left @ without)
        gains = ((rows @ covariance) * rows).sum(axis=1)
        gains[np.delete(chosen, place)] = -np.inf
        chosen[place] = int(gains.argmax())
        entered = covariance @ rows[chosen[place]]
        covariance = covariance - np.outer(entered, entered) / (1.0 + rows[chosen[place]] @ entered)
    return chosen
