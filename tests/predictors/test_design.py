"""Designs: that they are D-optimal, distinct and spread, and that they save networks on public data."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from hypothesis import given, settings
from hypothesis import strategies as st

from blockprof.foundation.errors import InputError
from blockprof.latency_data import read_latency_csv
from blockprof.predictors import DESIGNS, Design, check_design, choose_networks, choose_rows, fit_blockwise
from blockprof.predictors.design import Choice
from blockprof.predictors.features import build_features
from blockprof.predictors.fitting import ard_priors
from blockprof.spaces import Architectures, Space, load_space
from blockprof.spaces.files import parse_space
from blockprof.spaces.sampling import sample_architectures

PN, MBV3 = load_space("pn"), load_space("mbv3")
NINE = parse_space(
    """\
name: nine
resolutions: {from: 128, to: 256, step: 32}
stem: [{operator: conv, channels: 8, stride: 2}]
units: [{channels: 16, stride: 2, layers: 1}]
head: [{operator: classifier}]
operator: mbconv2
choices: {expand: [3, 4, 6], kernel: [3, 5, 7]}
""",
    "nine.yaml",
)
"""A space of nine networks."""


def log_determinant(signals: list[np.ndarray], rows: np.ndarray) -> float:
    """By definition: of the precision of the weights over that before measuring, summed over the priors."""
    return sum(float(np.linalg.slogdet(np.eye(one.shape[1]) + one[rows].T @ one[rows])[1]) for one in signals)


def random_signals(num: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(num, width)) * rng.gamma(1.0, 2.0, width) for width in (3, 5)]


def one_kind(num: int, n: int, seed: int, kept: list[int] | None = None) -> tuple[list[np.ndarray], Choice]:
    signals = random_signals(num, seed)
    return signals, Choice(signals, np.zeros(num, dtype=int), np.array([n]), np.array(kept or [], dtype=int))


def information(archs: Architectures, resolutions: np.ndarray) -> float:
    """The log determinant that the predictor's priors give the networks as a design."""
    features = build_features(archs.space, np.unique(resolutions))
    rows = features.of(archs, resolutions)
    rows /= rows[:, features.group_of == features.groups.index("totals")].mean(axis=1)[:, None]
    logs = [prior.log_centre for prior in ard_priors(features)]
    return log_determinant([rows * np.exp(0.5 * (one[:-1][features.group_of] - one[-1])) for one in logs], slice(None))


@settings(max_examples=30)
@given(st.integers(6, 12), st.integers(1, 6), st.integers(0, 2**31))
def test_each_step_takes_the_best_row_and_an_exchange_never_loses(num: int, n: int, seed: int) -> None:
    signals, choice = one_kind(num, n, seed)
    choice.fill()
    greedy: list[int] = []
    for _ in range(n):
        rest = [row for row in range(num) if row not in greedy]
        greedy.append(max(rest, key=lambda row: log_determinant(signals, [*greedy, row])))
    assert set(choice.rows) == set(greedy)
    choice.exchange()
    assert len(choice.rows) == n
    assert log_determinant(signals, choice.rows) >= log_determinant(signals, greedy) - 1e-9


def test_it_is_the_best_of_all_subsets_or_close() -> None:
    shortfalls = []
    for seed in range(20):
        signals, choice = one_kind(10, 4, seed)
        choice.fill()
        choice.exchange()
        best = max(log_determinant(signals, np.array(rows)) for rows in combinations(range(10), 4))
        shortfalls.append(best - log_determinant(signals, choice.rows))
    assert min(shortfalls) > -1e-9
    assert np.median(shortfalls) < 1e-9
    assert max(shortfalls) < 0.5


