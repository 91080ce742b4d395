"""What a trained predictor predicts, from the numbers it consists of: the arithmetic of all kinds, in NumPy.

A registered predictor carries this file to where blockprof is not installed, so it imports nothing of blockprof; here,
the models predict by it as well.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Integers = NDArray[np.integer[Any]]
Arrays = Mapping[str, NDArray[Any]]
Weights = Mapping[str, Singles]

CHUNK = 2048


class Predicted(NamedTuple):
    """Latencies of N networks, ms, and the interval that holds 90 % of measurements; each (N,)."""

    latency_ms: Floats
    lower_ms: Floats
    upper_ms: Floats


def predict(facts: Mapping[str, Any], arrays: Arrays, genes: Integers, which: Integers) -> Predicted:
    """Predict N networks by the files of a saved predictor.

    Args:
        facts: its ``model.json``.
        arrays: those of its ``.npz``.
        genes: (N, 1 + L): the stem, then the block of each slot, -1 where the layer is absent.
        which: (N,): which of the resolutions that it knows each network has.
    """
    if "costs_ms" in arrays:
        costs = np.column_stack([arrays["costs_ms"], arrays["base_ms"]])
        counts = count_instances(find_instances(facts, arrays, genes, costs.shape[1] - 1), costs.shape[1] - 1)
        quantiles = facts["lower_quantile"], facts["upper_quantile"]
        return sum_costs(costs, arrays["covariances_ms2"], counts, which, facts["noise_sd"], quantiles)
    operators, scales = arrays["operator_of_instance"], arrays["shape_scales"]
    ids = make_chains(find_instances(facts, arrays, genes, len(operators)), len(operators))
    embedded = [embed(arrays, operators, shapes / scales) for shapes in arrays["shapes_of_instance"]]
    factors = facts["lower_factor"], facts["upper_factor"]
    return run_gru(arrays, embedded, ids, which, facts["max_ms"], facts["sigmoid"], factors)


def find_instances(facts: Mapping[str, Any], arrays: Arrays, genes: Integers, absent: int) -> Integers:
    """(N, 1 + L + 1): the block instances of N networks, as ``Space.encode`` says: stem, layers, head."""
    stems, blocks, per_width = genes[:, 0], genes[:, 1:], facts["blocks_per_width"]
    state, slot = arrays["stem_states"][stems], 0
    columns = [arrays["stem_instances"][stems]]
    for depths in facts["unit_depths"]:
        width = blocks[:, slot] // per_width
        for layer in range(slot, slot + max(depths)):
            found = arrays["layer_instances"][layer, state, blocks[:, layer]]
            columns.append(np.where(blocks[:, layer] < 0, absent, found))
        slot, state = slot + max(depths), width
    return np.column_stack([*columns, arrays["head_instances"][state]])


def count_instances(ids: Integers, base: int) -> Floats:
    """(N, base + 1): how often each block instance is in each network; the last column, the base, is 1.

    ``ids`` is (N, T), ``base`` where there is none.
    """
    counts = np.zeros((len(ids), base + 1))
    np.add.at(counts, (np.arange(len(ids))[:, None], ids), 1.0)
    counts[:, base] = 1.0
    return counts


def sum_costs(
    costs: Floats, covariances: Floats, counts: Floats, which: Integers, noise_sd: float, quantiles: tuple[float, float]
) -> Predicted:
    """Latencies of a sum of costs, and intervals from their covariance and the noise.

    Args:
        costs: (R, I + 1), ms, the base's last.
        covariances: (R, (I + 1)(I + 2) / 2), ms squared, of the costs, as :func:`unpack_symmetric` takes them.
        counts: (N, I + 1), as :func:`count_instances` gives them.
        which: (N,), which of the R resolutions.
        noise_sd: the relative standard deviation of a measurement's noise.
        quantiles: between which 90 % of the errors lie, over the standard deviation of noise and costs together.
    """
    latency, variance = np.empty(len(counts)), np.empty(len(counts))
    for index in np.unique(which):
        rows = which == index
        latency[rows] = counts[rows] @ costs[index]
        covariance = unpack_symmetric(covariances[index], counts.shape[1])
        variance[rows] = ((counts[rows] @ covariance) * counts[rows]).sum(axis=1)
    deviation = np.sqrt((noise_sd * latency) ** 2 + variance)
    lower, upper = (latency + quantile * deviation for quantile in quantiles)
    return Predicted(latency, np.maximum(lower, 0.0), upper)


def unpack_symmetric(packed: Floats, size: int) -> Floats:
    """(..., size, size) symmetric matrices, from their upper triangles, row by row: (..., size (size + 1) / 2)."""
    matrix = np.empty((*packed.shape[:-1], size, size))
    rows, columns = np.triu_indices(size)
    matrix[..., rows, columns] = packed
    matrix[..., columns, rows] = packed
    return matrix


def make_chains(ids: Integers, absent: int) -> Integers:
    """(N, T): each network's block instances in order, without gaps, -1 behind the last; the head is no part of it.

    ``ids`` is (N, T + 1), the head's last, ``absent`` where there is none.
    """
    ids = ids[:, :-1]
    order = np.argsort(ids == absent, axis=1, kind="stable")
    return np.take_along_axis(np.where(ids == absent, -1, ids), order, axis=1)


def embed(weights: Weights, operators: Integers, shapes: Floats) -> Singles:
    """(I, E): block instances by their (I,) operators and (I, 6) scaled shapes."""
    mapped = shapes.astype(np.float32) @ weights["shapes.weight"].T + weights["shapes.bias"]
    return np.concatenate([weights["operators.weight"][operators], mapped], axis=1)


def run_gru(
    weights: Weights,
    embedded: list[Singles],
    chains: Integers,
    which: Integers,
    max_ms: float,
    sigmoid: bool,
    factors: tuple[float, float],
) -> Predicted:
    """Latencies of the paper's network, which are shares of ``max_ms``, and intervals, which are shares of these.

    Args:
        weights: by the names that ``GruNetwork.state_dict`` gives them.
        embedded: by resolution, the (I, E) embedded block instances.
        chains: (N, T), as :func:`make_chains` gives them.
        which: (N,), which of the resolutions.
        max_ms: the greatest latency that it was trained on.
        sigmoid: whether its output is bounded by 1.
        factors: between which 90 % of measured over predicted latencies lie.
    """
    latency = np.empty(len(chains))
    for index in np.unique(which):
        rows = which == index
        latency[rows] = max_ms * _run_chains(weights, embedded[index], chains[rows], sigmoid).astype(float)
    latency = np.maximum(latency, 0.0)
    return Predicted(latency, factors[0] * latency, factors[1] * latency)


def _run_chains(weights: Weights, inputs: Singles, ids: Integers, sigmoid: bool) -> Singles:
    """(N,): the network's output. Networks that begin with the same blocks share their states: in a profile's samples,
    which differ in one placement, that is half of the work.
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
    return _sigmoid(found) if sigmoid else found


def _last_states(weights: Weights, gates: Singles, ids: Integers) -> Singles:
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


def _step(given: Singles, recurrent: Singles, state: Singles) -> Singles:
    """One step of a GRU, from what its gates make of the input and of the state, each (B, 3 H): reset, update, new."""
    size = state.shape[1]
    both = _sigmoid(given[:, : 2 * size] + recurrent[:, : 2 * size])
    reset, update = both[:, :size], both[:, size:]
    new = np.tanh(given[:, 2 * size :] + reset * recurrent[:, 2 * size :])
    stepped: Singles = new + update * (state - new)
    return stepped


def _sigmoid(values: Singles) -> Singles:
    """By way of tanh, which does not overflow."""
    return np.asarray(np.tanh(values / 2) / 2 + 0.5, dtype=np.float32)
