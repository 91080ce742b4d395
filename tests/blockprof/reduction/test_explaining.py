"""Reasons of reductions: the figures they give are the metrics', and whom they name beats what goes."""

import re

import numpy as np
import pytest

import blockprof
from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.reduction import Reduction, derive_reduction
from blockprof.spaces import load_space

PN = load_space("pn")
BLOCKS = [block.name for block in PN.blocks]
COSTS = np.tile(np.linspace(1.0, 2.0, len(BLOCKS)) ** 2, (PN.num_slots, 1))
GAINS = np.tile(np.linspace(1.0, 2.0, len(BLOCKS)), (PN.num_slots, 1))


def metric(name: str, costs: np.ndarray, *, up: bool = False) -> AdditiveMetric:
    info = MetricInfo(name, "%" if up else "ms", up, "measured", "made for this test")
    return AdditiveMetric(info, PN, 1.0, costs.ravel(), by="placement")


def derived(costs: np.ndarray, gains: np.ndarray, trim: float) -> Reduction:
    profile = blockprof.profile(PN, [metric("lat", costs), metric("top1", gains, up=True)])
    return derive_reduction(PN, profile, trim=trim)


REASON = re.compile(
    r"(?P<block>\w+) in (?P<where>[^:]*): (?P<why>[^:]*): (at u(?P<unit>\d)\.l(?P<layer>\d), )?"
    r"(?P<cost>[\d.e+-]+) ms of lat (?P<than>more|less) than (?P<other>\w+), (?P<gain>[\d.e+-]+) % of top1"
    r"(: (?P<rate>[\d.e+-]+|inf) % per ms, at "
    r"((?P<bound>least|most) (?P<limit>[\d.e+-]+) is \w+|which the layer goes))?"
)
UNIT = re.compile(
    r"unit (?P<unit>\d) has (?P<which>at most|at least) (?P<depth>\d) layers: layer (?P<layer>\d), as (?P<block>\w+), "
    r"costs (?P<cost>[\d.e+-]+) ms of lat for (?P<gain>[\d.e+-]+) % of top1: (?P<rate>[\d.e+-]+) % per ms, "
    r"(less|more) than the (?P<limit>[\d.e+-]+) .*"
)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("trim", [0.0, 5.0, 20.0])
def test_every_figure_is_the_metrics_and_the_rival_is_the_nearest_that_stays(seed: int, trim: float) -> None:
    rng = np.random.default_rng(seed)
    costs, gains = (np.round(each * rng.uniform(0.6, 1.4, each.shape), 3) for each in (COSTS, GAINS))
    reduction = derived(costs, gains, trim)
    told = [(line, found) for line in reduction.reasons if (found := REASON.fullmatch(line))]
    assert len(told) > 3
    for line, found in told:
        slots = _slots(found["where"])
        if found["unit"]:
            slot = PN.unit_slots[int(found["unit"]) - 1].start + int(found["layer"]) - 1
            assert slot in slots
        else:
            (slot,) = slots
        block, other = BLOCKS.index(found["block"]), BLOCKS.index(found["other"])
        assert not reduction.blocks[slots, block].any(), line
        assert reduction.blocks[slot, other], line
        more, better = costs[slot, block] - costs[slot], gains[slot, block] - gains[slot]
        sign = 1 if found["than"] == "more" else -1
        assert sign * float(found["cost"]) == pytest.approx(more[other], rel=0.06)
        assert float(found["gain"]) == pytest.approx(better[other], rel=0.06)
        stays = reduction.blocks[slot]
        beaten_by = stays & (more >= 0) & (better <= 0)
        match found["why"]:
            case "not better than what costs less":
                assert better[other] == better[beaten_by].min()
            case "beaten by mixtures of others":
                assert not beaten_by.any()
                assert more[other] == more[stays & (more >= 0)].min()
            case "too expensive for what it brings":
                assert (better[stays] > 0).all()
                assert better[other] == better[stays].min()
                assert found["bound"] == "least"
                assert float(found["rate"]) == pytest.approx(better[other] / more[other], rel=0.02)
                assert float(found["rate"]) <= float(found["limit"])
            case "saves too little for what it loses":
                assert (more[stays] < 0).all()
                assert more[other] == more[stays].max()
                assert found["bound"] == "most"
                assert float(found["rate"]) == pytest.approx(better[other] / more[other], rel=0.02)
                assert float(found["rate"]) >= float(found["limit"])
            case "worth it only where its layer is not":
                unit = int(PN.slot_unit[slot])
                assert PN.slot_layer[slot] >= min(PN.units[unit].depths)
                nearest = more[stays].max() if found["than"] == "less" else better[stays].min()
                assert (more if found["than"] == "less" else better)[other] == nearest
                assert (more[stays] < 0).all() or (better[stays] > 0).all()
            case other_reason:
                pytest.fail(f"an unknown reason: {other_reason}")
    _check_that_each_loss_is_told_once(reduction, [found for _, found in told])


def _check_that_each_loss_is_told_once(reduction: Reduction, told: list[re.Match[str]]) -> None:
    """Of all layers that stay, the blocks left out, neither fewer nor more."""
    said = sorted((slot, BLOCKS.index(found["block"])) for found in told for slot in _slots(found["where"]))
    stay = [
        slots.start + layer
        for slots, depths in zip(PN.unit_slots, reduction.depths, strict=True)
        for layer in range(max(depths))
    ]
    assert said == sorted((slot, block) for slot in stay for block in np.flatnonzero(~reduction.blocks[slot]).tolist())


def _slots(where: str) -> list[int]:
    """Of ``u1.l2-4, u3.l1``."""
    found = []
    for name in where.split(", "):
        unit, first, last = re.fullmatch(r"u(\d)\.l(\d)(?:-(\d))?", name).groups()
        start = PN.unit_slots[int(unit) - 1].start
        found += [start + layer - 1 for layer in range(int(first), int(last or first) + 1)]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_layer_is_told_with_what_it_costs_and_brings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs, gains = (each * rng.uniform(0.9, 1.1, each.shape) for each in (COSTS, GAINS))
    gains[3] *= 1e-3  # unit 1, layer 4
    gains[4 + 2] += 5.0  # unit 2, layer 3
    reduction = derived(costs, gains, 5)
    told = {int(found["unit"]): found for line in reduction.reasons if (found := UNIT.fullmatch(line))}
    assert sum(line.startswith("unit") for line in reduction.reasons) == len(told)
    assert (told[1]["which"], told[1]["depth"], told[1]["layer"]) == ("at most", "3", "4")
    assert told[2]["which"] == "at least"
    assert told[2]["depth"] == told[2]["layer"] == str(min(reduction.depths[1]))
    for unit, depths in enumerate(reduction.depths, start=1):
        whole = PN.units[unit - 1].depths
        assert (unit in told) == (depths != whole)
    for unit, found in told.items():
        slot, block = PN.unit_slots[unit - 1].start + int(found["layer"]) - 1, BLOCKS.index(found["block"])
        assert float(found["cost"]) == pytest.approx(costs[slot, block], rel=0.06)
        assert float(found["gain"]) == pytest.approx(gains[slot, block], rel=0.06)
        assert float(found["rate"]) == pytest.approx(gains[slot, block] / costs[slot, block], rel=0.02)
        # The block that is worth most at the limit, and that is not worth it, or too good to lose.
        limit = float(found["limit"])
        assert (gains[slot] - limit * costs[slot]).argmax() == block
        assert (float(found["rate"]) < limit) == (found["which"] == "at most")
