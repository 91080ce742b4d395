"""Logs of a measurement elsewhere: the loops that write them, and the latencies that come out."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from codes import coded

from blockprof.evaluators.device.device_folder import DeviceFolder, plan_device_folder
from blockprof.evaluators.device.runner import visiting_order
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.visit_log import correct_visits
from blockprof.foundation.errors import DataFileError
from blockprof.latency_data import PlannedVisit, is_visit_log, parse_visit_log, write_visit_plan
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
NUM = 8
ARCHS = sample_architectures(PN, NUM, np.random.default_rng(0))
SIZES = np.full(NUM, 128)
TRUE_MS = np.linspace(5, 12, NUM)
LATENCY = "end-to-end lat"

RECORDED = {
    "onnxruntime_perf_test": """Session creation time cost: 0.217932 s
First inference time cost: 196 ms
Total inference time cost: 0.49481 s
Total inference requests: 5
Average inference time cost: 98.961997 ms
Total inference run time: 0.494854 s
Number of inferences per second: 10.104
Avg CPU usage: 11 %
Peak working set size: 271122432 bytes
Runs:5
Min Latency: 0.0958204 s
Max Latency: 0.101519 s
P50 Latency: 0.0995086 s
P90 Latency: 0.101519 s""",
    "benchmark_model": """STARTING!
