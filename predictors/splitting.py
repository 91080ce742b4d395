"""Split measured networks into training, development and test rows."""

from dataclasses import dataclass

import numpy as np

from blockprof.foundation.arrays import IntArray
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.latency_data import LatencyData

HELD_OUT_FRACTION = 0.1
MIN_NETWORKS = 20
MIN_TRAIN = 5


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers, ascending, of the three parts; no network is in two of them, at whatever resolution."""

    train: IntArray
    dev: IntArray
    test: IntArray


def split_by_network(data: LatencyData, seed: int, train_size: int | None = None) -> Split:
    """Draw a tenth of the networks for ``dev``, a tenth for ``test``, and the others for ``train``.

    Which part a network goes to depends on the seed and on which networks ``data`` holds, not on the order of its rows.
    With ``train_size``, only so many networks of ``train`` are kept; ``dev`` and ``test`` stay the same, and a smaller
    training set is part of a larger one.

    Raises:
        DataFileError: fewer than 20 different networks.
        InputError: a ``train_size`` below 5, or above the number of training networks.
    """
    num_networks = data.num_networks
    held_out = round(HELD_OUT_FRACTION * num_networks)
    if num_networks < MIN_NETWORKS:
        raise DataFileError(
            f"{num_networks} different networks are too few to split into training, development and test rows",
            remedy=f"measure at least {MIN_NETWORKS}",
            code="few-networks",
        )
    most = num_networks - 2 * held_out
    if train_size is not None and not MIN_TRAIN <= train_size <= most:
        raise InputError(
            f"train size {train_size}: of {num_networks} networks, {MIN_TRAIN} to {most} can be trained on",
            code="bad-train-size",
        )
    rank = np.random.default_rng(seed).permutation(num_networks)[data.network_of]
    end = 2 * held_out + (most if train_size is None else train_size)
    return Split(
        train=np.flatnonzero((rank >= 2 * held_out) & (rank < end)),
        dev=np.flatnonzero((rank >= held_out) & (rank < 2 * held_out)),
        test=np.flatnonzero(rank < held_out),
    )