def test_after_the_exchange_no_single_exchange_is_better() -> None:
    signals, choice = one_kind(40, 8, 3)
    choice.fill()
    for _ in range(5):
        choice.exchange()
    chosen, reached = list(choice.rows), log_determinant(signals, choice.rows)
    for place, row in np.ndindex(8, 40):
        if row not in chosen:
            assert log_determinant(signals, [*chosen[:place], row, *chosen[place + 1 :]]) <= reached + 1e-6


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**31))
def test_rows_that_are_kept_count_and_are_not_exchanged(num_kept: int, more: int, seed: int) -> None:
    kept = np.random.default_rng(seed).choice(10, num_kept, replace=False).tolist()
    signals, choice = one_kind(10, num_kept + more, seed, kept)
    assert choice.rows.tolist() == sorted(kept)
    choice.fill()
    greedy = list(kept)
    for _ in range(more):
        rest = [row for row in range(10) if row not in greedy]
        greedy.append(max(rest, key=lambda row: log_determinant(signals, [*greedy, row])))
    assert set(choice.rows) == set(greedy)
    choice.exchange()
    assert set(kept) <= set(choice.rows)
    assert len(choice.rows) == num_kept + more
    assert log_determinant(signals, choice.rows) >= log_determinant(signals, greedy) - 1e-9


@pytest.mark.parametrize(("space", "resolutions"), [(PN, [224]), (MBV3, [160, 224])])
def test_a_design_that_is_extended_is_as_good_as_one_chosen_at_once(space: Space, resolutions: list[int]) -> None:
    """From the same candidates: of what it tells beyond random networks, at most a twentieth is lost."""
    for seed in range(3):
        archs = sample_architectures(space, 1500, np.random.default_rng(seed))
        at = np.resize(resolutions, len(archs))
        first = choose_rows(archs, at, 40)
        designs = {
            "random": np.arange(120),
            "at once": choose_rows(archs, at, 120),
            "extended": choose_rows(archs, at, 120, chosen=first),
        }
        assert set(first) <= set(designs["extended"])
        told = {name: information(archs[rows], at[rows]) for name, rows in designs.items()}
        lost = (told["at once"] - told["extended"]) / (told["at once"] - told["random"])
        assert lost < 0.05, told


@pytest.mark.parametrize("design", DESIGNS)
@settings(max_examples=8)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=4, unique=True).map(sorted),
    num_resolutions=st.integers(1, 5),
    seed=st.integers(0, 2**31),
)
def test_networks_that_are_chosen_come_first(design: Design, sizes: list[int], num_resolutions: int, seed: int) -> None:
    resolutions, rng = 128 + 16 * np.arange(num_resolutions), np.random.default_rng(seed)
    chosen = None
    for n in sizes:
        before = chosen
        chosen = choose_networks(PN, n, resolutions, rng, design=design, chosen=before)
        archs, at = chosen
        assert len(archs) == len(at) == len(set(archs.to_strings())) == n
        if before is not None:
            assert archs[: len(before[0])].to_strings() == before[0].to_strings()
            np.testing.assert_array_equal(at[: len(before[1])], before[1])
        counts = [(at == resolution).sum() for resolution in resolutions]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("design", DESIGNS)
def test_networks_chosen_at_another_resolution_are_gone_on_from(design: Design) -> None:
    first = choose_networks(PN, 10, [128, 160], np.random.default_rng(0), design=design)
    archs, at = choose_networks(PN, 22, [160, 224], np.random.default_rng(1), design=design, chosen=first)
    assert len(set(archs.to_strings())) == 22
    counts = [(at == resolution).sum() for resolution in (128, 160, 224)]
    assert counts[0] == 5
    assert sorted(counts[1:]) == [8, 9]


@pytest.mark.parametrize(("space", "resolutions"), [(PN, [224]), (MBV3, [128, 160, 192, 224])])
def test_it_tells_more_than_random_networks(space: Space, resolutions: list[int]) -> None:
    found = {
        design: [
            information(*choose_networks(space, 40, resolutions, np.random.default_rng(seed), design=design))
            for seed in range(3)
        ]
        for design in DESIGNS
    }
    assert min(found["d-optimal"]) > max(found["random"]) + 20


