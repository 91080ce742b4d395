"""``blockprof measure``: small real measurements; killed, damaged, out of room, two at once."""

import inspect
import json
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path

from blockprof import tracking
from blockprof.cli.measure import measure
from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.lock import machine_lock
from blockprof.latency_data import read_latency_csv
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
QUICK = ["--space", "pn", "--design", "random", "--resolution", "128", "--rounds", "2", "--time-limit", "0.2"]
LATENCIES = Path("blockprof-data/ofa_pn_my-cpu_lat_data.csv")
RECORD = LATENCIES.with_suffix(".record.csv")
JOURNAL = LATENCIES.with_suffix(".journal.jsonl")
DEADLINE_S = 90


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock of this test's own, so that tests running side by side do not lock each other out."""
    place = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))


def visits_in(journal: bytes) -> list[dict]:
    return [json.loads(line)["visit"] for line in journal.splitlines() if line.startswith(b'{"visit"')]


def places(visits: list[dict]) -> list[tuple[int, int]]:
    return sorted((visit["round"], visit["network"]) for visit in visits if not visit["anchor"])


def every_place(rounds: int, nets: int) -> list[tuple[int, int]]:
    return [(number, network) for number in range(1, rounds + 1) for network in range(nets)]


def wait_for_visits(started: "subprocess.Popen[str]", count: int, journal: Path = JOURNAL) -> None:
    end = time.monotonic() + DEADLINE_S
    while not journal.exists() or len(places(visits_in(whole(journal.read_bytes())))) < count:
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def whole(journal: bytes) -> bytes:
    return journal[: journal.rfind(b"\n") + 1]


def write_nets(path: Path, count: int, seed: int = 0) -> list[str]:
    nets = sample_architectures(PN, count, np.random.default_rng(seed)).to_strings()
    path.write_text("\n".join(nets))
    return nets


def test_networks_are_measured_written_and_logged(cli, folder: Path) -> None:
    outcome = cli("measure", *QUICK, "-n", "3", "--name", "measured", "--seed", "4")
    assert outcome.returncode == 0, outcome.stderr
    data = read_latency_csv(LATENCIES, PN)
    assert len(data) == 3
    assert (data.resolutions == 128).all()
    assert data.device.endswith(" ONNX Runtime CPU 1 thread")
    assert f"3 networks of ProxylessNAS (pn) at resolution 128, on {data.device}\n" in outcome.stdout
    assert f"wrote {LATENCIES}\n" in outcome.stdout
    assert "next: more networks: train-predictor takes at least 20, here are 3" in outcome.hints
    record = pd.read_csv(RECORD)
    assert record["net"].tolist() == data.archs.to_strings()
    assert record["corrected_ms"].tolist() == data.latencies_ms.tolist()
    assert set(record["threads"]) == {1}
    assert set(record["provider"]) == {"CPUExecutionProvider"}
    assert record[["version", "cpu", "governor"]].notna().all(axis=None)
    visits = visits_in(JOURNAL.read_bytes())
    assert places(visits) == every_place(2, 3)

    run = MlflowClient().get_run(tracking.find_run("measured").id)
    assert run.info.status == "FINISHED"
    expected = {
        "metric": "my-cpu", "design": "random", "num_nets": "3", "resolution": "128", "threads": "1", "rounds": "2",
        "provider": "CPUExecutionProvider", "seed": "4", "time_limit_s": "0.2", "width": "0.05",
    }  # fmt: skip
    assert expected.items() <= run.data.params.items()
    assert run.data.tags["blockprof.command"] == "measure"
    assert run.data.tags["blockprof.space"] == "pn"
    assert run.data.tags["blockprof.data_origin"] == "measured"
    assert run.data.tags["blockprof.device"] == data.device
    assert {"blockprof.cpu", "blockprof.governor", "version.onnxruntime"} <= run.data.tags.keys()
    assert {
        "repeatability_percent", "num_noisy", "drift_percent", "seconds", "networks_per_minute", "median_iqr_percent",
    } <= run.data.metrics.keys()  # fmt: skip
    (logged,) = run.inputs.dataset_inputs
    assert logged.dataset.name == LATENCIES.name
    artifacts = Path(local_file_uri_to_path(run.info.artifact_uri))
    files = {str(file.relative_to(artifacts)) for file in artifacts.rglob("*.*")}
    assert {file for file in files if not file.startswith("images/")} == {
        LATENCIES.name, "measurements.csv", "raw_times.csv", "drift.csv", "environment.json",
        "figures/measurements.png",
    }  # fmt: skip
    assert (artifacts / LATENCIES.name).read_bytes() == LATENCIES.read_bytes()
    raw = pd.read_csv(artifacts / "raw_times.csv")
    assert len(raw) == sum(len(visit["times_ns"]) for visit in visits)
    (environment,) = json.loads((artifacts / "environment.json").read_text())
    assert environment["machine"]["version"] == run.data.tags["version.onnxruntime"]


