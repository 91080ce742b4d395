import numpy as np
import pytest
from codes import coded

from blockprof.comparing import ProfileTables, compare_profiles
from blockprof.comparing.ranks import rank_intervals
from blockprof.foundation.errors import InputError
from blockprof.metrics import load_reference
from blockprof.profiling import Profile, profile
from blockprof.spaces import load_space, parse_constraint

PN = load_space("pn")


def tables(label: str, result: Profile) -> ProfileTables:
    return ProfileTables(label, result.random_frame(), result.placement_frame(), result.response_frame())


@pytest.fixture(scope="module")
def npu() -> ProfileTables:
    return tables("exact", profile(PN, [load_reference(PN, "npu")]))


@pytest.fixture(scope="module")
def sampled() -> ProfileTables:
    return tables("sampled", profile(PN, [load_reference(PN, "npu")], num_archs=100))


@pytest.fixture(scope="module")
def cpu() -> ProfileTables:
    return tables("other", profile(PN, [load_reference(PN, "cpu")]))


def test_a_profile_agrees_with_itself(npu: ProfileTables) -> None:
    (pair,) = compare_profiles([npu, ProfileTables("again", npu.random, npu.placements, npu.responses)]).pairs
    assert pair.spearman == pair.kendall == pair.response_spearman == pytest.approx(1)
    assert not pair.placements["rank_change"].any()
    assert not pair.differences["is_beyond_noise"].any()
    assert pair.verdict().endswith("no placement changes rank beyond its intervals")


def test_two_devices(npu: ProfileTables, cpu: ProfileTables) -> None:
    comparison = compare_profiles([npu, cpu])
    (pair,) = comparison.pairs
    assert (pair.first, pair.second) == ("exact npu", "other cpu")
    assert pair.differences.empty
    effects = pair.placements.set_index("name")
    order = npu.placements.set_index("placement")["effect"].sort_values(ascending=False).index
    assert effects["first_rank"][order[0]] == 1
    assert effects["first_rank"][order[-1]] == 189
    changes = effects["second_rank"] - effects["first_rank"]
    assert (changes == effects["rank_change"]).all()
    far = effects["beyond"].abs().idxmax()
    assert f"most of all {far}, from {effects['first_rank'][far]} to {effects['second_rank'][far]}" in pair.verdict()
    summary = comparison.summary_frame().iloc[0]
    assert summary["num_placements"] == 189
    assert summary["effects_spearman"] == pytest.approx(effects["first"].corr(effects["second"], method="spearman"))


def test_samples_of_the_same_metric_differ_by_noise_only(npu: ProfileTables, sampled: ProfileTables) -> None:
    (pair,) = compare_profiles([npu, sampled]).pairs
    counts = pair.differences.groupby("kind").size()
    assert counts.to_dict() == {"random": 1, "response": 9, "effect": 189}
    assert pair.differences["is_beyond_noise"].mean() < 0.15
    assert pair.spearman > 0.95
    assert (pair.placements["beyond"] != 0).mean() < 0.1
    blocks = pair.blocks.set_index("name")
    assert (blocks["second_rank_least"] <= blocks["second_rank"]).all()
    assert (blocks["second_rank"] <= blocks["second_rank_most"]).all()
    # Paired effects tell e6k7 from the others, where responses with their intervals would not.
    assert blocks["second_rank_most"]["e6k7"] == 1


def test_shared_metrics_are_compared_with_themselves(npu: ProfileTables) -> None:
    both = tables("both", profile(PN, [load_reference(PN, name) for name in ("npu", "accuracy")]))
    assert [(pair.first, pair.second) for pair in compare_profiles([npu, both]).pairs] == [("exact npu", "both npu")]


def test_placements_that_only_one_has_are_left_out_and_joint_ones_count(npu: ProfileTables) -> None:
    constraints = [parse_constraint(PN, text) for text in ("u1.l1.e6k7", "u1.l1.e3k3+u2.l1.e6k7")]
    few = tables("few", profile(PN, [load_reference(PN, "npu")], constraints=constraints))
    (pair,) = compare_profiles([few, npu]).pairs
    assert pair.placements["name"].tolist() == ["u1.l1.e6k7"]
    assert pair.verdict() == "few npu and exact npu: 1 placements in common do not tell their ranks"


def test_none_in_common(npu: ProfileTables) -> None:
    other = ProfileTables("other", npu.random, npu.placements.head(3), npu.responses)
    rest = ProfileTables("rest", npu.random, npu.placements.tail(3), npu.responses)
    with pytest.raises(InputError, match=r"other.*rest", check=coded("no-placement-in-common")):
        compare_profiles([other, rest])


def test_intervals_of_ranks() -> None:
    values = np.array([5.0, 4.0, 1.0, 1.0 + 1e-12])
    half = np.array([0.0, 2.0, 0.0, 0.0])
    rank, least, most = rank_intervals(values, values - half, values + half)
    assert rank.tolist() == [1, 2, 3, 3]
    assert least.tolist() == [1, 1, 3, 3]
    assert most.tolist() == [2, 2, 4, 4]
