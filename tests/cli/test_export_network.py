"""Networks as ONNX files from the command line: run as any program would, and against torch."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from blockprof.errors import BlockprofError
from blockprof.onnx_networks import FragmentStore, write_network, writing
from blockprof.onnx_networks.modules import build_network
from blockprof.sampling import sample_architectures
from blockprof.spaces import SPACES, Architectures, load_space

NETS = {name: sample_architectures(space, 1, np.random.default_rng(0)) for name, space in SPACES.items()}
PN = NETS["pn"].to_strings()[0]


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
        (NETS["mbv3"].to_strings()[0], "", "is a block of mbv3, not of pn"),
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
