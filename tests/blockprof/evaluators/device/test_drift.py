import dataclasses

import numpy as np
import pytest

from blockprof.evaluators.device import Measurement, MeasureSpec
from blockprof.evaluators.device.drift import fit_drift
from blockprof.evaluators.device.records import Visit
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.timing import Timing


def anchors(speed, n=41, noise=0.01, seed=0):
    times_s = np.arange(n, dtype=float) * 3
    return times_s, 12 * speed(times_s) * np.exp(np.random.default_rng(seed).normal(0, noise, n))


def steady(times_s):
    return np.ones_like(times_s)


def step(times_s):
    return np.where(times_s < 50, 1.0, 1.5)


def wave(times_s):
    return 1 + 0.2 * np.sin(times_s / 20)


def test_noise_alone_is_taken_for_drift_in_one_of_twenty():
    drifts = [fit_drift(*anchors(steady, noise=0.03, seed=seed)) for seed in range(400)]
    # At the 5 % level; the standard error of 400 is 1.1 %.
    assert 0.02 < np.mean([drift.percent > 0 for drift in drifts]) < 0.085
    # Following each visit would give about 13 %.
    assert max(drift.percent for drift in drifts) < 10


@pytest.mark.parametrize("speed", [step, wave])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_drift_is_followed(speed, noise):
    times_s, medians_ms = anchors(speed, noise=noise)
    drift = fit_drift(times_s, medians_ms)
    truth = speed(times_s) / np.median(speed(times_s))
    assert np.abs(np.log(drift.factors / truth)).max() < 0.05
    assert np.median(drift.factors) == pytest.approx(1, abs=0.01)


def test_between_visits_the_factor_is_between_theirs_and_flat_beyond():
    drift = fit_drift(*anchors(wave))
    assert drift.at(np.array([-100.0, 1e6])).tolist() == pytest.approx([drift.factors[0], drift.factors[-1]])
    assert drift.at(np.array([1.5]))[0] == pytest.approx(np.sqrt(drift.factors[0] * drift.factors[1]))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_visits_correct_nothing(n):
    drift = fit_drift(np.arange(n, dtype=float), np.arange(10.0, 10.0 + n))
    assert drift.factors.tolist() == [1] * n


def test_the_fourth_visit_tells_a_shift_from_noise():
    times_s, medians_ms = np.array([0.0, 3.0, 3600.0, 3603.0]), np.array([10.0, 10.01, 20.0, 20.01])
    assert fit_drift(times_s[:3], medians_ms[:3]).factors.tolist() == [1, 1, 1]
    drift = fit_drift(times_s, medians_ms)
    assert drift.factors == pytest.approx(medians_ms / np.median(medians_ms), rel=0.07)
    assert drift.percent == pytest.approx(100, abs=1)


def test_an_anchor_that_never_changes():
    assert fit_drift(np.arange(10.0), np.full(10, 12.0)).factors == pytest.approx(np.ones(10))


def test_a_long_pause_lets_the_speed_change_more():
    """After a pause of a day, the anchor of before says nothing."""
    times_s = np.concatenate([np.arange(20) * 3.0, 86_400 + np.arange(20) * 3.0])
    medians_ms = np.concatenate([np.full(20, 10.0), np.full(20, 14.0)])
    medians_ms *= np.exp(np.random.default_rng(0).normal(0, 0.01, 40))
    drift = fit_drift(times_s, medians_ms)
    assert drift.factors[19] / drift.factors[20] == pytest.approx(10 / 14, rel=0.02)


@pytest.mark.parametrize("times", [1e-3, 1e3])
def test_the_unit_of_time_does_not_matter(times):
    times_s = np.cumsum(np.random.default_rng(1).gamma(2.0, 1.0, 41))
    medians_ms = 12 * wave(times_s) * np.exp(np.random.default_rng(0).normal(0, 0.01, 41))
    assert fit_drift(times_s * times, medians_ms).factors == pytest.approx(fit_drift(times_s, medians_ms).factors)


@pytest.fixture
def slowed():
    """Ten networks of 10 to 19 ms, three rounds, on a machine that gets 40 % slower on the way; its speed."""
    rng = np.random.default_rng(0)
    visits, now = [], 1e9

    def visit(network, number, base_ms, anchor):
        nonlocal now
        speed = 1 + 0.4 / (1 + np.exp(-(now - 1e9 - 40) / 5))
        times_ns = np.round(base_ms * speed * np.exp(rng.normal(0, 0.01, 30)) * 1e6).astype(np.int64)
        visits.append(Visit(network, number, anchor, now, Timing(times_ns, np.zeros_like(times_ns), 10)))
        now += 2

    for number in (1, 2, 3):
        for place, network in enumerate(rng.permutation(10).tolist()):
            if place % 3 == 0:
                visit(0, number, 10, anchor=True)
            visit(network, number, 10 + network, anchor=False)
    visit(0, 3, 10, anchor=True)
    return MeasuredNetworks.from_visits([f"n{i}" for i in range(10)], MeasureSpec(), [], visits)


