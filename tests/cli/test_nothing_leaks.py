"""No command opens a connection or writes outside its folder and its caches; no run-time's telemetry is left on."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from blockprof.cli import app
from blockprof.evaluators.runtimes import find_runtime
from blockprof.foundation.paths import runtimes_folder

REPOSITORY = Path(__file__).parents[2]
NET = (
    "mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3"
    "|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3->mbconv2_e3_k3|mbconv2_e3_k3"
)
COMMANDS = (
    "fetch-data -s pn --source reference -n 40",
    "fetch-data --list",
    "train-predictor -s pn",
    "train-predictor -s pn --model gru --fast --epochs 1",
    "profile -s pn -m npu,accuracy,macs --name profiled",
    "compare blockprof-pn-npu/1 blockprof-pn-npu/2 --data blockprof-data/ofa_pn_npu_reference.csv",
    "reduce --from profiled --cost npu",
    "search -s pn --maximize accuracy --minimize npu --generations 2",
    "measure -s pn -n 20 --metric here --rounds 1",
    "measure -s pn -n 1 --runtime onnxruntime --precision int8 --rounds 1",
    "measure -s pn -n 1 --runtime openvino --rounds 1",
    "measure -s pn -n 1 --runtime mnn --rounds 1",
    "measure -s pn -n 1 --runtime ncnn --rounds 1",
    "measure -s pn -n 1 --runtime torch --rounds 1",
    "export run profiled",
    "export predictor blockprof-pn-npu --out npu.onnx",
    "export network {net} -s pn --out net.onnx",
    "export networks -s pn -n 3 --out nets",
    "cache-imagenet --data {imagenet}",
    "store repair",
    "resume",
    "doctor",
    "predict {net} -s pn -m npu,accuracy",
    "plan {net} -s pn -n 40 --resolution 128",
    "runs",
    "predictors",
    "space check {space}",
)
"""At least one of each command, but for those that need a predictor of BlockProfile's, and a phone."""
LEFT_OUT = {"import-predictor", "measure-phone"}
ON_A_DEVICE = "time_networks.py"
"""Runs on another device, by itself."""
WRITTEN = {".cache/blockprof", ".cache/matplotlib"}
IN_TEMPORARY = {"blockprof-measure.lock", "torchinductor"}
"""Below the home folder, and in the temporary one, as README says."""


def traced(strace: str, folder: Path, *command: str | Path) -> tuple["subprocess.CompletedProcess[str]", list[str]]:
    """Run a command with a home of its own; what it did, and each connection it asked for."""
    home, log = folder / "home", folder / "trace.log"
    home.mkdir(exist_ok=True)
    names = ("BLOCKPROF_CACHE", "XDG_CACHE_HOME", "MPLCONFIGDIR", "ORT_DISABLE_TELEMETRY", "TMPDIR")
    bare = {name: value for name, value in os.environ.items() if name not in names}
    tracer = (strace, "-f", "-q", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", log)
    done = subprocess.run(
        [*tracer, *command],
        cwd=folder / "work",
        env={**bare, "HOME": str(home), "TMPDIR": str(folder / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, [line for line in log.read_text().splitlines() if "AF_INET" in line]


def check_written(places: Path) -> None:
    """Check that only what README says is below the home folder and in the temporary one."""
    assert {path.name.split("_")[0] for path in (places / "temporary").iterdir()} <= IN_TEMPORARY
    home = places / "home"
    for path in home.rglob("*"):
        if path.is_file():
            assert any(path.is_relative_to(home / each) for each in WRITTEN), path


@pytest.fixture
def places(tmp_path: Path) -> Path:
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_no_command_connects_or_writes_elsewhere(strace: str, places: Path, imagenet: Path) -> None:
    program = Path(sys.executable).with_name("blockprof")
    space = REPOSITORY / "tests" / "cli" / "space.yaml"
    for line in COMMANDS:
        words = [word.format(net=NET, imagenet=imagenet, space=space) for word in line.split()]
        done, connections = traced(strace, places, program, *words)
        assert done.returncode == 0, (line, done.stderr)
        assert connections == [], line
        check_written(places)
    assert sorted(path.name for path in places.iterdir()) == ["home", "temporary", "trace.log", "work"]


@pytest.mark.runtimes
@pytest.mark.parametrize("name", ["litert", "executorch", "torch-compile"])
def test_no_run_time_connects_or_writes_elsewhere(
    strace: str, places: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPROF_RUNTIMES", str(runtimes_folder()))
    if find_runtime(name).missing:
        pytest.skip(f"{name} is not installed")
    program = Path(sys.executable).with_name("blockprof")
    done, connections = traced(strace, places, program, *f"measure -s pn -n 1 --runtime {name} --rounds 1".split())
    assert done.returncode == 0, done.stderr
    assert connections == []
    check_written(places)


def test_the_tracer_sees_telemetry(strace: str, places: Path) -> None:
    """What the test above would find: a look-up by a library's own code."""
    script = (
        "import ctypes\nfound = ctypes.c_void_p()\n"
        "ctypes.CDLL(None).getaddrinfo(b'host.invalid', None, None, ctypes.byref(found))"
    )
    _, connections = traced(strace, places, sys.executable, "-c", script)
    assert connections


def test_each_command_is_among_those() -> None:
    group = app.app
    names = {command.name for command in group.registered_commands} | {each.name for each in group.registered_groups}
    assert names == {line.split()[0] for line in COMMANDS} | LEFT_OUT


def test_onnx_runtime_is_imported_in_one_place() -> None:
    """Where it is told to be silent."""
    for package in ("blockprof", "cli", "predictors"):
        for file in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                imported = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [ast.unparse(node.args[0]).strip("'")]
                    if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_import"
                    else []
                )
                if any(name.split(".")[0] == "onnxruntime" for name in imported):
                    assert file.name in ("onnx_runtime.py", ON_A_DEVICE), file


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (None, "import blockprof", "None"),
        (None, "from blockprof.foundation import onnx_runtime", "1"),
        ("0", "from blockprof.foundation import onnx_runtime", "0"),
    ],
)
def test_telemetry_is_off_once_it_is_imported(given: str | None, code: str, said: str, tmp_path: Path) -> None:
    """In a process that is started from there, too; and importing blockprof changes no setting."""
    inner = "import os; print(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    script = f"import os, subprocess, sys\nbefore = dict(os.environ)\n{code}\n"
    script += f"print(dict(os.environ) == before)\nsubprocess.run([sys.executable, '-c', {inner!r}])"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"ORT_DISABLE_TELEMETRY": given} if given else {}
    done = subprocess.run([sys.executable, "-uc", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == said
    if code == "import blockprof":
        assert done.stdout.split()[0] == "True"


def test_a_password_is_shown_nowhere(folder: Path, cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://u:s3cret@localhost/x?sslpassword=s3cret")
    for arguments in (("profile", "-s", "pn", "-m", "npu"), ("export", "run", "x"), ("--debug", "export", "run", "x")):
        outcome = cli(*arguments)
        assert outcome.returncode == 1
        assert "postgresql://u:***@localhost/x" in outcome.stderr
        assert "s3cret" not in outcome.stderr + outcome.stdout