Num threads: [1]
Initialized session in 0.855ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=15 first=49060 curr=33682 min=32825 max=49060 avg=34825.1 std=3930

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450

Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4""",
}
"""What the programs print, by the formats in their sources and in threads about them; the numbers are not of pn."""


def simulated(drift: float = 0.4, rounds: int = 7) -> pd.DataFrame:
    """A log of networks whose true times are known, on a machine that slows down by ``drift`` over it, with noise."""
    rng = np.random.default_rng(1)
    visits = []
    for count, (number, network) in enumerate(visiting_order(NUM, MeasureSpec(rounds=rounds))):
        visits += [(0, number, 1)] if count % 4 == 0 else []
        visits.append((network, number, 0))
    visits.append((0, rounds, 1))
    network = np.array([visit[0] for visit in visits])
    slow = 1 + drift * np.linspace(0, 1, len(visits))
    slow /= np.median(slow[[anchor == 1 for _, _, anchor in visits]])
    nets = np.array(ARCHS.to_strings())
    return pd.DataFrame(
        {
            "net_id": network,
            "net_str": nets[network],
            "device": "board",
            "resolution": 128,
            "lat unit": "us",
            LATENCY: 1e3 * TRUE_MS[network] * slow * np.exp(rng.normal(0, 0.002, len(visits))),
            "round": [visit[1] for visit in visits],
            "anchor": [visit[2] for visit in visits],
            "started_s": 100.0 + np.arange(len(visits)),
        }
    )


def corrected(frame: pd.DataFrame) -> pd.Series:
    content = frame.to_csv(index=False).encode()
    assert is_visit_log(content)
    data, _ = correct_visits(parse_visit_log(content, PN, "log"), "log")
    assert data.device == "board"
    return pd.Series(data.latencies_ms, data.archs.to_strings())


def test_drift_is_divided_out() -> None:
    found = corrected(simulated())
    np.testing.assert_allclose(found[ARCHS.to_strings()], TRUE_MS, rtol=0.01)
    plain = simulated().query("anchor == 0").groupby("net_str")[LATENCY].median() / 1e3
    assert np.abs(plain[ARCHS.to_strings()] / TRUE_MS - 1).max() > 0.02


def test_a_log_that_ends_early_has_what_was_measured() -> None:
    frame = simulated(0, 2).iloc[:14]
    found = corrected(frame)
    assert len(found) == NUM
    np.testing.assert_allclose(found[ARCHS.to_strings()], TRUE_MS, rtol=0.01)
    assert list(corrected(frame.iloc[:3]).index) == frame["net_str"].iloc[1:3].tolist()


def test_the_same_network_at_two_resolutions_is_two() -> None:
    frame = simulated(0, 1).iloc[:3]
    frame = frame.assign(net_str=frame["net_str"].iloc[1], resolution=[128, 128, 160])
    data, _ = correct_visits(parse_visit_log(frame.to_csv(index=False).encode(), PN, "log"), "log")
    assert data.resolutions.tolist() == [128, 160]
    np.testing.assert_allclose(data.latencies_ms, frame[LATENCY].iloc[1:] / 1e3, rtol=1e-6)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("round", "0", "row 3, column 'round': '0' is not a round: write 1, 2, ..."),
        ("round", "1.5", "row 3, column 'round'"),
        ("anchor", "yes", "row 3, column 'anchor': 'yes' is not 1 (of the anchor) or 0"),
        ("started_s", "noon", "row 3, column 'started_s': 'noon' is not a time in seconds"),
        (LATENCY, "", "row 3, column 'end-to-end lat': 1 of "),
        (LATENCY, "-1", "row 3, column 'end-to-end lat': '-1'"),
        ("net_str", "nonsense", "row 3, column 'net_str'"),
    ],
)
def test_what_is_wrong_in_a_log_is_said(column: str, value: str, said: str) -> None:
    frame = simulated(0, 1).astype(str)
    frame.loc[1, column] = value
    with pytest.raises(DataFileError) as caught:
        parse_visit_log(frame.to_csv(index=False).encode(), PN, "log")
    assert str(caught.value).startswith(f"log: {said}")


def test_a_visit_that_is_there_twice_is_refused() -> None:
    frame = simulated(0, 1)
    twice = pd.concat([frame, frame.iloc[[1]]])
    with pytest.raises(DataFileError, match="repeats row 3: the same network", check=coded("repeated-visit")):
        parse_visit_log(twice.to_csv(index=False).encode(), PN, "log")


def test_the_anchor_alone_is_no_measurement() -> None:
    for anchor, code in ((1, "no-visits"), (0, "no-anchor")):
        frame = simulated(0, 1).query(f"anchor == {anchor}")
        with pytest.raises(DataFileError, check=coded(code)):
            correct_visits(parse_visit_log(frame.to_csv(index=False).encode(), PN, "log"), "log")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> DeviceFolder:
    """A folder of two networks, with a plan of one round."""
    planned = plan_device_folder(ARCHS[[0, 1]], SIZES[:2], tmp_path_factory.mktemp("folder") / "phone", "phone")
    planned.write()
    return planned


@pytest.fixture
def short(two: DeviceFolder) -> DeviceFolder:
    two.log.unlink(missing_ok=True)
    visits = [PlannedVisit(0, 1, True), PlannedVisit(1, 1, False), PlannedVisit(0, 1, False), PlannedVisit(0, 1, True)]
    names = [file.name for file in two.files]
    write_visit_plan(two.folder / "visits.csv", two.archs, two.resolutions, "phone", names, visits)
    return two


def loop(folder: Path, *command: object, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | ({"PATH": f"{path}:{os.environ['PATH']}"} if path else {})
    line = [str(word) for word in command]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, env=environment, cwd=folder.parent)


def test_the_python_loop_measures_and_resumes(short: DeviceFolder) -> None:
    command = [sys.executable, short.folder / "time_networks.py"]
    done = loop(short.folder, *command)
    assert (done.returncode, done.stderr) == (0, "")
    whole = short.log.read_text().splitlines()
    log = parse_visit_log(short.log.read_bytes(), PN, "log")
    assert log.is_anchor.tolist() == [True, False, False, True]
    assert (np.diff(log.started_s) > 0).all()
    data, _ = correct_visits(log, "log")
    assert data.archs.to_strings() == ARCHS[[1, 0]].to_strings()
    assert ((data.latencies_ms > 0.1) & (data.latencies_ms < 1000)).all()
    short.log.write_text("\n".join(whole[:3]) + "\n" + whole[3][:20])
    assert loop(short.folder, *command).returncode == 0
    again = short.log.read_text().splitlines()
    assert (again[:3], len(again)) == (whole[:3], 5)
    parse_visit_log(short.log.read_bytes(), PN, "log")
    assert loop(short.folder, *command).stdout == ""
    assert short.log.read_text().splitlines() == again


@pytest.mark.parametrize(("program", "latency_ms"), [("onnxruntime_perf_test", 99.5086), ("benchmark_model", 33.2094)])
def test_the_shell_loop_reads_what_the_programs_print(
    program: str, latency_ms: float, short: DeviceFolder, tmp_path: Path
) -> None:
    tool = tmp_path / program
    (tmp_path / "said").write_text(RECORDED[program])
    # It must find the network that it is to run, in the folder that it is called in.
    tool.write_text(
        f'#!/bin/sh\nls -- *.onnx > /dev/null || exit 3\necho "$@" >> {tmp_path}/calls\ncat {tmp_path}/said\n'
    )
    tool.chmod(0o755)
    done = loop(short.folder, "sh", short.folder / "time_networks.sh", tool, "--some=1")
    assert (done.returncode, done.stderr) == (0, "")
    log = parse_visit_log(short.log.read_bytes(), PN, "log")
    np.testing.assert_allclose(log.data.latencies_ms, latency_ms)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 4
    named = f"--graph={short.files[1].stem}.tflite" if program == "benchmark_model" else short.files[1].name
    assert named in calls[1]
    assert all("--some=1" in call for call in calls)
    assert loop(short.folder, "sh", short.folder / "time_networks.sh", tool).stdout == ""


def test_the_shell_loop_takes_the_median_where_it_is_told(short: DeviceFolder, tmp_path: Path) -> None:
    said = RECORDED["benchmark_model"].replace("std=450", "std=450 p5=32700 median=33111 p95=34000")
    tool = tmp_path / "benchmark_model_plus_flex"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    tool.chmod(0o755)
    assert loop(short.folder, "sh", short.folder / "time_networks.sh", tool).returncode == 0
    np.testing.assert_allclose(parse_visit_log(short.log.read_bytes(), PN, "log").data.latencies_ms, 33.111)


def test_a_program_that_fails_ends_the_shell_loop(short: DeviceFolder, tmp_path: Path) -> None:
    tool = tmp_path / "onnxruntime_perf_test"
    tool.write_text("#!/bin/sh\necho 'cannot load' >&2\nexit 1\n")
    tool.chmod(0o755)
    done = loop(short.folder, "sh", short.folder / "time_networks.sh", tool)
    assert done.returncode == 1
    assert done.stderr == f"{short.files[0].name}: {tool} tells no time; call it by hand to see why\n"
    assert len(short.log.read_text().splitlines()) == 1
    other = loop(short.folder, "sh", short.folder / "time_networks.sh", "./other")
    assert other.returncode
    assert "./other: is neither onnxruntime_perf_test nor benchmark_model" in other.stderr
    assert loop(short.folder, "sh", short.folder / "time_networks.sh").returncode == 2