def test_correction_takes_a_slowdown_out(slowed):
    truth = np.arange(10, 20)
    raw = np.array([each.median_ms for each in slowed.measurements]) / truth
    corrected = slowed.latencies_ms / truth
    assert raw.max() / raw.min() > 1.1
    assert corrected.max() / corrected.min() < 1.03
    assert slowed.drift.percent == pytest.approx(40, abs=5)
    # Raw times differ by 40 % between rounds, corrected ones by noise only.
    assert slowed.repeatability_percent < 2
    assert slowed.num_noisy == 10


def test_repeatability_is_the_spread_of_rounds_and_of_medians_of_all_rounds():
    """400 networks of 10 ms, in 15 rounds that differ by 2 %: what is said, against how far medians really are off."""
    rng = np.random.default_rng(3)
    spec = MeasureSpec(rounds=15)
    visits = []
    for number in range(1, spec.rounds + 1):
        visits.append(Visit(0, number, True, float(len(visits)), Timing(np.full(6, 10_000_000), np.zeros(6), 5)))
        for network, factor in enumerate(np.exp(rng.normal(0, 0.02, 400))):
            times_ns = np.full(6, round(10e6 * factor))
            visits.append(Visit(network, number, False, float(len(visits)), Timing(times_ns, np.zeros(6), 5)))
    measured = MeasuredNetworks.from_visits([f"n{i}" for i in range(400)], spec, [], visits)
    assert measured.repeatability_percent == pytest.approx(2, rel=0.03)
    medians = np.median([each.round_medians_ms for each in measured.measurements], axis=1)
    assert measured.median_repeatability_percent == pytest.approx(100 * np.log(medians / 10).std(), rel=0.1)


def test_a_system_clock_that_is_set_back_spoils_nothing(slowed):
    visits = [
        dataclasses.replace(visit, started_s=visit.started_s - (3600 if index >= 30 else 0))
        for index, visit in enumerate(slowed.visits)
    ]
    again = MeasuredNetworks.from_visits([f"n{i}" for i in range(10)], MeasureSpec(), [], visits)
    assert again.latencies_ms == pytest.approx(slowed.latencies_ms, rel=0.05)


def test_frames(slowed):
    frame = slowed.to_frame()
    assert frame["name"].tolist() == [f"n{i}" for i in range(10)]
    assert sorted(frame["order"]) == list(range(1, 11))
    assert (frame["num_runs"] == 90).all()
    assert (frame["rounds"] == 3).all()
    assert ((frame["lower_ms"] <= frame["corrected_ms"]) & (frame["corrected_ms"] <= frame["upper_ms"])).all()
    assert frame["warning"].str.contains("interquartile range").all()
    raw = slowed.raw_frame()
    assert len(raw) == 30 * len(slowed.visits)
    rounds = raw.loc[~raw["anchor"]].groupby(["network", "round"])["time_ms"].median()
    assert rounds.groupby("network").median().tolist() == pytest.approx(frame["median_ms"].tolist())
    assert len(slowed.drift_frame()) == sum(visit.anchor for visit in slowed.visits)


def one_network(times_ms, waiting=0.0):
    times_ns = np.round(np.array(times_ms) * 1e6).astype(np.int64)
    timing = Timing(times_ns, np.round(waiting * times_ns).astype(np.int64), 10)
    return Measurement("net", (Visit(0, 1, False, 0.0, timing),), np.ones(1))


def test_a_measurement_says_when_it_is_noisy():
    quiet = one_network(np.linspace(9.6, 10.4, 101))
    assert (quiet.iqr_percent, quiet.warning) == (pytest.approx(4), "")
    noisy = one_network(np.linspace(8, 12, 101), waiting=0.35)
    assert noisy.is_noisy
    assert "is 20 % of the median (over 10 %), and 35 % of the time went by waiting for a core" in noisy.warning
    assert (noisy.median_ms, noisy.corrected_ms) == (10, pytest.approx(6.5))
    assert "\n" not in noisy.warning


