import itertools
import json
import signal
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from codes import coded
from listening import Heard
from scipy.stats import spearmanr

from blockprof.evaluators.device import MeasureSpec, measure_networks
from blockprof.evaluators.device.runner import visiting_order
from blockprof.evaluators.device.statistics import median_interval
from blockprof.foundation.errors import BlockprofError, InputError
from blockprof.foundation.listener import Listener, Visited
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

QUICK = {"rounds": 3, "time_limit_s": 0.3, "min_runs": 6, "max_runs": 12, "anchor_every": 3}
NAMES = [f"net{number}" for number in range(4)]


def must_not_build(index):
    raise AssertionError(f"network {index} is measured again")


def models(folder: Path):
    return sorted(folder.glob("*.onnx")).__getitem__


def visits_in(journal: bytes) -> list[dict]:
    return [json.loads(line)["visit"] for line in journal.splitlines() if line.startswith(b'{"visit"')]


def places(visits):
    return sorted((visit["round"], visit["network"]) for visit in visits if not visit["anchor"])


EVERY_PLACE = [(number, network) for number in (1, 2, 3) for network in range(4)]


def test_measures_every_network_in_every_round(model_folder, tmp_path):
    heard = Heard()
    measured = measure_networks(NAMES, models(model_folder), tmp_path / "journal.jsonl", MeasureSpec(**QUICK), heard)
    assert [visit.done for visit in heard.visits] == list(range(1, 13))
    assert {visit.total for visit in heard.visits} == {12}
    visits = measured.visits
    assert [(v.round, v.network) for v in visits if not v.anchor] == list(visiting_order(4, MeasureSpec(**QUICK)))
    # At the start, before every third network, and at the end.
    assert [i for i, v in enumerate(visits) if v.anchor] == [0, 4, 8, 12, 16]
    assert {v.network for v in visits if v.anchor} == {0}
    assert len(measured.environments) == 1
    frame = measured.to_frame()
    assert frame["name"].tolist() == NAMES
    assert frame["num_runs"].between(18, 36).all()
    assert (frame["corrected_ms"] > 0).all()
    archs = sample_architectures(load_space("pn"), 4, np.random.default_rng(0))
    data = measured.to_latency_data(archs, np.full(4, 224))
    assert (data.device, data.latencies_ms.tolist()) == (measured.device, frame["corrected_ms"].tolist())
    with pytest.raises(InputError, match="3 networks, but 4 were measured"):
        measured.to_latency_data(archs[:3], np.full(3, 224))


def test_rounds_are_random_orders_that_the_seed_decides():
    def order(seed):
        places = list(visiting_order(20, MeasureSpec(seed=seed)))
        return [[network for number, network in places if number == each] for each in (1, 2, 3)]

    assert order(0) == order(0) != order(1)
    assert all(sorted(each) == list(range(20)) for each in order(0))
    assert all(one != other for one, other in itertools.combinations(order(0), 2))


def test_a_whole_journal_is_read_and_nothing_measured(model_folder, tmp_path):
    path = tmp_path / "journal.jsonl"
    first = measure_networks(NAMES, models(model_folder), path, MeasureSpec(**QUICK))
    before = path.read_bytes()
    again = measure_networks(NAMES, must_not_build, path, MeasureSpec(**QUICK))
    assert again.to_frame().equals(first.to_frame())
    assert path.read_bytes() == before


@pytest.mark.parametrize(("done_before", "delay_s"), [(1, 0.0), (5, 0.01), (11, 0.05), (12, 0.0)])
def test_killed_and_resumed_loses_nothing_and_measures_nothing_twice(
    start_worker, model_folder, tmp_path, done_before, delay_s
):
    path = tmp_path / "journal.jsonl"
    worker = start_worker(model_folder, path, "--turns", spec=QUICK)
    assert [worker.take_turn() for _ in range(done_before)] == list(range(1, done_before + 1))
    worker.allow_turn()
    time.sleep(delay_s)  # into the next visit
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait()
    content = path.read_bytes()
    kept = content[: content.rfind(b"\n") + 1]
    done = len(places(visits_in(kept)))
    assert done >= done_before

    resumed = start_worker(model_folder, path, spec=QUICK)
    assert resumed.finish() == (list(range(done + 1, 13)), "")
    assert path.read_bytes().startswith(kept)
    assert places(visits_in(path.read_bytes())) == EVERY_PLACE
    measured = measure_networks(NAMES, must_not_build, path, MeasureSpec(**QUICK))
    assert len(measured.environments) <= 2
    assert all(each.num_runs >= 18 for each in measured.measurements)