def test_a_finished_measurement_is_used_again_or_measured_anew(cli, folder: Path) -> None:
    line = ["measure", *QUICK, "-n", "2", "--no-log"]
    first = cli(*line)
    kept = {file: file.read_bytes() for file in (LATENCIES, RECORD, JOURNAL)}
    with machine_lock():  # another measurement goes on: what is finished needs no machine
        again = cli(*line)
    assert again.returncode == 0
    assert "note: measured already (begun at " in again.stderr
    shown = [text for text in first.stdout.splitlines() if not text.startswith("measured in")]
    assert again.stdout.splitlines() == shown
    assert {file: file.read_bytes() for file in kept} == kept
    fresh = cli(*line, "--fresh")
    assert fresh.returncode == 0
    assert "measured already" not in fresh.stderr
    for file, content in kept.items():
        assert file.with_name(f"{file.name}.old").read_bytes() == content
    assert visits_in(JOURNAL.read_bytes())[0]["started_s"] > visits_in(kept[JOURNAL])[-1]["started_s"]


def test_killed_it_goes_on_loses_nothing_and_measures_nothing_twice(process, cli, folder: Path) -> None:
    line = [*QUICK, "-n", "3", "--no-log"]
    with process("measure", *line) as started:
        wait_for_visits(started, 2)
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert not LATENCIES.exists()
    kept = whole(JOURNAL.read_bytes())
    done = len(places(visits_in(kept)))
    outcome = cli("measure", *line)
    assert outcome.returncode == 0
    assert f": {done} of 6 visits are there\n" in outcome.stderr
    assert "note: resuming a measurement begun at 2" in outcome.stderr
    assert JOURNAL.read_bytes().startswith(kept)
    assert places(visits_in(JOURNAL.read_bytes())) == every_place(2, 3)
    assert len(read_latency_csv(LATENCIES, PN)) == 3


@pytest.fixture
def finished(cli, folder: Path) -> Path:
    """A folder in which two networks are measured."""
    assert cli("measure", *QUICK, "-n", "2", "--no-log").returncode == 0
    return folder


def assert_kept(before: dict[Path, bytes]) -> None:
    """Assert that the files of before are the beginnings of those that are there."""
    for file, content in before.items():
        assert file.read_bytes().startswith(content), file


