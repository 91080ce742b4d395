"""Networks as ONNX files from the command line: run as any program would, and against torch."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from known_spaces import SPACES

from blockprof import tracking
from blockprof.foundation.errors import BlockprofError
from blockprof.networks.modules import subnet_settings
from blockprof.networks.onnx import FragmentStore, write_network, writing
from blockprof.networks.onnx.modules import build_network
from blockprof.spaces import Architectures, load_space
from blockprof.spaces.sampling import sample_architectures

NETS = {name: sample_architectures(space, 1, np.random.default_rng(0)) for name, space in SPACES.items()}
PN = NETS["pn"].to_strings()[0]
FOUND = sample_architectures(load_space("mbv3"), 3, np.random.default_rng(7))


def logits(path: Path, images: np.ndarray) -> np.ndarray:
    (found,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"image": images})
    return found


@pytest.mark.parametrize(("options", "batch"), [("", 1), ("--batch 3", 3), ("--batch dynamic", None)])
@pytest.mark.parametrize(("space", "resolution"), [("pn", 132), ("mbv3", 224)])
def test_the_file_is_the_network(space: str, resolution: int, options: str, batch: int | None, cli, folder) -> None:
    (net,) = NETS[space].to_strings()
    line = f"--space {space} --out new/net.onnx --resolution {resolution} {options}"
    outcome = cli("export", "network", net, *line.split())
    assert (outcome.returncode, outcome.stderr) == (0, "")
    path = folder / "new" / "net.onnx"
    assert [file for file in folder.rglob("*") if file.is_file()] == [path]
    onnx.checker.check_model(path, full_check=True)
    wrote, ports, weights, checked = outcome.stdout.splitlines()
    shown = batch or "N"
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    assert wrote == "wrote new/net.onnx"
    assert ports == (
        f"input image ({shown}, 3, {resolution}, {resolution}), output logits ({shown}, 1000), float32; "
        f"opset {onnx.load(path).opset_import[0].version}, {size}"
    )
    assert weights.startswith("the weights are random: they do not change the latency")
    assert float(checked.removeprefix("passed ONNX's checker; ONNX Runtime's logits equal torch's to ")) < 1e-4
    for number in (batch,) if batch else (1, 4):
        images = np.random.default_rng(1).standard_normal((number, 3, resolution, resolution), dtype=np.float32)
        with torch.inference_mode():
            expected = build_network(NETS[space])(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(logits(path, images), expected, atol=1e-4 * np.abs(expected).max())


def test_without_the_check_nothing_is_run(cli, folder) -> None:
    outcome = cli("export", "network", PN, *["-s", "ProxylessSupernet", "-o", "net.onnx", "--no-check"])
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.endswith("passed ONNX's checker; not run\n")
    onnx.checker.check_model("net.onnx", full_check=True)


def test_a_network_of_any_resolution_that_the_space_takes(tmp_path: Path) -> None:
    store = FragmentStore(load_space("pn"))
    for resolution in (128, 148, 204, 256):
        written = write_network(store, NETS["pn"], 0, tmp_path / "net.onnx", resolution=resolution, check=True)
        assert written.error < 1e-5
        assert written.source.shape == (1, 3, resolution, resolution)


def test_a_file_that_is_not_the_network_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another network's logits, and one whose weights overflow."""
    store, path = FragmentStore(load_space("pn")), tmp_path / "net.onnx"
    two = sample_architectures(store.space, 2, np.random.default_rng(0))
    original = writing.compose_bytes
    monkeypatch.setattr(writing, "compose_bytes", lambda store, _, index, **how: original(store, two, 1, **how))
    with pytest.raises(BlockprofError, match=r"logits differ from torch's by [0-9.e+-]+: not written"):
        write_network(store, two, 0, path, resolution=128, check=True)

    def overflowing(store: FragmentStore, archs: Architectures, index: int, **how: int) -> bytes:
        model = onnx.ModelProto.FromString(original(store, archs, index, **how))
        for tensor in model.graph.initializer:
            if len(tensor.dims) == 4:
                weights = onnx.numpy_helper.to_array(tensor) * np.float32(1e30)
                tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
        return model.SerializeToString()

    monkeypatch.setattr(writing, "compose_bytes", overflowing)
    with pytest.raises(BlockprofError, match="logits that are not finite: not written"):
        write_network(store, two, 0, path, resolution=128, check=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("net", "options", "said"),
    [
        ("mbconv2_e9_k3|", "", "2 units, but pn has 6"),
        (PN.replace("_k", "_k9", 1), "", "at unit 1, layer 1: pn has mbconv2_e3_k3"),
        (NETS["mbv3"].to_strings()[0], "", "is a network of mbv3 or mbv3-w1.0, not of pn"),
        ("", "", "1 units, but pn has 6"),
        (PN, "--resolution 225", "resolution 225: pn takes 128 to 256 in steps of 4"),
        (PN, "--batch 0", "--batch '0': write a number from 1 to 999999, or dynamic"),
        (PN, "--batch -1", "--batch '-1': write a number from 1"),
        (PN, "--batch many", "--batch 'many': write a number from 1"),
        (PN, f"--batch {10**30}", "write a number from 1 to 999999"),
        (PN, "--out file/net.onnx --no-check", "cannot write to the folder"),
        (PN, "--out taken --no-check", "cannot write to the folder"),
        (PN, "--space nosuch", "unknown space 'nosuch'"),
    ],
)
def test_bad_arguments(net: str, options: str, said: str, refused, folder) -> None:
    (folder / "file").touch()
    (folder / "taken").mkdir()
    assert said in refused("export", "network", net, *["--space", "pn", "--out", "net.onnx"], *options.split())


