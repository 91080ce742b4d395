from dataclasses import replace

import numpy as np
import pytest
from codes import coded

from blockprof.comparing import ProfileTables, compare_profiles
from blockprof.comparing.places import matters_nowhere
from blockprof.comparing.regret import Front, Target, find_front, find_regrets
from blockprof.comparing.targets import Targets, networks_of
from blockprof.foundation.errors import InputError
from blockprof.metrics import AdditiveMetric, load_reference
from blockprof.output.charts.specs import Line, Points
from blockprof.output.charts.targets import place_maps, regret_chart
from blockprof.output.report import comparison_report
from blockprof.profiling import profile
from blockprof.spaces import load_space
from blockprof.spaces.expectation import network_counts
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
ACCURACY = load_reference(PN, "accuracy")


def target(name: str) -> Target:
    metric = load_reference(PN, name)
    assert isinstance(metric, AdditiveMetric)
    return Target(name, metric)


def tables(one: Target) -> ProfileTables:
    result = profile(PN, [one.metric])
    return ProfileTables(
        one.name, result.random_frame(), result.placement_frame(), result.response_frame(), is_target=True
    )


@pytest.fixture(scope="module")
def fronts() -> list[Front]:
    return [find_front(target(name), ACCURACY) for name in ("npu", "gpu", "cpu")]


def test_regret_is_what_the_other_front_has_more(fronts: list[Front]) -> None:
    regrets = find_regrets(fronts, {"gpu": 4.2})
    assert len(regrets) == 6
    rng = np.random.default_rng(0)
    archs = sample_architectures(PN, 2000, rng)
    accuracy = ACCURACY.evaluate(archs)
    for one in regrets:
        chosen_for, run_on = target(one.chosen_for).metric, target(one.run_on).metric
        limit = 4.2 if one.chosen_for == "gpu" else target(one.chosen_for).random_ms
        assert one.limit_ms == pytest.approx(limit)
        assert chosen_for.evaluate(one.network)[0] <= limit * (1 + 1e-9)
        # No random network within the limit is better than what was chosen, nor than the other's own.
        assert (accuracy[chosen_for.evaluate(archs) <= limit] <= one.accuracy).all()
        on = run_on.evaluate(archs)
        assert (accuracy[on <= one.ms] <= one.accuracy + one.points).all()
        assert (on[accuracy >= one.accuracy] >= one.ms - one.lost_ms - 1e-9).all()
        assert run_on.evaluate(one.network)[0] == pytest.approx(one.ms)
        assert run_on.evaluate(one.own)[0] <= one.ms * (1 + 1e-9)
        assert ACCURACY.evaluate(one.own)[0] == pytest.approx(one.accuracy + one.points)
        assert run_on.evaluate(one.faster)[0] == pytest.approx(one.ms - one.lost_ms)
        assert ACCURACY.evaluate(one.faster)[0] >= one.accuracy - 1e-9
        assert one.points >= 0
        assert one.lost_ms >= 0
        assert one.points_interval == (one.points, one.points)


def test_what_a_target_has_for_itself_it_does_not_regret(fronts: list[Front]) -> None:
    npu = fronts[0]
    again = Front(Target("again", npu.target.metric), npu.archs, npu.accuracy, npu.ms)
    for one in find_regrets([npu, again], {}):
        assert one.points == one.lost_ms == 0


def test_intervals_hold_what_costs_may_be(fronts: list[Front]) -> None:
    """Costs drawn from their posterior: how much slower one network is than the other lies in the interval."""
    cpu = fronts[2].target
    assert isinstance(cpu.metric, AdditiveMetric)
    size = len(cpu.metric.costs) + 1
    rng = np.random.default_rng(1)
    root = rng.standard_normal((size, size)) * 0.05
    covariance = root @ root.T
    unsure = Target("cpu", replace(cpu.metric, covariance=covariance))
    front = Front(unsure, fronts[2].archs, fronts[2].accuracy, fronts[2].ms)
    one = next(each for each in find_regrets([fronts[0], front], {}) if each.run_on == "cpu")
    draws = rng.multivariate_normal(np.append(cpu.metric.costs, cpu.metric.base), covariance, size=2000)
    apart = (network_counts(one.network) - network_counts(one.faster))[0]
    low, high = one.lost_ms_interval
    inside = ((draws @ apart >= low) & (draws @ apart <= high)).mean()
    assert 0.93 < inside < 0.97
    assert one.points_interval[0] <= one.points <= one.points_interval[1]
    assert one.points_interval[0] < one.points_interval[1]


