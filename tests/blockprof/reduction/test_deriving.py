"""Reductions derived from profiles: nothing that is best at some exchange rate is lost, what is not worth it goes."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from known_spaces import SPACES

import blockprof
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.metrics import AdditiveMetric, MetricInfo
from blockprof.profiling import Profile
from blockprof.reduction import Reduction, derive_reduction, load_preset, sample_reduced
from blockprof.reduction.effects import read_effects
from blockprof.searching import Objective, Problem, SearchSpec, compare, search
from blockprof.spaces import Architectures, Space, load_space

PN, RESNET50 = load_space("pn"), load_space("resnet50")


def metric_of(space: Space, name: str, costs: FloatArray, *, up: bool = False) -> AdditiveMetric:
    """One with a cost for each placement (and stem)."""
    info = MetricInfo(name, "%" if up else "ms", up, "measured", "made for this test")
    return AdditiveMetric(info, space, 1.0, costs, by="placement")


def random_metrics(space: Space, seed: int) -> tuple[AdditiveMetric, AdditiveMetric]:
    """A cost and a gain: more expensive blocks mostly gain more, a few cost less than nothing."""
    rng = np.random.default_rng(seed)
    num_costs = space.catalogue("placement").absent
    costs = rng.gamma(2.0, size=num_costs) - 0.2
    gains = np.sqrt(np.abs(costs)) * rng.random(num_costs)
    return metric_of(space, "cost", costs), metric_of(space, "gain", gains, up=True)


@cache
def profile_of(space_name: str, *names: str) -> Profile:
    return blockprof.profile(space_name, names)


def best_at(space: Space, cost: AdditiveMetric, gain: AdditiveMetric, rates: FloatArray) -> Architectures:
    """At each rate the network of the greatest gain less rate times cost, where units have one width: unit by unit."""
    scores = gain.slot_costs[:, 0] - rates[:, None, None] * cost.slot_costs[:, 0]
    blocks = scores.argmax(axis=2)
    for unit, slots in zip(space.units, space.unit_slots, strict=True):
        of_depth = np.cumsum(scores[:, slots].max(axis=2), axis=1)[:, [depth - 1 for depth in unit.depths]]
        deepest = np.array(unit.depths)[of_depth.argmax(axis=1)]
        blocks[:, slots][space.slot_layer[slots] >= deepest[:, None]] = -1
    return Architectures(space, blocks)


@pytest.mark.parametrize("name", ["pn", "mbv3"])
@pytest.mark.parametrize("seed", [0, 1])
def test_without_trim_what_is_best_at_any_rate_stays(name: str, seed: int) -> None:
    space = load_space(name)
    cost, gain = random_metrics(space, seed)
    reduction = derive_reduction(space, blockprof.profile(space, [cost, gain]), trim=0)
    assert reduction.contains(best_at(space, cost, gain, np.geomspace(1e-3, 1e3, 20_000))).all()
    assert reduction.num_networks < Reduction.whole(space).num_networks / 100


@pytest.mark.parametrize("device", ["npu", "gpu", "cpu"])
@pytest.mark.parametrize("trim", [1.0, 5.0])
def test_no_more_is_given_up_than_trim_says(device: str, trim: float) -> None:
    cost, gain = (metric.score for metric in blockprof.load_metrics(PN, [device, "accuracy"]))
    reduction = derive_reduction(PN, blockprof.profile(PN, [cost, gain]), trim=trim)
    # So fine that no network is missed which is best between two of them: costs of the NPU lie close together.
    archs = best_at(PN, cost, gain, np.geomspace(1e-6, 1e6, 40_000))
    gains, costs, inside = gain.evaluate(archs), cost.evaluate(archs), reduction.contains(archs)
    least = gains.max() - trim / 100 * np.ptp(gains)
    assert gains[inside].max() >= least
    most_expensive = costs[gains >= least].min()
    assert costs[inside].min() <= costs.min() + trim / 100 * (most_expensive - costs.min())
    assert not inside.all()


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_what_a_layer_adds_follows_from_its_placements(space: Space) -> None:
    cost, _ = random_metrics(space, seed=1)
    effects = read_effects(space, blockprof.profile(space, [cost]).placement_frame(), "cost")
    kinds = effects.values[effects.of_slots].reshape(space.num_slots, -1)
    # Costs of placements do not depend on the width before the unit.
    of_layers = cost.slot_costs[:, 0].reshape(space.num_slots, space.num_widths, -1).mean(axis=1)
    first_optional = np.array([min(space.units[unit].depths) for unit in space.slot_unit])
    optional = space.slot_layer >= first_optional
    assert np.allclose(kinds[optional], of_layers[optional])
    assert np.allclose(kinds[~optional], of_layers[~optional] - of_layers[~optional].mean(axis=1, keepdims=True))


def pn_metrics(change: Callable[[FloatArray, FloatArray], None]) -> Profile:
    """Of pn: every block costs and gains the more the larger it is, but for what ``change`` does to (L, B) arrays."""
    costs = np.tile(np.linspace(1.0, 2.0, len(PN.blocks)) ** 2, (PN.num_slots, 1))
    gains = np.tile(np.linspace(1.0, 2.0, len(PN.blocks)), (PN.num_slots, 1))
    change(costs, gains)
    metrics = [metric_of(PN, "lat", costs.ravel()), metric_of(PN, "top1", gains.ravel(), up=True)]
    return blockprof.profile(PN, metrics)


def test_a_dominated_block_goes_at_its_layer_only() -> None:
    def change(costs: FloatArray, gains: FloatArray) -> None:
        costs[4, 8], gains[4, 8] = 9.0, 1.2

    reduction = derive_reduction(PN, pn_metrics(change), trim=0)
    gone = ~reduction.blocks
    assert np.flatnonzero(gone[:, 8]).tolist() == [4]
    (reason,) = (line for line in reduction.reasons if line.startswith("e6k7"))
    assert reason.startswith("e6k7 in u2.l1: not better than what costs less: ")
    assert "% of top1" in reason


def test_a_block_that_a_mixture_beats_goes() -> None:
    def change(costs: FloatArray, gains: FloatArray) -> None:
        gains[0, 4] = gains[0, 3] + 0.001

    reduction = derive_reduction(PN, pn_metrics(change), trim=0)
    assert not reduction.blocks[0, 4]
    assert any(line.startswith("e4k5 in u1.l1: beaten by mixtures of others: ") for line in reduction.reasons)


def test_a_layer_that_brings_little_goes_and_one_that_brings_much_stays() -> None:
    def change(costs: FloatArray, gains: FloatArray) -> None:
        gains[3] *= 1e-3  # unit 1, layer 4
        gains[4 + 2] += 5.0  # unit 2, layer 3: the last thing to save, and less than 5 % of all that can be
        gains[4 + 3] *= 0.99  # unit 2, layer 4: no tie with the other units' that rounding decides

    reduction = derive_reduction(PN, pn_metrics(change), trim=5)
    assert max(reduction.depths[0]) == 3
    assert min(reduction.depths[1]) == 3
    texts = "\n".join(reduction.reasons)
    assert "unit 1 has at most 3 layers: layer 4, as " in texts
    assert "unit 2 has at least 3 layers: layer 3, as " in texts


def test_widths_and_stems_of_resnet50() -> None:
    """The narrowest unit 3 is expensive and gains nothing, as is the stem that skips; all else is worth its cost."""
    blocks = np.arange(len(RESNET50.blocks))
    costs = np.tile(1.0 + blocks % 3 + blocks // 3, (RESNET50.num_slots, 1)).astype(float)
    slots = RESNET50.unit_slots[2]
    costs[slots, :3] += 50.0
    stems = np.array([9.0 * stem.skip + stem.out_channels / 10 + stem.mid_channels / 10 for stem in RESNET50.stems])
    gains = np.sqrt(costs)
    gains[slots, :3] = 0.0
    stem_gains = np.array([np.sqrt(stem.out_channels) + stem.mid_channels / 10 - stem.skip for stem in RESNET50.stems])
    cost = metric_of(RESNET50, "lat", np.concatenate([costs.ravel(), stems]))
    gain = metric_of(RESNET50, "top1", np.concatenate([gains.ravel(), stem_gains]), up=True)
    reduction = derive_reduction(RESNET50, blockprof.profile(RESNET50, [cost, gain]), trim=0)
    assert reduction.widths(2) == (1, 2)
    assert [reduction.widths(unit) for unit in (0, 1, 3)] == [(0, 1, 2)] * 3
    kept = {stem for stem, stays in zip(RESNET50.stems, reduction.stems, strict=True) if stays}
    assert kept == {stem for stem in RESNET50.stems if not stem.skip}
    assert any(line.startswith("w65 in u3: not better") for line in reduction.reasons)
    assert any(line.startswith("stem.skip: not better") for line in reduction.reasons)
    assert reduction.contains(sample_reduced(reduction, 100, np.random.default_rng(0))).all()


def test_what_the_intervals_leave_open_stays() -> None:
    metrics = blockprof.load_metrics(PN, ["gpu", "accuracy"])
    exact = derive_reduction(PN, profile_of("pn", "gpu", "accuracy"), trim=0)
    left = [
        derive_reduction(PN, blockprof.profile(PN, metrics, num_archs=num_archs, seed=1), trim=0)
        for num_archs in (50, 1000)
    ]
    for reduction in left:
        assert (reduction.kinds | ~exact.kinds).all()
        assert all(set(exact.depths[unit]) <= set(depths) for unit, depths in enumerate(reduction.depths))
    assert left[0].num_networks > left[1].num_networks > exact.num_networks


def test_of_several_costs_what_one_keeps_is_kept() -> None:
    profile = profile_of("pn", "npu", "gpu", "accuracy")
    both = derive_reduction(PN, profile, costs=["npu", "gpu"])
    assert both.name == "derived-npu-gpu"
    each = [derive_reduction(PN, profile, costs=[name]) for name in ("npu", "gpu")]
    assert np.array_equal(both.kinds, each[0].kinds | each[1].kinds)
    assert derive_reduction(PN, profile, costs=["gpu", "npu"]).num_networks == both.num_networks


def test_a_frame_gives_the_same_as_its_profile() -> None:
    profile = profile_of("mbv3", "npu", "accuracy")
    frames = [derive_reduction(load_space("mbv3"), each) for each in (profile, profile.placement_frame())]
    assert frames[0].reasons == frames[1].reasons
    assert np.array_equal(frames[0].blocks, frames[1].blocks)


def test_nothing_to_choose_between_is_kept() -> None:
    """A gain that is the same everywhere: the cheapest network is the best one at any rate."""
    flat = metric_of(PN, "top1", np.ones(PN.num_slots * len(PN.blocks)), up=True)
    cost = metric_of(PN, "lat", np.ones(PN.num_slots * len(PN.blocks)))
    reduction = derive_reduction(PN, blockprof.profile(PN, [cost, flat]), trim=0)
    assert reduction.blocks.all()


@pytest.mark.parametrize(("space", "device"), [("pn", "npu"), ("mbv3", "npu"), ("mbv3", "gpu")])
def test_at_the_papers_budget_it_beats_the_whole_space_and_the_papers_own(space: str, device: str) -> None:
    """The figures of all six are those of ``tests/benchmarks/bench_reduction.py``."""
    accuracy, latency = blockprof.load_metrics(space, ["accuracy", device])
    objectives = (Objective(accuracy, maximize=True), Objective(latency, maximize=False))
    chosen = load_space(space)

    def searched(reduction: Reduction) -> list:
        return [search(Problem(reduction, objectives), SearchSpec(seed=seed)) for seed in range(5)]

    derived = searched(derive_reduction(chosen, profile_of(space, device, "accuracy")))
    for other in (Reduction.whole(chosen), load_preset(chosen, f"paper-{device}")):
        assert compare(searched(other), derived).lower > 1


def refuse(message: str, profile: object, space: Space = PN, **options: object) -> None:
    with pytest.raises(InputError, match=message):
        derive_reduction(space, profile, **options)


def test_profiles_that_no_reduction_follows_from_are_refused() -> None:
    profile = profile_of("pn", "npu", "accuracy", "flops")
    refuse("several metrics of which lower is better: choose with cost from npu, flops", profile)
    refuse("no metric 'gpu': it has npu, accuracy, flops", profile, costs=["gpu"])
    refuse("cost='accuracy': of accuracy higher is better: name it as gain", profile, costs=["accuracy"])
    refuse("gain='npu': of npu lower is better: name it as cost", profile, gain="npu", costs=["flops"])
    refuse("trim=50: give a percentage from 0 to below 50", profile, costs=["npu"], trim=50)
    refuse("trim=nan: give", profile, costs=["npu"], trim=float("nan"))
    refuse("the profile is of pn, not of mbv3", profile, load_space("mbv3"))
    only = blockprof.profile(PN, ["npu"])
    refuse("no metric of which higher is better, only npu: .*`blockprof profile --space pn --metrics npu,acc", only)
    only = blockprof.profile(PN, ["accuracy"])
    refuse("no metric of which lower is better, only accuracy: .* --metrics accuracy,npu`", only)
    few = blockprof.profile(PN, ["npu", "accuracy"], blocks=["u1.l1.e3k3"])
    refuse("has only 1 of the 189 placements of pn: profile all, without blocks", few)
    upstream = blockprof.profile(PN, ["npu", "accuracy"], sampler="upstream")
    refuse("made with sampler='upstream': not every network .* profile with sampler='paper'", upstream)
    old = profile.placement_frame().drop(columns="higher_is_better")
    refuse("does not say which metrics are better high", old)
