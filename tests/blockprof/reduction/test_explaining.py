"""Which option a reason compares with: the strongest rival, by what the reason says."""

import numpy as np
import pytest

from blockprof.reduction.effects import Effects
from blockprof.reduction.explaining import explain
from blockprof.spaces import load_space

PN = load_space("pn")
NUM_BLOCKS = len(PN.blocks)
LEFT_OUT = 2  # e3k7
STAY = (0, 4, 8)  # e3k3, e4k5, e6k7


@pytest.mark.parametrize(
    ("rivals", "said"),
    [
        # Extra cost and gain of the option left out, against each that stays.
        (
            [(0.2, -0.1), (0.5, -0.4), (-0.3, -0.9)],
            "not better than what costs less: 0.5 ms of npu more than e4k5, -0.4 % of accuracy",
        ),
        (
            [(-0.7, -0.6), (-0.2, -0.1), (-0.5, 0.2)],
            "saves too little for what it loses: 0.2 ms of npu less than e4k5, -0.1 % of accuracy: 0.5 % per ms",
        ),
        (
            [(0.8, 0.3), (-0.4, 0.9), (0.5, 0.1)],
            "too expensive for what it brings: 0.5 ms of npu more than e6k7, +0.1 % of accuracy: 0.2 % per ms",
        ),
        (
            [(0.9, 0.3), (-0.4, -0.9), (0.5, 0.4)],
            "beaten by mixtures of others: 0.5 ms of npu more than e6k7, +0.4 % of accuracy",
        ),
    ],
    ids=["not better", "poor", "expensive", "mixed"],
)
def test_the_rival_named_is_the_one_that_the_reason_is_about(rivals: list[tuple[float, float]], said: str) -> None:
    cost, gain = (
        Effects(PN, metric, unit, np.zeros(NUM_BLOCKS * PN.num_slots), *np.zeros((2, NUM_BLOCKS * PN.num_slots)))
        for metric, unit in (("npu", "ms"), ("accuracy", "%"))
    )
    kept = np.ones(NUM_BLOCKS * PN.num_slots, dtype=bool)
    kept[:NUM_BLOCKS] = np.isin(np.arange(NUM_BLOCKS), STAY)
    kept[[1, 3, 5, 6, 7]] = True
    for option, (extra_cost, better) in zip(STAY, rivals, strict=True):
        cost.values[option], gain.values[option] = -extra_cost, -better
    # What else stays is no rival: far off on both sides of the one left out.
    for option in (1, 3, 5, 6, 7):
        cost.values[option], gain.values[option] = -rivals[0][0], -rivals[0][1]
    (reason,) = explain(PN, cost, gain, kept, [unit.depths for unit in PN.units], (1.0, 0.1))
    assert reason.startswith(f"e3k7 in u1.l1: {said}")