def test_limits(fronts: list[Front]) -> None:
    with pytest.raises(InputError, match="cpu2 is none of the targets"):
        find_regrets(fronts, {"cpu2": 3.0})
    with pytest.raises(InputError, match=r"no network takes less than 3\.459", check=coded("limits-not-met")):
        find_regrets(fronts, {"gpu": 1.0})


def test_networks_to_measure_are_each_there_once(fronts: list[Front]) -> None:
    regrets = find_regrets(fronts, {})
    strings = networks_of(regrets, "npu").to_strings()
    assert len(set(strings)) == len(strings) <= 12
    for one in regrets:
        if "npu" in (one.chosen_for, one.run_on):
            assert {net.to_strings()[0] for net in (one.network, one.own, one.faster)} <= set(strings)


def test_blocks_of_a_place() -> None:
    (pair,) = compare_profiles([tables(target("npu")), tables(target("gpu"))]).pairs
    assert (pair.first, pair.second) == ("npu", "gpu")
    places = pair.places.set_index("name")
    assert len(places) == 189
    assert (places["num_blocks"] == 9).all()
    # Contrasts of a place cancel, and are shares of a random network.
    assert np.allclose(places.groupby(["unit", "layer"])["first"].sum(), 0, atol=1e-9)
    effects = profile(PN, [target("npu").metric]).placement_frame().set_index("placement")["effect"]
    apart = effects["u2.l1.e6k7"] - effects["u2.l1.e3k3"]
    shown = places.loc["u2.l1.e6k7", "first"] - places.loc["u2.l1.e3k3", "first"]
    assert shown == pytest.approx(100 * apart / target("npu").random_ms)
    assert places.loc["u2.l1.e6k7", "first_rank"] == 1
    assert matters_nowhere(pair.places, "second")
    assert not matters_nowhere(pair.places, "first")
    story = pair.story()
    assert any(line.startswith("on gpu it does not matter which block is at a place") for line in story)
    assert any("the most expensive on npu" in line and "like any other on gpu" in line for line in story)


def test_rank_changes_within_what_matters_in_practice_are_none() -> None:
    """On this GPU blocks differ by less than 0.05 % of a network: none changes rank against any other target."""
    comparison = compare_profiles([tables(target(name)) for name in ("gpu", "cpu")])
    assert not comparison.pairs[0].places["beyond"].any()
    npu_cpu = compare_profiles([tables(target(name)) for name in ("npu", "cpu")]).pairs[0].places
    changed = npu_cpu[npu_cpu["beyond"] != 0]
    assert len(changed) > 10
    apart = (changed["first_rank"] - changed["second_rank"]).abs()
    assert (apart >= changed["beyond"].abs()).all()


def test_pictures_and_report(fronts: list[Front]) -> None:
    found = Targets(ACCURACY.info, tuple(fronts), tuple(find_regrets(fronts, {})))
    comparison = compare_profiles([tables(front.target) for front in fronts], targets=found)
    maps = place_maps(comparison)
    assert maps is not None
    assert maps.names == ("npu", "gpu", "cpu")
    assert [values.shape for values in maps.values] == [(9, 21)] * 3
    assert [unit for unit, _, _ in maps.units] == ["u1", "u2", "u3", "u4", "u5", "u6"]
    # One scale for all: what is alike on the GPU stays in the middle of it.
    assert np.abs(maps.badness(1) - 0.5).max() < 0.01
    assert maps.badness(0).min() == 0
    assert maps.badness(0).max() == 1
    chart = regret_chart(found)
    assert [panel.title for panel in chart.panels] == ["run on npu", "run on gpu", "run on cpu"]
    lines = [layer for layer in chart.panels[0].layers if isinstance(layer, Line)]
    points = [layer for layer in chart.panels[0].layers if isinstance(layer, Points)]
    assert lines[0].y.max() == pytest.approx(fronts[0].accuracy.max())
    assert len(points) == 4
    page = comparison_report(comparison)
    assert "Regret: chosen for one target, run on another" in page
    assert found.greatest().sentence().replace("'", "&#39;") in page
