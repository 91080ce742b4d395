"""Profiles: frames, intervals, seeds, several metrics."""

import numpy as np
import pytest
from listening import Heard

from blockprof.foundation.errors import InputError
from blockprof.metrics import load_reference
from blockprof.profiling import Profile, profile
from blockprof.spaces import Architectures, load_space, parse_blocks

PN = load_space("pn")
NPU = load_reference(PN, "npu")
ACCURACY = load_reference(PN, "accuracy")


@pytest.fixture(scope="module")
def exact() -> Profile:
    return profile(PN, [NPU, ACCURACY])


@pytest.fixture(scope="module")
def sampled() -> Profile:
    return profile(PN, [NPU, ACCURACY], num_archs=3000, seed=1)


def test_frames_have_every_metric_and_placement(exact: Profile) -> None:
    placements = exact.placement_frame()
    assert len(exact.random_frame()) == 2
    assert len(placements) == 2 * 189
    assert len(exact.response_frame()) == 2 * 9
    assert placements.notna().all().drop(labels="n").all()
    assert not placements[["metric", "placement"]].duplicated().any()


def test_effects_are_differences_to_the_random_networks(exact: Profile) -> None:
    frame, random = exact.placement_frame(), exact.random_frame().set_index("metric")
    for column, statistic in (("effect", "mean"), ("effect_q05", "q05"), ("effect_q95", "q95")):
        expected = frame[statistic] - frame["metric"].map(random[statistic])
        np.testing.assert_allclose(frame[column], expected)


def test_responses_are_means_over_placements(exact: Profile) -> None:
    means = exact.placement_frame().groupby(["metric", "block"])["mean"].mean()
    for _, row in exact.response_frame().iterrows():
        assert row["response"] == pytest.approx(means[row["metric"], row["block"]])


def test_sampling_covers_the_exact_values(exact: Profile, sampled: Profile) -> None:
    """95 % intervals over 378 rows: at least 90 % must hold the exact value."""
    truth, frame = exact.placement_frame(), sampled.placement_frame()
    for column, low, high in (("mean", "mean_lower", "mean_upper"), ("effect", "effect_lower", "effect_upper")):
        inside = (frame[low] <= truth[column] + 1e-12) & (truth[column] - 1e-12 <= frame[high])
        assert inside.mean() > 0.9, column


def test_effects_are_known_to_their_narrowest_interval_or_the_metrics_own_error(
    exact: Profile, sampled: Profile
) -> None:
    for of_metric, of_exact in zip(sampled.metrics, exact.metrics, strict=True):
        own = of_metric.info.error_of_placement(float(of_metric.statistics.column("mean")[0]))
        halves = [*of_metric.effect_half_widths[1:], of_metric.statistics.half_widths[0]]
        assert of_metric.known_to == max(own, min(half for half in halves if half > 0))
        assert of_exact.known_to == of_exact.info.error_of_placement(float(of_exact.statistics.column("mean")[0]))


def test_paired_effects_are_much_tighter_than_means(sampled: Profile) -> None:
    frame = sampled.placement_frame()
    effect_width = frame["effect_upper"] - frame["effect_lower"]
    mean_width = frame["mean_upper"] - frame["mean_lower"]
    assert effect_width.median() < 0.5 * mean_width.median()


def test_extreme_networks_have_the_extreme_values(exact: Profile, sampled: Profile) -> None:
    for frame in (exact.placement_frame(), sampled.placement_frame()):
        rows = frame[frame["metric"] == "npu"].iloc[::20]
        for column, statistic in (("lowest_net", "min"), ("highest_net", "max")):
            values = NPU.evaluate(Architectures.from_strings(PN, rows[column]))
            np.testing.assert_allclose(values, rows[statistic])


def test_a_seed_decides_and_nothing_else(sampled: Profile) -> None:
    constraints = parse_blocks(PN, ["u5.l4.e6k7,u1.l1.e3k3"], 224)
    alone = (
        profile(PN, [ACCURACY], num_archs=3000, seed=1, constraints=constraints)
        .placement_frame()
        .set_index("placement")
    )
    together = sampled.placement_frame()
    together = together[together["metric"] == "accuracy"].set_index("placement")
    for name in alone.index:
        assert alone.loc[name, "mean"] == together.loc[name, "mean"]
    other = profile(PN, [ACCURACY], num_archs=3000, seed=2, constraints=constraints).placement_frame()
    assert (other["mean"].to_numpy() != alone["mean"].to_numpy()).all()


def test_joint_placements_have_a_row_and_no_response() -> None:
    result = profile(
        PN, [NPU], constraints=parse_blocks(PN, ["u1.l1.e6k7+u2.l1.e6k7", "u1.l1.e6k7", "u2.l1.e6k7"], 224)
    )
    effects = result.placement_frame().set_index("placement")["effect"]
    assert effects["u1.l1.e6k7+u2.l1.e6k7"] == pytest.approx(effects["u1.l1.e6k7"] + effects["u2.l1.e6k7"])
    assert result.response_frame()["block"].tolist() == ["e6k7"]
    assert result.response_frame()["num_placements"].tolist() == [2]


def test_progress_counts_over_all_metrics() -> None:
    heard = Heard()
    constraints = parse_blocks(PN, ["u1.l1.e3k3,u1.l1.e3k5"], 224)
    profile(PN, [NPU, ACCURACY], num_archs=10, constraints=constraints, listener=heard)
    assert heard.steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("metrics", "num_archs"), [([], None), ([NPU, NPU], None), ([NPU], 1), ([NPU], 0)])
def test_asking_for_nothing_is_refused(metrics: list, num_archs: int | None) -> None:
    with pytest.raises(InputError):
        profile(PN, metrics, num_archs=num_archs)


def test_the_placements_are_framed_once_and_each_callers_frame_is_its_own() -> None:
    found = profile(PN, [NPU], constraints=parse_blocks(PN, ["u2.l1.e6k7"], 224))
    first = found.placement_frame()
    effect = first["effect"].to_numpy().copy()
    first["effect"] = 0.0
    del first["mean"]
    again = found.placement_frame()
    np.testing.assert_array_equal(again["effect"], effect)
    assert "mean" in again
    assert found._placements is found._placements
