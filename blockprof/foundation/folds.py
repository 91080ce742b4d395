"""Networks left out in turn, to tell how well they are predicted from the others."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUM_FOLDS = 10


def left_out_folds(num_networks: int, seed: int) -> Iterator[NDArray[Any]]:
    """(N,) each, ten in all: which networks are left out together; each network is once."""
    fold_of = np.random.default_rng(seed).permutation(num_networks) % NUM_FOLDS
    for fold in range(NUM_FOLDS):
        yield fold_of == fold
