"""Fixtures that all tests share."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from blockprof.spaces import load_space, registered

collect_ignore = ["plugin"]
"""A package of its own, whose tests run where it is installed: ``cli/test_plugin.py``."""

# Machines are shared: how long an example takes says nothing.
settings.register_profile("shared", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("shared")

# Tests import ONNX Runtime themselves, and phone home as little as the commands do.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

REPOSITORY = Path(__file__).parents[1]
SHARED = Path(os.environ.get("BLOCKPROF_SHARED", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture
def own_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces that a test registers are known to it alone."""
    load_space("pn")
    monkeypatch.setattr(registered._SPACES, "_things", dict(registered._SPACES._things))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public test data. Absent: the test is skipped, but fails in CI."""
    if not SHARED.is_dir():
        message = f"public test data is not at {SHARED}: set BLOCKPROF_SHARED"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED


WORDNET_IDS = ("n01440764", "n01443537", "n01484850", "n01491361")
TRAIN_IMAGES, VALIDATION_IMAGES = 6, 3
"""Of each class in the generated folder."""


@pytest.fixture(scope="session")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in ImageNet's layout: 4 classes of generated JPEGs of several sizes, one of them in grey."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("imagenet")
    rng = np.random.default_rng(0)
    for part, count in (("train", TRAIN_IMAGES), ("val", VALIDATION_IMAGES)):
        for wordnet_id in WORDNET_IDS:
            (folder / part / wordnet_id).mkdir(parents=True)
            for number in range(count):
                coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
                image = coarse.resize((150 + 20 * number, 190 - 10 * number), Image.Resampling.BICUBIC)
                mode = "L" if (wordnet_id, number) == (WORDNET_IDS[0], 0) else "RGB"
                image.convert(mode).save(folder / part / wordnet_id / f"{number}.JPEG", quality=90)
    return folder


@pytest.fixture(scope="session")
def supernet_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives a file of a space's supernet as OFA saves it, of real structure.

    The weights are random, and only the first ten classes are ever chosen: otherwise no image would be told right.
    """
    import torch

    from blockprof.networks.modules import new_supernet
    from blockprof.spaces import load_space

    folder = tmp_path_factory.mktemp("weights")

    def save(space: str) -> Path:
        path = folder / space
        if not path.exists():
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                weights = new_supernet(load_space(space)).state_dict()
            weights["classifier.linear.linear.bias" if space == "resnet50" else "classifier.linear.bias"][10:] = -1e4
            torch.save({"epoch": 1, "best_acc": 79.5, "state_dict": weights}, path)
        return path

    return save


CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # In a process of their own, sandboxed frames are painted too late for a screenshot.
    "--disable-features=IsolateSandboxedIframes",
)  # fmt: skip


def program(name: str) -> str:
    """Where a program of Debian's package of that name is. Absent: the test is skipped, but fails in CI."""
    found = shutil.which(name)
    if found is None:
        message = f"no {name}: apt-get install {name}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def strace() -> str:
    """Linux's tracer, which also sees what run-times do beside Python."""
    return program("strace")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's Chromium. Absent: the test is skipped, but fails in CI."""
    return program("chromium")


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs Chromium on a file or an address, with a profile of its own."""

    def run(address: str, *flags: str) -> "subprocess.CompletedProcess[str]":
        command = [chromium, *CHROMIUM_FLAGS, f"--user-data-dir={tmp_path / 'browser'}", *flags, address]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run


SERVER_START_SECONDS = 60


@pytest.fixture(scope="session")
def serve() -> Callable[[str, Path], AbstractContextManager[str]]:
    """Runs ``mlflow <command>`` in a folder for as long as a block lasts, and gives its address."""
    return _serving


@contextmanager
def _serving(command: str, place: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = place / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            cwd=place,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_for_server(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 9)
        server.wait()


def _wait_for_server(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + SERVER_START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the MLflow server did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def proxy() -> Iterator[Callable[[str], Any]]:
    """Starts a proxy before a server: see ``proxy.py``."""
    with ExitStack() as stack:
        yield lambda address: stack.enter_context(_proxy_module().Proxy(address))


@cache
def _proxy_module() -> ModuleType:
    spec = spec_from_file_location("blockprof_tests_proxy", Path(__file__).with_name("proxy.py"))
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
