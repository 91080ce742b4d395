"""Networks left out in turn, to tell how well they are predicted from the others."""

from collections.abc import Callable, Sequence

import numpy as np

from blockprof.foundation.arrays import BoolArray, FloatArray, IntArray
from blockprof.foundation.listener import SILENT, Listener

NUM_FOLDS = 10


def random_folds(num_networks: int, seed: int) -> IntArray:
    """(N,): which of ten folds each network is in; they differ by one network at most."""
    return np.random.default_rng(seed).permutation(num_networks) % NUM_FOLDS


def leave_out(
    fold_of: IntArray,
    predict: Callable[[BoolArray], Sequence[FloatArray]],
    *,
    task: str = "left-out networks",
    listener: Listener = SILENT,
) -> FloatArray:
    """(C, N): what is predicted of each row by a predictor that was fitted to the rows of all other folds.

    Args:
        fold_of: (N,) which fold each row is in, from 0.
        predict: given which of the rows are left out, (N,), fits to the others; gives C arrays of what it predicts of
            those left out.
        task: what to call it to ``listener``.
        listener: told how many of how many folds are done.
    """
    num_folds = int(fold_of.max()) + 1
    parts = []
    for fold in range(num_folds):
        held = fold_of == fold
        parts.append((held, np.stack(predict(held))))
        listener.on_step(task, fold + 1, num_folds)
    found = np.empty((len(parts[0][1]), len(fold_of)))
    for held, predicted in parts:
        found[:, held] = predicted
    return found
