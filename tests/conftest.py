"""Fixtures that all tests share."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are shared: how long an example takes says nothing.
settings.register_profile("shared", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("shared")

# Tests import ONNX Runtime themselves, and phone home as little as the commands do.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

REPOSITORY = Path(__file__).parents[1]
SHARED = Path(os.environ.get("BLOCKPROF_SHARED", REPOSITORY.parent / "shared" / "data"))


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

    from blockprof.networks import new_supernet
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


@pytest.fixture(scope="session")
def chromium() -> str:
    """Debian's Chromium. Absent: the test is skipped, but fails in CI."""
    found = shutil.which("chromium")
    if found is None:
        message = "no chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs Chromium on a file or an address, with a profile of its own."""

    def run(address: str, *flags: str) -> "subprocess.CompletedProcess[str]":
        command = [chromium, *CHROMIUM_FLAGS, f"--user-data-dir={tmp_path / 'browser'}", *flags, address]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run