@pytest.mark.parametrize("gap_s", [3.0, 3600.0, 1e6])
@pytest.mark.parametrize("speed", [0.8, 1.0, 1.2])
def test_a_second_session_is_put_relative_to_the_first_which_stays(gap_s, speed):
    """14 visits of the anchor, a pause, and 27 more on a machine that is slower, quicker or the same by then."""
    times_s, medians_ms = anchors(steady)
    times_s[14:] += gap_s
    medians_ms[14:] *= speed
    before = fit_drift(times_s[:14], medians_ms[:14])
    after = fit_drift(times_s, medians_ms).keeping(before)
    assert after.factors[:14].tolist() == before.factors.tolist()
    assert after.factors[14:] == pytest.approx(np.full(27, speed), rel=0.03)
    assert np.median(after.factors[14:]) == pytest.approx(speed, rel=0.01)


def test_drift_within_the_first_session_goes_on_into_the_second():
    times_s, medians_ms = anchors(wave, n=80)
    before = fit_drift(times_s[:30], medians_ms[:30])
    after = fit_drift(times_s, medians_ms).keeping(before)
    assert after.factors[:30].tolist() == before.factors.tolist()
    truth = wave(times_s) / np.median(wave(times_s[:30]))
    assert np.abs(np.log(after.factors / truth)).max() < 0.05


def test_results_of_visits_that_were_finished_stay_bit_for_bit():
    """Two networks on a machine that drifts, then two more on one that is a fifth slower and drifts on."""
    rng = np.random.default_rng(1)

    def visits(networks, start, speed):
        made = []
        for count, network in enumerate(np.tile(networks, 8)):
            for anchor in (True, False):
                slow = speed * (1 + 0.1 * np.sin(count / 3))
                times_ns = np.full(10, (8 if anchor else 8 + network) * slow * 1e6 * np.exp(rng.normal(0, 0.005)))
                timing = Timing(np.round(times_ns).astype(np.int64), np.zeros(10, np.int64), 5)
                round_number = count // len(networks) + 1
                at = start + 3.0 * count + 1.5 * (not anchor)
                made.append(Visit(0 if anchor else int(network), round_number, anchor, at, timing))
        return [*made, dataclasses.replace(made[-2], started_s=made[-1].started_s + 1)]

    spec = MeasureSpec(rounds=8)
    first, then = visits([0, 1], 1e9, 1.0), visits([2, 3], 1e9 + 5000, 1.2)
    before = MeasuredNetworks.from_visits(["a", "b"], spec, [], first)
    after = MeasuredNetworks.from_visits(["a", "b", "c", "d"], spec, [], [*first, *then], [len(first)])
    assert before.drift.percent > 5
    assert after.to_frame().iloc[:2].equals(before.to_frame())
    # As they would be on the machine as it was: 8 ms, and 1 ms more each.
    assert after.latencies_ms / after.latencies_ms[0] == pytest.approx(np.arange(8, 12) / 8, rel=0.02)


def visits_of(speed, noise=0.015, num_networks=30, rounds=5, seed=0):
    """Times, medians and networks of visits in random order, the anchor every five, on a machine of that speed."""
    rng = np.random.default_rng(seed)
    networks = []
    for _ in range(rounds):
        for place, network in enumerate(rng.permutation(num_networks).tolist()):
            networks += [0, network] if place % 4 == 0 else [network]
    numbers = np.array(networks)
    times_s = np.arange(len(numbers), dtype=float)
    levels = np.exp(rng.normal(2, 0.2, num_networks))
    return times_s, levels[numbers] * speed(times_s) * np.exp(rng.normal(0, noise, len(numbers))), numbers


@pytest.mark.parametrize("speed", [step, wave])
def test_all_visits_tell_more_of_the_drift_than_the_anchor(speed):
    def error(drift, times_s):
        off = np.log(drift.at(times_s) / speed(times_s))
        return np.std(off - np.median(off))

    errors = []
    for seed in range(3):
        times_s, medians_ms, networks = visits_of(speed, noise=0.03, seed=seed)
        own = networks == 0
        alone = fit_drift(times_s[own], medians_ms[own])
        errors.append([error(alone, times_s), error(fit_drift(times_s, medians_ms, networks), times_s)])
    by_anchor, by_all = np.mean(errors, axis=0)
    assert by_all < 0.75 * by_anchor


@pytest.mark.parametrize("rounds", [2, 7])
def test_noise_of_many_networks_is_seldom_taken_for_drift(rounds):
    drifts = [fit_drift(*visits_of(steady, rounds=rounds, num_networks=8, seed=seed)) for seed in range(60)]
    # At most the 5 % level; the standard error of 60 is 2.8 %.
    assert np.mean([drift.percent > 0 for drift in drifts]) < 0.12


def test_a_visit_that_something_hits_is_no_drift():
    times_s, medians_ms, networks = visits_of(steady, noise=0.005)
    medians_ms[50:52] *= 3
    assert fit_drift(times_s, medians_ms, networks).percent < 2