def test_with_more_networks_those_there_are_kept_and_the_others_are_measured(finished: Path, cli, refused) -> None:
    before = {file: file.read_bytes() for file in (LATENCIES, RECORD, JOURNAL)}
    outcome = cli("measure", *QUICK, "-n", "5", "--name", "extended")
    assert outcome.returncode == 0, outcome.stderr
    assert "note: 2 of 5 networks are measured already (begun at 2" in outcome.stderr
    assert "5 networks of ProxylessNAS (pn) at resolution 128" in outcome.stdout
    assert ", 2 of 5 networks kept from before\n" in outcome.stdout
    assert_kept(before)
    visits = visits_in(JOURNAL.read_bytes())
    assert places(visits) == every_place(2, 5)
    data = read_latency_csv(LATENCIES, PN)
    assert len(set(data.archs.to_strings())) == len(pd.read_csv(RECORD)) == 5
    run = MlflowClient().get_run(tracking.find_run("extended").id)
    assert {"num_nets": "5", "num_nets_kept": "2", "design": "random"}.items() <= run.data.params.items()
    artifacts = Path(local_file_uri_to_path(run.info.artifact_uri))
    assert (artifacts / LATENCIES.name).read_bytes() == LATENCIES.read_bytes()
    assert len(pd.read_csv(artifacts / "measurements.csv")) == 5
    assert len(json.loads((artifacts / "environment.json").read_text())) == 2

    before = {file: file.read_bytes() for file in (LATENCIES, RECORD, JOURNAL)}
    again = cli("measure", *QUICK, "-n", "5", "--no-log")
    assert "note: measured already (begun at " in again.stderr
    message = refused("measure", *QUICK, "-n", "4")
    assert message.startswith(
        f"{JOURNAL}: holds a measurement with number of networks 5 (now 4): to resume it, measure in the same way"
    )
    assert {file: file.read_bytes() for file in before} == before
    assert cli("measure", *QUICK, "-n", "6", "--no-log").returncode == 0
    assert_kept(before)
    assert places(visits_in(JOURNAL.read_bytes())) == every_place(2, 6)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_while_it_extends_the_same_command_goes_on(sent, finished: Path, process, cli) -> None:
    before = {file: file.read_bytes() for file in (LATENCIES, RECORD, JOURNAL)}
    line = [*QUICK, "-n", "20", "--no-log"]
    with process("measure", *line) as started:
        wait_for_visits(started, 5)
        started.send_signal(sent)
        started.communicate()
    assert started.returncode
    assert [file.read_bytes() for file in (LATENCIES, RECORD)] == [before[LATENCIES], before[RECORD]]
    kept = whole(JOURNAL.read_bytes())
    done = len(places(visits_in(kept)))
    outcome = cli("measure", *line)
    assert outcome.returncode == 0, outcome.stderr
    assert f": {done} of 40 visits are there\n" in outcome.stderr
    assert_kept({**before, JOURNAL: kept})
    assert places(visits_in(JOURNAL.read_bytes())) == every_place(2, 20)
    assert len(read_latency_csv(LATENCIES, PN)) == 20


def test_networks_added_to_the_end_of_a_file(cli, folder: Path, refused) -> None:
    nets = write_nets(folder / "nets.txt", 3)
    line = ["-s", "pn", "--nets", "nets.txt", "--resolution", "128,160", "--rounds", "1", "--time-limit", "0.05"]
    (folder / "nets.txt").write_text(nets[0])
    assert cli("measure", *line, "--no-log").returncode == 0
    before = {file: file.read_bytes() for file in (LATENCIES, RECORD, JOURNAL)}
    (folder / "nets.txt").write_text("\n".join([nets[1], nets[0]]))
    assert "holds a measurement with other networks" in refused("measure", *line)
    (folder / "nets.txt").write_text("\n".join(nets))
    outcome = cli("measure", *line, "--no-log")
    assert ", 2 of 6 networks kept from before\n" in outcome.stdout
    assert_kept(before)
    assert read_latency_csv(LATENCIES, PN).resolutions.tolist() == [128, 160] * 3


def test_interrupted_its_run_is_killed_and_the_same_command_goes_on(process, cli, folder: Path) -> None:
    line = ["-n", "20", *QUICK]
    with process("measure", *line, "--name", "first") as started:
        wait_for_visits(started, 1)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, out) == (130, "")
    assert err.endswith("error: interrupted\n")
    assert tracking.find_run("first").status == "KILLED"
    assert cli("measure", *line, "--name", "second").returncode == 0
    assert tracking.find_run("second").status == "FINISHED"
    assert places(visits_in(JOURNAL.read_bytes())) == every_place(2, 20)


def test_two_at_once(process, cli, folder: Path) -> None:
    with process("measure", *QUICK, "-n", "50", "--no-log") as started:
        wait_for_visits(started, 1)
        for more in ([], ["--fresh"], ["--metric", "other"]):
            outcome = cli("measure", *QUICK, "-n", "50", "--no-log", *more)
            assert (outcome.returncode, outcome.stdout) == (1, "")
            message = f"error: another measurement runs on this machine (process {started.pid}), and two at once"
            assert message in outcome.stderr
        assert started.poll() is None
        started.kill()
    assert JOURNAL.exists()
    assert not JOURNAL.with_name(f"{JOURNAL.name}.old").exists()


