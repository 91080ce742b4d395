"""The trained network in NumPy: predicting takes no torch, and blocks that networks begin with are run once."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from blockprof.foundation.arrays import IntArray

Float32Array = NDArray[np.float32]
Weights = Mapping[str, Float32Array]

CHUNK = 2048


def run_chains(weights: Weights, inputs: Float32Array, ids: IntArray, sigmoid: bool) -> Float32Array:
    """What the network says of N chains, a share of the greatest latency: (N,).

    Networks that begin with the same blocks share their states: in a profile's samples, which differ in one placement,
    that is half of the work.

    Args:
        weights: by the names that ``GruNetwork.state_dict`` gives them.
        inputs: (I, E), the embedded block instances at one resolution.
        ids: (N, T), each network's block instances, -1 behind the last.
        sigmoid: whether the output is bounded by 1.
    """
    ahead = inputs @ weights["gru.weight_ih_l0"].T + weights["gru.bias_ih_l0"]
    behind = inputs @ weights["gru.weight_ih_l0_reverse"].T + weights["gru.bias_ih_l0_reverse"]
    nothing = np.zeros((len(inputs), weights["gru.weight_hh_l0"].shape[1]), dtype=np.float32)
    last_only = _step(behind, np.broadcast_to(weights["gru.bias_hh_l0_reverse"], behind.shape), nothing)
    order = np.lexsort(ids.T[::-1])
    found = np.empty(len(ids), dtype=np.float32)
    for start in range(0, len(ids), CHUNK):
        rows = order[start : start + CHUNK]
        chunk = ids[rows]
        states = _last_states(weights, ahead, chunk)
        lasts = chunk[np.arange(len(chunk)), (chunk >= 0).sum(axis=1) - 1]
        found[rows] = np.concatenate([states, last_only[lasts]], axis=1) @ weights["output.weight"][0]
    found += weights["output.bias"]
    if sigmoid:
        found = _sigmoid(found)
    return found


def embed(weights: Weights, operators: IntArray, shapes: Float32Array) -> Float32Array:
    """(I, E): block instances by their (I,) operators and (I, 6) scaled shapes."""
    mapped = shapes @ weights["shapes.weight"].T + weights["shapes.bias"]
    return np.concatenate([weights["operators.weight"][operators], mapped], axis=1)


def _last_states(weights: Weights, gates: Float32Array, ids: IntArray) -> Float32Array:
    """(N, H): the state behind each network's last block. Rows of ``ids`` must be sorted."""
    recurrent, bias = weights["gru.weight_hh_l0"].T, weights["gru.bias_hh_l0"]
    states = np.zeros((1, len(recurrent)), dtype=np.float32)
    group = np.zeros(len(ids), dtype=np.int64)
    differs = np.zeros(len(ids), dtype=bool)
    differs[0] = True
    for column in ids.T:
        differs[1:] |= column[1:] != column[:-1]
        firsts = np.flatnonzero(differs)
        states, block = states[group[firsts]], column[firsts]
        going = block >= 0
        before = states[going]
        states[going] = _step(gates[block[going]], before @ recurrent + bias, before)
        group = np.cumsum(differs) - 1
    return states[group]


def _step(given: Float32Array, recurrent: Float32Array, state: Float32Array) -> Float32Array:
    """One step of a GRU, from what its gates make of the input and of the state, each (B, 3 H): reset, update, new."""
    size = state.shape[1]
    both = _sigmoid(given[:, : 2 * size] + recurrent[:, : 2 * size])
    reset, update = both[:, :size], both[:, size:]
    new = np.tanh(given[:, 2 * size :] + reset * recurrent[:, 2 * size :])
    stepped: Float32Array = new + update * (state - new)
    return stepped


def _sigmoid(values: Float32Array) -> Float32Array:
    """By way of tanh, which does not overflow."""
    return np.asarray(np.tanh(values / 2) / 2 + 0.5, dtype=np.float32)
