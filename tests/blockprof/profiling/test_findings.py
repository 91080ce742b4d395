"""What a profile says: of the reference tables, whose stories are known, and of bargains by brute force."""

import pytest

import blockprof
from blockprof.profiling.findings import find, practical, trades


@pytest.fixture(scope="module")
def profile():
    return blockprof.profile("pn", ["npu", "gpu", "accuracy"])


def test_kernels_decide_on_the_npu(profile):
    findings = find(profile, profile.metrics[0])
    first, second = findings.axes
    assert (first.axis, first.best, first.worst) == ("kernel size", "3 x 3", "7 x 7")
    assert first.difference > 2 * second.difference
    assert findings.avoid["block"].head(8).eq("e6k7").all()
    assert findings.indifferent_places == ()


def test_nothing_but_depth_matters_on_the_gpu(profile):
    findings = find(profile, profile.metrics[1])
    assert findings.avoid.empty
    assert len(findings.indifferent_places) == findings.num_places == 21
    assert set(findings.depth) == {f"u{unit}.l{layer}" for unit in range(1, 6) for layer in (3, 4)}


def test_what_is_to_be_avoided_of_a_gain_is_what_loses(profile):
    findings = find(profile, profile.metrics[2])
    assert (findings.avoid["contrast"] <= -practical(profile.metrics[2])).all()
    assert findings.avoid["placement"].iloc[0] == "u6.l1.e3k3"


def test_a_contrast_within_its_interval_does_not_matter():
    flops = blockprof.profile("pn", ["npu"], num_archs=5)
    findings = find(flops, flops.metrics[0])
    assert not findings.placements[findings.placements["contrast"].abs() <= findings.placements["half"]][
        "matters"
    ].any()


def test_bargains_are_against_the_best_cheaper_block_of_the_place(profile):
    npu, _, accuracy = profile.metrics
    found = trades(profile, accuracy, npu).set_index("placement")
    frame = profile.placement_frame()
    means = {name: rows.set_index("placement")["mean"] for name, rows in frame.groupby("metric")}
    cost, gain = (means[one.info.name] / one.statistics.column("std")[0] for one in (npu, accuracy))
    worth = gain - cost
    for name in ("u5.l4.e6k7", "u2.l1.e4k5"):
        cheaper = [other for other in cost.index if other[:5] == name[:5] and cost[other] < cost[name]]
        best = worth[cheaper].idxmax()
        assert found.loc[name, "instead_of"] == best
        assert found.loc[name, "loss"] == pytest.approx(worth[best] - worth[name])
        assert found.loc[name, "extra_cost"] == pytest.approx(means["npu"][name] - means["npu"][best])
    assert len(found) == 21 * 8, "all but the cheapest of each place"
    assert found.index[0] == "u5.l4.e6k7"