def test_a_run_that_finds_the_machine_locked_failed(cli, folder: Path) -> None:
    with machine_lock():
        assert cli("measure", *QUICK, "-n", "2", "--name", "locked").returncode == 1
    assert tracking.find_run("locked").status == "FAILED"


def test_out_of_room_it_says_so_and_goes_on_when_there_is_some(cli, folder: Path) -> None:
    line = ["measure", *QUICK, "-n", "4", "--no-log"]
    full = subprocess.run(
        [Path(sys.executable).with_name("blockprof"), *line],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (full.returncode, full.stdout) == (2, "")
    # The networks, on their way to the process that runs them, are what comes first.
    assert re.search(r"error: .*blockprof-runtime-.*: cannot be written \(File too large\): make room", full.stderr)
    assert not LATENCIES.exists()
    kept = JOURNAL.read_bytes()
    assert kept.endswith(b"\n")
    assert not visits_in(kept)
    assert cli(*line).returncode == 0
    assert JOURNAL.read_bytes().startswith(kept)
    assert places(visits_in(JOURNAL.read_bytes())) == every_place(2, 4)


def test_damaged_pieces_are_exported_again(cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_CACHE", str(folder / "cache"))
    write_nets(folder / "one.txt", 1)
    quick = ["--resolution", "128", "--rounds", "1", "--time-limit", "0.1"]
    line = ["measure", "-s", "pn", "--nets", "one.txt", *quick, "--no-log"]
    assert cli(*line).returncode == 0
    pieces = {file: file.read_bytes() for file in folder.glob("cache/onnx/*/*.fragment")}
    assert len(pieces) > 5
    for number, (file, content) in enumerate(pieces.items()):
        file.write_bytes([b"", content[:-1], b"\0" * len(content)][number % 3])
    assert cli(*line, "--fresh").returncode == 0
    assert {file: file.read_bytes() for file in pieces} == pieces


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("-n 1", "number of networks 2 (now 1)"),
        ("-n 3 --seed 1", "seed 0 (now 1)"),
        ("-n 3 --design d-optimal", "other networks"),
        ("-n 2 --rounds 3", "rounds 2 (now 3)"),
        ("-n 2 --seed 1", "seed 0 (now 1)"),
        ("-n 2 --threads 2 --width 2", "threads 1 (now 2), width 0.05 (now 0.02)"),
        ("-n 2 --resolution 160", "other networks"),
    ],
)
def test_another_measurement_of_that_name_is_there(more: str, said: str, finished: Path, refused) -> None:
    message = refused("measure", *QUICK, *more.split())
    assert message.startswith(f"{JOURNAL}: holds a measurement with {said}")
    assert message.endswith("to keep both, give another --metric or --out; to start over, give --fresh")


@pytest.mark.parametrize("keep_journal", [True, False])
def test_a_file_of_other_networks_is_never_replaced_unasked(keep_journal: bool, finished: Path, refused, cli) -> None:
    rows = LATENCIES.read_text().splitlines()
    LATENCIES.write_text("\n".join(rows[:-1]))
    if not keep_journal:
        JOURNAL.unlink()
    message = refused("measure", *QUICK, "-n", "2")
    assert message == (
        f"{LATENCIES}: another file of that name is there: give another --metric or --out, or --fresh, which measures "
        f"again and keeps it as {LATENCIES.name}.old"
    )
    assert cli("measure", *QUICK, "-n", "2", "--no-log", "--fresh").returncode == 0
    assert LATENCIES.with_name(f"{LATENCIES.name}.old").read_text() == "\n".join(rows[:-1])
    assert len(read_latency_csv(LATENCIES, PN)) == 2