@pytest.fixture
def two_measured(model_folder, tmp_path):
    """The path of a journal in which the first two of the networks are measured, and what came out."""
    path = tmp_path / "journal.jsonl"
    return path, measure_networks(NAMES[:2], models(model_folder), path, MeasureSpec(**QUICK))


def test_further_networks_are_added_and_those_there_stay(model_folder, two_measured):
    path, before = two_measured
    content, built, heard = path.read_bytes(), [], Heard()

    def build(index):
        built.append(index)
        return models(model_folder)(index)

    measured = measure_networks(NAMES, build, path, MeasureSpec(**QUICK), heard)
    assert sorted(built) == [0, 2, 3], "the anchor, and what is new, each once"
    assert [visit.done for visit in heard.visits] == list(range(7, 13))
    assert path.read_bytes().startswith(content)
    assert places(visits_in(path.read_bytes())) == EVERY_PLACE
    assert measured.to_frame().iloc[:2].equals(before.to_frame())
    anchors = [visit.anchor for visit in measured.visits[len(before.visits) :]]
    assert anchors == [True, *[False] * 3, True, *[False] * 3, True]
    again = measure_networks(NAMES, must_not_build, path, MeasureSpec(**QUICK))
    assert again.to_frame().equals(measured.to_frame())
    with pytest.raises(InputError, match=r"number of networks 4 \(now 2\)"):
        measure_networks(NAMES[:2], must_not_build, path, MeasureSpec(**QUICK))


@pytest.mark.parametrize(("done_before", "delay_s"), [(1, 0.0), (4, 0.01), (6, 0.0)])
def test_an_extension_that_is_killed_goes_on(start_worker, model_folder, two_measured, done_before, delay_s):
    path, before = two_measured
    worker = start_worker(model_folder, path, "--turns", spec=QUICK)
    assert [worker.take_turn() for _ in range(done_before)] == list(range(7, 7 + done_before))
    worker.allow_turn()
    time.sleep(delay_s)
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait()
    content = path.read_bytes()
    kept = content[: content.rfind(b"\n") + 1]
    done = len(places(visits_in(kept)))
    resumed = start_worker(model_folder, path, spec=QUICK)
    assert resumed.finish() == (list(range(done + 1, 13)), "")
    assert path.read_bytes().startswith(kept)
    assert places(visits_in(path.read_bytes())) == EVERY_PLACE
    measured = measure_networks(NAMES, must_not_build, path, MeasureSpec(**QUICK))
    assert measured.to_frame().iloc[:2].equals(before.to_frame())


def test_a_full_disk_is_told_and_what_was_measured_is_kept(start_worker, model_folder, tmp_path):
    path = tmp_path / "journal.jsonl"
    full = start_worker(model_folder, path, "--max-bytes", 4000, spec=QUICK)
    counted, error = full.finish()
    assert full.process.returncode == 1
    assert 0 < len(counted) < 12
    assert f"{path}: cannot be written (File too large): make room, then run the same command again" in error
    assert "Traceback" not in error
    content = path.read_bytes()
    assert content.endswith(b"\n")
    assert len(places(visits_in(content))) == len(counted)

    resumed = start_worker(model_folder, path, spec=QUICK)
    assert resumed.finish() == (list(range(len(counted) + 1, 13)), "")
    assert path.read_bytes().startswith(content)
    assert places(visits_in(path.read_bytes())) == EVERY_PLACE


