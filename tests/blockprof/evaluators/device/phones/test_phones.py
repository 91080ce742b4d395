"""Phones: what benchmark programs print, the visits and their log, and a real adb server without a phone.

No phone was at hand: the outputs are written by the formats in the programs' sources and in threads about them.
"""

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from codes import coded

from blockprof.evaluators.device.phones.programs import find_program
from blockprof.evaluators.device.phones.timing import time_folder
from blockprof.evaluators.device.visit_log import correct_visits
from blockprof.foundation.errors import BlockprofError, DataFileError, InputError
from blockprof.latency_data import PlannedVisit, parse_visit_log, write_visit_plan
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
ARCHS = sample_architectures(PN, 2, np.random.default_rng(0))
SIZES = np.array([224, 192])
NAMES = ["pn-r224-000.onnx", "pn-r192-001.onnx"]
VISITS = [PlannedVisit(0, 1, True), PlannedVisit(1, 1, False), PlannedVisit(0, 1, False), PlannedVisit(0, 1, True)]
PLACE = PurePosixPath("/data/local/tmp/x")

PERF_TEST = """Setting intra_op_num_threads to 1
Session creation time cost: 0.217932 s
First inference time cost: 196 ms
Total inference time cost: 0.49481 s
Total inference requests: 20
Average inference time cost total: 98.961997 ms
Total inference run time: 0.494854 s
Number of inferences per second: 10.104
Min Latency: 0.0958204 s
Max Latency: 0.101519 s
P50 Latency: 0.0995086 s
P90 Latency: 0.101519 s
"""
BENCHMARK_MODEL = """INFO: STARTING!
INFO: Graph: [/data/local/tmp/x/pn.tflite]
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=15 first=49060 curr=33682 min=32825 max=49060 avg=34825.1 std=3930

INFO: count=50 first=32891 curr=33978 min=32641 max=34005 avg=33209.4 std=450

INFO: Inference timings in us: Init: 855, First inference: 49060, Warmup (avg): 34825.1, Inference (avg): 33209.4
INFO: Peak memory footprint (MB): init=0 overall=12.8672
"""
BENCHNCNN = """loop_count = 20
num_threads = 1
powersave = 0
gpu_device = -1
cooling_down = 0
 pn-r224-000.ncnn.param  min =   12.34  max =   15.20  avg =   12.90
"""
MNN = """MNN benchmark
Forward type: CPU thread=1 precision=2 sparsity=0 sparseBlockOC=1 testQuantizedModel=0
--------> Benchmarking... loop = 20, warmup = 5
[ - ] pn-r224-000.mnn             max =   16.402 ms  min =   14.127 ms  avg =   14.530 ms
"""


@pytest.mark.parametrize(
    ("name", "output", "latency_ms"),
    [
        ("onnxruntime_perf_test", PERF_TEST, 99.5086),
        ("onnxruntime_perf_test", PERF_TEST.replace("P50", "X"), 98.961997),
        ("onnxruntime_perf_test", "Average inference time cost: 62.2935 ms", 62.2935),
        ("benchmark_model", BENCHMARK_MODEL, 33.2094),
        ("benchmark_model_plus_flex", BENCHMARK_MODEL.replace("std=450", "std=450 p5=3 median=33111 p95=9"), 33.111),
        ("benchmark_model", "Inference (avg): 1.2e+06", 1200.0),
        ("benchncnn", BENCHNCNN, 12.34),
        ("benchmark.out", MNN, 14.127),
    ],
)
def test_the_time_in_what_programs_print(name: str, output: str, latency_ms: float) -> None:
    assert find_program(f"build/{name}").read_ms(output, "net") == pytest.approx(latency_ms)


@pytest.mark.parametrize("name", ["onnxruntime_perf_test", "benchmark_model", "benchncnn", "benchmark.out"])
def test_a_program_that_tells_no_time(name: str) -> None:
    with pytest.raises(BlockprofError, match=f"net: {name} tells no time: it says 'CANNOT LINK EXECUTABLE'"):
        find_program(name).read_ms("some words\nCANNOT LINK EXECUTABLE\n\n", "net")
    with pytest.raises(BlockprofError, match="it says 'nothing'"):
        find_program(name).read_ms("", "net")