@pytest.mark.parametrize("design", DESIGNS)
@settings(max_examples=15)
@given(n=st.integers(1, 25), num_resolutions=st.integers(1, 7), seed=st.integers(0, 2**31))
def test_networks_differ_and_resolutions_get_as_many(design: Design, n: int, num_resolutions: int, seed: int) -> None:
    resolutions = 128 + 16 * np.arange(num_resolutions)
    archs, at = choose_networks(PN, n, resolutions, np.random.default_rng(seed), design=design)
    assert len(archs) == len(at) == len(set(archs.to_strings())) == n
    counts = [(at == resolution).sum() for resolution in resolutions]
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("design", DESIGNS)
def test_the_seed_decides(design: Design) -> None:
    first, again, other = (
        choose_networks(PN, 20, [192, 224], np.random.default_rng(seed), design=design) for seed in (1, 1, 2)
    )
    assert first[0].to_strings() == again[0].to_strings()
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].to_strings() != other[0].to_strings()


def test_rows_are_spread_as_far_as_there_are_candidates() -> None:
    archs = sample_architectures(PN, 100, np.random.default_rng(0))
    at = np.repeat([128, 160, 192], [3, 50, 47])
    rows = choose_rows(archs, at, 21)
    assert np.all(np.diff(rows) > 0)
    assert [(at[rows] == resolution).sum() for resolution in (128, 160, 192)] == [3, 9, 9]
    np.testing.assert_array_equal(choose_rows(archs, at, 100), np.arange(100))


@pytest.mark.parametrize("design", DESIGNS)
def test_a_space_of_nine_networks(design: Design) -> None:
    archs, _ = choose_networks(NINE, 9, [224], np.random.default_rng(0), design=design)
    assert len(set(archs.to_strings())) == 9
    first = choose_networks(NINE, 5, [224], np.random.default_rng(1), design=design)
    archs, _ = choose_networks(NINE, 9, [224], np.random.default_rng(2), design=design, chosen=first)
    assert len(set(archs.to_strings())) == 9
    with pytest.raises(InputError, match=r"4.*5", check=coded("few-networks")):
        choose_networks(NINE, 4, [224], np.random.default_rng(0), design=design, chosen=first)
    with pytest.raises(InputError, match=r"10.*nine.*9", check=coded("space-too-small")):
        choose_networks(NINE, 10, [224], np.random.default_rng(0), design=design)


def test_what_cannot_be_chosen_is_refused() -> None:
    rng = np.random.default_rng(0)
    for n in (0, -3):
        with pytest.raises(InputError, match=f"^{n} networks to choose: at least 1 is needed$"):
            choose_networks(PN, n, [224], rng)
    with pytest.raises(InputError, check=coded("no-resolution")):
        choose_networks(PN, 5, [], rng)
    archs = sample_architectures(PN, 4, rng)
    for n in (0, 5):
        with pytest.raises(InputError, match=f"^{n} networks to choose: of 4 candidates, 1 to 4 can be chosen$"):
            choose_rows(archs, np.full(4, 224), n)
    with pytest.raises(InputError, match=r"2.*4.*3.*4", check=coded("bad-number-of-networks")):
        choose_rows(archs, np.full(4, 224), 2, chosen=[0, 1, 3])
    with pytest.raises(InputError, match=r"design.*best.*d-optimal.*random", check=coded("unknown-name")):
        check_design("best")
    assert [check_design(name) for name in DESIGNS] == list(DESIGNS)


def test_fifty_designed_networks_are_worth_more_than_fifty_random_ones(shared_data: Path) -> None:
    data = read_latency_csv(shared_data / "kirin" / "ofa_mbv3_npu_lat_data.csv", MBV3)
    test = data.select(np.arange(4500, 5000))
    errors: dict[str, list[float]] = {design: [] for design in DESIGNS}
    for seed in range(5):
        candidates = np.random.default_rng(seed).choice(4500, 2000, replace=False)
        designed = candidates[choose_rows(data.archs[candidates], data.resolutions[candidates], 50)]
        for design, rows in (("d-optimal", designed), ("random", candidates[:50])):
            found = fit_blockwise(data.select(rows), "latency").predict(test.archs, test.resolutions)
            errors[design].append(float(np.abs(found.latency_ms / test.latencies_ms - 1).mean()))
    assert np.median(errors["d-optimal"]) < 0.9 * np.median(errors["random"])