def test_the_file_to_write_must_be_named(refused) -> None:
    assert "Missing option '--out' / '-o'" in refused("export", "network", PN, "--space", "pn")


@pytest.fixture(scope="module")
def store_of_runs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of a store with runs of several kinds; the search ``found`` has a front: ``FOUND``."""
    place = tmp_path_factory.mktemp("runs")
    uri = f"sqlite:///{place}/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        patch.chdir(place)
        for name, command in (("found", "search"), ("nothing", "search"), ("profiled", "profile")):
            with tracking.start_run(command, name=name, space="mbv3", params={"resolution": 160}) as run:
                if name == "found":
                    run.log_frame(pd.DataFrame({"net_id": [4, 7, 9], "net_str": FOUND.to_strings()}), "front.csv")
    return uri


@pytest.fixture
def searched(store_of_runs: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, and the store of runs."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store_of_runs)


def test_a_network_that_a_search_found(cli, searched) -> None:
    outcome = cli(*["export", "network", "--run", "found", "--pick", "2", "--out", "new/net.onnx"])
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("wrote new/net.onnx")
    assert outcome.stdout.endswith("wrote new/net.json\n")
    metadata = {entry.key: entry.value for entry in onnx.load("new/net.onnx").metadata_props}
    assert (metadata["net"], metadata["resolution"]) == (FOUND.to_strings()[1], "160")
    settings = json.loads(Path("new/net.json").read_text())
    assert settings == {**subnet_settings(FOUND, 1), "image_size": 160}
    line = "export network --run found --pick 3 --out net.onnx --no-check -s mbv3 --resolution 128 --settings ofa.json"
    assert cli(*line.split()).returncode == 0
    assert json.loads(Path("ofa.json").read_text()) == {**subnet_settings(FOUND, 2), "image_size": 128}
    assert not Path("net.json").exists()


def test_settings_of_a_network_by_its_string(cli, folder: Path) -> None:
    outcome = cli("export", "network", PN, *["-s", "pn", "-o", "net.onnx", "--no-check", "--settings", "net.json"])
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert json.loads(Path("net.json").read_text()) == {**subnet_settings(NETS["pn"]), "image_size": 224}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--run found", "Missing option '--pick': with --run, say which of its best networks, from 1"),
        ("--run found --pick 0", "--pick 0: run found has 3 best networks: give 1 to 3"),
        ("--run found --pick 4", "--pick 4: run found has 3 best networks: give 1 to 3"),
        ("--run profiled --pick 1", "run profiled is of `blockprof profile`: give a run of `blockprof search`"),
        ("--run nothing --pick 1", "run nothing (FINISHED) has no front.csv: give a search that has finished"),
        ("--run missing --pick 1", "no run has the id or name 'missing'"),
        ("--run found --pick 1 --space pn", "run found searched mbv3, not pn: leave --space out"),
        ("--run found --pick 1 --resolution 0", "resolution 0: mbv3 takes 128 to 256"),
        ("NET --run found --pick 1", "a net string and --run: give one of them"),
        ("", "no network: give its net string, or --run RUN --pick N"),
        ("--pick 1", "no network: give its net string, or --run RUN --pick N"),
        ("NET --space mbv3 --pick 1", "--pick is for --run: leave it out with a net string"),
        ("NET", "Missing option '--space' / '-s'"),
        ("--run found --pick 1 --settings net.onnx", "--out net.onnx is where the settings go"),
    ],
)
def test_bad_picks(line: str, said: str, refused, searched) -> None:
    arguments = [FOUND.to_strings()[0] if word == "NET" else word for word in line.split()]
    assert said in refused("export", "network", *arguments, "--out", "net.onnx")