def test_a_damaged_journal_row_is_named(finished: Path, refused, cli) -> None:
    lines = JOURNAL.read_bytes().splitlines(keepends=True)
    JOURNAL.write_bytes(b"".join([*lines[:4], lines[4][:50], b"\n", *lines[5:]]))
    assert refused("measure", *QUICK, "-n", "2").startswith(f"{JOURNAL}: row 5: is damaged: remove the row")
    JOURNAL.write_bytes(b"".join(lines[:4] + lines[5:]))
    outcome = cli("measure", *QUICK, "-n", "2", "--no-log")
    assert outcome.returncode == 0
    assert "3 of 4 visits are there" in outcome.stderr
    assert places(visits_in(JOURNAL.read_bytes())) == every_place(2, 2)


def test_networks_of_a_file_and_of_the_latencies_it_gives(cli, folder: Path) -> None:
    nets = write_nets(folder / "nets.txt", 2)
    line = ["measure", "-s", "pn", "--rounds", "1", "--time-limit", "0.1"]
    out = [*line, "--nets", "nets.txt", "--resolution", "160,128", "--out", "first", "--name", "list"]
    assert cli(*out).returncode == 0
    first = read_latency_csv("first/ofa_pn_my-cpu_lat_data.csv", PN)
    assert first.archs.to_strings() == [nets[0], nets[0], nets[1], nets[1]]
    assert first.resolutions.tolist() == [160, 128] * 2
    run = MlflowClient().get_run(tracking.find_run("list").id)
    assert run.data.params["nets"] == "nets.txt"
    assert run.data.params["resolution"] == "128,160"
    assert "design" not in run.data.params
    # With one round there is nothing to tell repeatability by.
    assert "repeatability_percent" not in run.data.metrics
    outcome = cli(*line, "--nets", "first/ofa_pn_my-cpu_lat_data.csv", "--metric", "again", "--no-log")
    assert outcome.returncode == 0
    again = read_latency_csv("blockprof-data/ofa_pn_again_lat_data.csv", PN)
    assert again.archs.to_strings() == first.archs.to_strings()
    assert again.resolutions.tolist() == first.resolutions.tolist()


MBV3_NET = "|".join(["mbconv3_e3_k3->mbconv3_e3_k3"] * 5)
PN_NET = "|".join([*["mbconv2_e3_k3->mbconv2_e3_k3"] * 5, "mbconv2_e3_k3"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no networks"),
        (b"\n \n", "holds no networks"),
        (b"mbconv2_e9_k3", "row 1: 1 units, but pn has 6: correct or remove the row"),
        (f"{PN_NET}\n\n{MBV3_NET}".encode(), "row 3: is a network of mbv3 or mbv3-w1.0, not of pn"),
        (f"{PN_NET}\n{PN_NET}\n".encode(), "row 2: repeats row 1"),
        (b"\xff\xfe", "is not a text in UTF-8"),
        (b"net_str,device,resolution,lat unit,end-to-end lat\n", "has a header but no rows"),
    ],
)
def test_a_bad_file_of_networks(content: bytes, said: str, refused, folder: Path) -> None:
    (folder / "nets").write_bytes(content)
    message = refused("measure", "-s", "pn", "--nets", "nets")
    assert message.startswith("nets: ")
    assert said in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("measure -s nosuch", "unknown space 'nosuch'"),
        ("measure -s pn --nets nosuch", "nosuch: there is no such file"),
        ("measure -s pn --nets .", ".: cannot be read (Is a directory)"),
        ("measure -s pn --nets x -n 3", "--num-nets chooses networks, and --nets gives the networks: leave one out"),
        ("measure -s pn --blocks -n 3", "--num-nets chooses networks, and --blocks measures all blocks: leave one out"),
        ("measure -s pn --blocks --resolution 128,160", "a block table is of one resolution"),
        ("measure -s pn --nets x --design random", "--design chooses networks, and --nets gives the networks"),
        ("measure -s pn --design other", "unknown design 'other': there are d-optimal, random"),
        ("measure -s pn -n 0", "Invalid value for '--num-nets' / '-n'"),
        ("measure -s pn -m accuracy", "'accuracy' is the name of a built-in metric"),
        ("measure -s pn -m a/b", "'a/b' cannot name a metric"),
        ("measure -s pn -m 7", "--metric 7: profile takes metrics by name"),
        ("measure -s pn --resolution 225", "resolution 225: pn takes 128 to 256 in steps of 4"),
        ("measure -s pn --resolution 224,big", "--resolution 'big': give pixels"),
        ("measure -s pn --resolution ,", "--resolution is empty"),
        ("measure -s pn --threads 0", "Invalid value for '--threads'"),
        ("measure -s pn --rounds 0", "Invalid value for '--rounds'"),
        ("measure -s pn --seed -1", "Invalid value for '--seed'"),
        ("measure -s pn --width 0", "width is 0.0: it must be positive and finite"),
        ("measure -s pn --width nan", "width is nan: it must be positive and finite"),
        ("measure -s pn --time-limit -1", "time_limit_s is -1.0: it must be positive and finite"),
        ("measure -s pn --design random --provider Nosuch", "has no provider 'Nosuch': it has "),
        ("measure -s pn --design random -o file", "file"),
    ],
)
def test_bad_arguments(line: str, said: str, refused, folder: Path) -> None:
    (folder / "file").touch()
    assert said in refused(*line.split())