def test_a_model_that_cannot_be_loaded_stops_but_keeps_the_rest(model_folder, tmp_path):
    path, spec = tmp_path / "journal.jsonl", MeasureSpec(**QUICK)

    def broken(index):
        return b"junk" if index == 2 else models(model_folder)(index)

    with pytest.raises(BlockprofError, match="net2: is no ONNX model"):
        measure_networks(NAMES, broken, path, spec)
    # The round up to the broken network.
    order = list(visiting_order(4, spec))
    assert places(visits_in(path.read_bytes())) == sorted(order[: order.index((1, 2))])
    measured = measure_networks(NAMES, models(model_folder), path, spec)
    assert len(measured.environments) == 2
    assert places(visits_in(path.read_bytes())) == EVERY_PLACE


def test_what_cannot_be_measured_is_refused_before_a_journal_is_begun(model_folder, tmp_path):
    path = tmp_path / "journal.jsonl"
    with pytest.raises(InputError, check=coded("no-networks")):
        measure_networks([], must_not_build, path)
    with pytest.raises(InputError, match="NoSuchProvider", check=coded("no-such-provider")):
        measure_networks(NAMES, must_not_build, path, MeasureSpec(provider="NoSuchProvider"))
    assert not path.exists()


def bare_loop(model: bytes, runs: int, feed: dict[str, np.ndarray]) -> float:
    """What anyone would write: the median of ``InferenceSession.run`` on one thread, in ms."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    times = []
    for _ in range(10 + runs):
        start = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - start)
    return float(np.median(times[10:])) * 1e3


@pytest.mark.timing
def test_median_agrees_with_a_bare_loop(conv_model, tmp_path):
    """The two take turns, 20 runs each, on a network of a millisecond or so: most runs fit between two disturbances.

    Up to three tries add up, until the interval of the ratio's median is within 2 %; at the end the median must be.
    """
    model = conv_model(channels=32, layers=4, size=32)
    feed = {"input": np.random.default_rng(0).standard_normal((1, 3, 32, 32)).astype(np.float32)}
    spec = MeasureSpec(rounds=40, min_runs=20, max_runs=20, time_limit_s=40, anchor_every=1000)
    ratios: list[float] = []

    class Bare(Listener):
        def on_visit(self, visit: Visited) -> None:
            bare_ms.append(bare_loop(model, 20, feed))

    for attempt in range(3):
        bare_ms: list[float] = []
        measured = measure_networks(
            ["net"],
            lambda _: model,
            tmp_path / f"{attempt}.jsonl",
            spec,
            Bare(),
        )
        raw = [np.median(visit.timing.times_ns) / 1e6 for visit in measured.visits if not visit.anchor]
        ratios += [harness / bare for harness, bare in zip(raw, bare_ms, strict=True)]
        lower, upper = median_interval(np.array(ratios))
        if lower > 0.98 and upper < 1.02:
            break
    assert np.median(ratios) == pytest.approx(1, abs=0.02), f"median ratio between {lower:.3f} and {upper:.3f}"


@pytest.mark.timing
def test_two_processes_measure_the_same(start_worker, conv_model, tmp_path):
    """Ten networks of 1 to 4 ms, twice.

    The two processes take turns (each with a lock of its own, only one at work at a time), so that what is compared is
    the harness and not the hour.
    """
    folder = tmp_path / "models"
    folder.mkdir()
    for number in range(10):
        (folder / f"net{number}.onnx").write_bytes(conv_model(channels=32, layers=4 + number, size=32))
    spec = {"time_limit_s": 1.5}
    journals = [tmp_path / f"{number}.jsonl" for number in range(2)]
    workers = []
    for journal in journals:
        temporary = journal.with_suffix("")
        temporary.mkdir()
        workers.append(start_worker(folder, journal, "--turns", spec=spec, temporary=temporary))
    for _ in range(30):
        for worker in workers:
            worker.take_turn()
    for worker in workers:
        worker.allow_turn()
        assert worker.finish() == ([], "")
    first, second = (
        measure_networks([f"net{i}" for i in range(10)], must_not_build, path, MeasureSpec(**spec)).latencies_ms
        for path in journals
    )
    assert spearmanr(first, second).statistic >= 0.95
    assert np.median(first / second) == pytest.approx(1, abs=0.03)
