"""Problems that the tests of searches share."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.reduction import Reduction
from blockprof.searching import Limit, Objective, Problem
from blockprof.spaces import ABSENT, Architectures, Space, load_space


def random_metric(space: Space, name: str, seed: int, *, higher_is_better: bool = False) -> AdditiveMetric:
    """A metric of random costs, by placement."""
    info = MetricInfo(name, "ms", higher_is_better, "table", f"seed {seed}")
    costs = np.random.default_rng(seed).gamma(2.0, size=space.catalogue("placement").absent)
    return AdditiveMetric(info, space, 1.0, costs, by="placement")


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    """Random costs: ``good`` up and ``cost`` down, or, with a bound, only ``good`` with ``cost`` limited."""

    def make(name: str = "pn", *, reduction: Reduction | None = None, bound: float | None = None) -> Problem:
        space = load_space(name)
        good = random_metric(space, "good", 1, higher_is_better=True)
        cost = random_metric(space, "cost", 2)
        chosen = reduction or Reduction.whole(space)
        if bound is None:
            return Problem(chosen, (Objective(good, maximize=True), Objective(cost, maximize=False)))
        return Problem(chosen, (Objective(good, maximize=True),), (Limit(cost, bound),))

    return make


@pytest.fixture
def few_networks() -> Callable[[str], Reduction]:
    """A reduction of a space, by its name, that keeps few enough networks to list them."""

    def reduce(name: str) -> Reduction:
        space = load_space(name)
        whole = Reduction.whole(space)
        blocks = np.zeros_like(whole.blocks)
        blocks[:, 0] = True
        blocks[space.slot_unit < 3, len(space.blocks) - 1] = True
        return replace(
            whole,
            name="few",
            blocks=blocks,
            depths=(space.units[0].depths, *(unit.depths[:1] for unit in space.units[1:])),
            stems=np.arange(len(whole.stems)) < 2,
            mutation_probabilities=np.full(len(space.units), 0.75),
        )

    return reduce


@pytest.fixture
def list_networks() -> Callable[[Reduction], Architectures]:
    """Every network of a reduction."""

    def unit_blocks(reduction: Reduction, unit: int) -> list[tuple[int, ...]]:
        slots = reduction.space.unit_slots[unit]
        size, length = reduction.space.blocks_per_width, slots.stop - slots.start
        return [
            (*chosen, *[ABSENT] * (length - depth))
            for depth in reduction.depths[unit]
            for width in reduction.widths(unit)
            for chosen in product(
                *(
                    (width * size + np.flatnonzero(reduction.kinds[slot, width])).tolist()
                    for slot in range(slots.start, slots.start + depth)
                )
            )
        ]

    def networks(reduction: Reduction) -> Architectures:
        units = [unit_blocks(reduction, unit) for unit in range(len(reduction.space.units))]
        rows = [
            (stem, *(block for unit in chosen for block in unit))
            for stem in np.flatnonzero(reduction.stems).tolist()
            for chosen in product(*units)
        ]
        genes = np.array(rows)
        return Architectures(reduction.space, genes[:, 1:], genes[:, 0])

    return networks