@pytest.mark.parametrize(("typed", "name"), [("--provider C", "CPUExecutionProvider"), ("--design d", "d-optimal")])
def test_names_are_completed(typed: str, name: str, cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_BLOCKPROF_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"blockprof measure {typed}")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert cli().stdout.split() == [name]


def test_d_optimal_networks_at_two_resolutions(cli, folder: Path) -> None:
    quick = ["--rounds", "1", "--time-limit", "0.05", "--no-log"]
    assert cli("measure", "-s", "pn", "-n", "4", "--resolution", "128,160", *quick).returncode == 0
    data = read_latency_csv(LATENCIES, PN)
    assert sorted(data.resolutions) == [128, 128, 160, 160]
    outcome = cli("measure", "-s", "pn", "-n", "4", "--resolution", "128,160", *quick)
    assert "measured already" in outcome.stderr, "the same command chooses the same networks"
    before = LATENCIES.read_bytes()
    for _ in range(2):
        assert cli("measure", "-s", "pn", "-n", "7", "--resolution", "128,160", *quick).returncode == 0
        assert LATENCIES.read_bytes().startswith(before)
        assert np.bincount(read_latency_csv(LATENCIES, PN).resolutions)[[128, 160]].tolist() in ([3, 4], [4, 3])


def test_from_measuring_to_a_profile(cli, folder: Path) -> None:
    """The loop, as small as it can be: 24 networks, one short visit each."""
    quick = ["--resolution", "128", "--rounds", "1", "--time-limit", "0.05"]
    outcome = cli("measure", "--space", "pn", "-n", "24", "--design", "random", *quick)
    assert outcome.returncode == 0, outcome.stderr
    assert "next: blockprof train-predictor --space pn --metric my-cpu\n" in outcome.hints
    outcome = cli("train-predictor", "--space", "pn", "--metric", "my-cpu")
    assert outcome.returncode == 0, outcome.stderr
    assert "registered blockprof-pn-my-cpu version 1" in outcome.stdout
    outcome = cli("profile", "--space", "pn", "--metrics", "my-cpu", "--resolution", "128", "--name", "profiled")
    assert outcome.returncode == 0, outcome.stderr
    assert "my-cpu (ms): predicted by blockprof-pn-my-cpu v1, trained on 20 networks of " in outcome.stdout
    assert "ONNX Runtime CPU 1 thread" in outcome.stdout
    commands = mlflow.search_runs(search_all_experiments=True)["tags.blockprof.command"]
    assert sorted(commands) == ["measure", "profile", "train-predictor"]


def test_the_defaults_are_those_of_the_library() -> None:
    given = inspect.signature(measure).parameters
    spec = MeasureSpec()
    for option, value in {
        "threads": spec.threads,
        "provider": spec.provider,
        "rounds": spec.rounds,
        "width": 100 * spec.width,
        "time_limit": spec.time_limit_s,
        "seed": spec.seed,
    }.items():
        assert given[option].default == value