def test_a_program_that_is_not_known() -> None:
    with pytest.raises(InputError, match="is no benchmark program that blockprof can read: it reads onnxruntime_perf"):
        find_program("/bin/ls")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("onnxruntime_perf_test", "./p -m times -r 20 -I -x 1 /m/net.onnx"),
        ("benchmark_model", "./p --graph=/m/net.tflite -x 1"),
        ("benchncnn", "./p 20 -x 1 param=/m/net.ncnn.param 'shape=[192,192,3]'"),
        ("benchmark.out", "./p /m 20 5 -x 1"),
    ],
)
def test_how_programs_are_called(name: str, line: str) -> None:
    known = find_program(name)
    assert known.command("./p", f"/m/net{known.suffix}", 192, ["-x", "1"]) == line


class Recorded:
    """A device that keeps what it is asked, and answers as the program did; it may be lost on the way."""

    def __init__(self, output: str, lost_after: int = 99) -> None:
        self.files: list[str] = []
        self.commands: list[str] = []
        self._output, self._left = output, lost_after

    def push(self, file: Path, place: PurePosixPath, *, executable: bool = False) -> None:
        assert file.is_file()
        self.files.append(str(place))

    def run(self, command: str) -> str:
        if "mkdir" in command:
            return ""
        self._left -= 1
        if self._left < 0:
            raise BlockprofError("was lost")
        self.commands.append(command)
        return self._output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_visit_plan(tmp_path / "visits.csv", ARCHS, SIZES, "phone", NAMES, VISITS)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "stem.bin").touch()
    for name in NAMES:
        for suffix in (".onnx", ".tflite", ".mnn", ".ncnn.param", ".ncnn.bin"):
            (tmp_path / name.replace(".onnx", suffix)).touch()
    (tmp_path / "program").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "output", "model"),
    [
        ("onnxruntime_perf_test", PERF_TEST, "pn-r192-001.onnx"),
        ("benchmark_model", BENCHMARK_MODEL, "pn-r192-001.tflite"),
        ("benchncnn", BENCHNCNN, "pn-r192-001.ncnn.param"),
        ("benchmark.out", MNN, "pn-r192-001/pn-r192-001.mnn"),
    ],
)
def test_the_visits_of_a_folder_are_made_and_resumed(name: str, output: str, model: str, folder: Path) -> None:
    known = find_program(name)
    with pytest.raises(BlockprofError, match="was lost"):
        time_folder(folder, Recorded(output, lost_after=2), PLACE, known, folder / "program", [])
    begun = (folder / "times.csv").read_text()
    assert len(begun.splitlines()) == 3
    (folder / "times.csv").write_text(begun + "0,mbconv")  # as a kill leaves it
    device = Recorded(output)
    log = time_folder(folder, device, PLACE, known, folder / "program", [])
    assert len(device.commands) == 2
    content = log.read_bytes()
    assert content.decode().startswith(begun)
    read = parse_visit_log(content, PN, "log")
    assert read.is_anchor.tolist() == [True, False, False, True]
    latency_ms = known.read_ms(output, "")
    np.testing.assert_allclose(correct_visits(read, "log")[0].latencies_ms, latency_ms)
    first = Recorded(output)
    log.unlink()
    time_folder(folder, first, PLACE, known, folder / "program", [])
    assert f"{PLACE}/{model}" in first.files
    assert f"{PLACE}/program" in first.files
    assert (f"{PLACE}/weights/stem.bin" in first.files) == (name == "onnxruntime_perf_test")
    assert (f"{PLACE}/pn-r192-001.ncnn.bin" in first.files) == (name == "benchncnn")
    assert all(command.startswith(f"cd {PLACE} && ./program") for command in first.commands)
    idle = Recorded(output)
    time_folder(folder, idle, PLACE, known, folder / "program", [])
    assert (idle.commands, idle.files) == ([], [])


def test_what_is_missing_is_said(folder: Path) -> None:
    known = find_program("benchmark_model")
    (folder / "pn-r192-001.tflite").unlink()
    with pytest.raises(InputError, match=r"pn-r192-001\.tflite: is not there: make it of pn-r192-001\.onnx"):
        time_folder(folder, Recorded(""), PLACE, known, folder / "program", [])
    (folder / "visits.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataFileError, check=coded("no-plan")):
        time_folder(folder, Recorded(""), PLACE, known, folder / "program", [])
