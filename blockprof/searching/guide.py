"""What is worth following, where the best networks within limits are looked for: a bound from Lagrangian relaxation.

A network's objective plus its limited metrics, each times a price, is a sum of costs too, so the cheapest way to end a
beginning is known at once. A network that is among the best k and within the limits has no more of it than the worst of
k networks that are already found and the limits themselves. So a beginning that must end with more is left. The prices
that leave most are those of the dual problem, found by cutting planes (Kelley, 1960); any others are as right.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.searching.chain import Chain, Guide

NUM_ROUNDS = 25
NUM_TRIED = 300
"""Networks that are looked at for each price, those with the least priced sums."""

LAST_TRIED = 300
"""Networks that are looked at for the best prices, for each one asked for: the more, the tighter the bound."""

GREATEST_PRICE = 1000.0
"""Of what is over a bound, in units of the objective's and the excess's greatest values so far."""


def find_guide(chain: Chain, top_k: int) -> Guide | None:
    """The bound for the best ``top_k`` networks in the first dimension within the bounds of the others.

    None where there is no other, or fewer than ``top_k`` networks within the bounds are found on the way: then nothing
    is known to compare with.
    """
    num_prices, num_tried = len(chain.bounds) - 1, max(top_k, NUM_TRIED)
    if not num_prices:
        return None
    cuts, feasible = np.empty((0, num_prices + 1)), _Feasible.none(chain)
    prices, best_prices, best_value = np.zeros(num_prices), np.zeros(num_prices), -np.inf
    for _ in range(NUM_ROUNDS):
        excess = feasible.look(prices, num_tried) - np.append(0.0, chain.bounds[1:])
        priced = excess @ np.append(1.0, prices)
        if priced.min() > best_value:
            best_value, best_prices = float(priced.min()), prices
        cuts = np.concatenate([cuts, excess[[priced.argmin()]]])
        prices, promised = _dual(cuts)
        if promised - best_value <= 1e-6 * abs(best_value):
            break
    feasible.look(best_prices, LAST_TRIED * top_k)
    if len(feasible.losses) < top_k:
        return None
    worst = np.partition(feasible.losses, top_k - 1)[top_k - 1]
    # Priced sums are not whole numbers; they are off by less than a step of each dimension.
    threshold = worst + best_prices @ chain.bounds[1:] + 1 + best_prices.sum()
    priced_chain = replace(_priced(chain, best_prices), bounds=np.array([threshold]))
    return Guide(np.append(1.0, best_prices), priced_chain)


@dataclass
class _Feasible:
    """Different networks that are surely within a chain's bounds: genes (N, L + 1), and losses (N,), what they cost in
    the first dimension.
    """

    chain: Chain
    genes: IntArray
    losses: FloatArray

    @classmethod
    def none(cls, chain: Chain) -> "_Feasible":
        genes = np.empty((0, chain.reduction.space.num_slots + 1), dtype=np.int8)
        return cls(chain, genes, np.empty(0))

    def look(self, prices: FloatArray, num_networks: int) -> FloatArray:
        """Add those of the networks with the least priced sums; give what all of these cost, (N, D)."""
        archs, _ = _priced(self.chain, prices).solve(num_networks)
        sums = self.chain.sums_of(archs)
        within = (sums <= self.chain.sure_bounds).all(axis=1)
        genes = np.concatenate([self.genes, archs.genes[within]])
        self.genes, first = np.unique(genes, axis=0, return_index=True)
        self.losses = np.concatenate([self.losses, sums[within, 0]])[first]
        return sums


def _priced(chain: Chain, prices: FloatArray) -> Chain:
    """The chain whose one dimension is the first, and each other times its price."""
    weights = np.append(1.0, prices)[:, None]
    layers, stems, heads = (costs @ weights for costs in (chain.layers, chain.stems, chain.heads))
    return Chain(chain.reduction, layers, stems, heads, bounds=np.array([np.inf]))


def _dual(cuts: FloatArray) -> tuple[FloatArray, float]:
    """The prices at which the cheapest of the networks so far costs most, and what it is there.

    ``cuts`` are (N, D): the networks' objectives, and by how much they are over each bound.
    """
    scales = np.abs(cuts).max(axis=0)
    scales[scales == 0] = 1.0
    scaled = cuts / scales
    result = linprog(
        np.append(np.zeros(cuts.shape[1] - 1), -1.0),
        A_ub=np.column_stack([-scaled[:, 1:], np.ones(len(cuts))]),
        b_ub=scaled[:, 0],
        bounds=[*[(0.0, GREATEST_PRICE)] * (cuts.shape[1] - 1), (None, None)],
    )
    solution = np.asarray(result.x)
    return solution[:-1] * scales[0] / scales[1:], float(solution[-1] * scales[0])
