"""Checkpoints of the released code: its arrays, its predictions, and what is refused."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from torch import Tensor, nn

from blockprof.fetching.reference import reference_data
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.latency_data import LatencyData
from blockprof.predictors.gru.features import network_inputs
from blockprof.predictors.gru.importing import compare_maxima, import_predictor, read_weights, released_maximum
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")


class Released(nn.Module):
    """What the released code runs, as it names its parts: the whole bidirectional GRU, its last step."""

    def __init__(self, operators: int, sigmoid: bool) -> None:
        super().__init__()
        self.embed_layer = nn.ModuleDict(
            {"op_embed_layer": nn.Embedding(operators, 112), "shape_embed_layer": nn.Linear(6, 16)}
        )
        self.encoder = nn.ModuleDict({"rnn": nn.GRU(128, 512, batch_first=True, bidirectional=True)})
        self.regressor = nn.Linear(1024, 1)
        self.sigmoid = sigmoid

    def forward(self, operators: Tensor, shapes: Tensor) -> Tensor:
        parts = self.embed_layer["op_embed_layer"](operators), self.embed_layer["shape_embed_layer"](shapes)
        steps, _ = self.encoder["rnn"](torch.cat(parts, dim=-1))
        found = self.regressor(steps[:, -1])[:, 0]
        return found.sigmoid() if self.sigmoid else found


def released_pn_inputs(net: str, resolution: int) -> tuple[Tensor, Tensor]:
    """Spelled out from the released code: strides, channels times 1.3, sizes halved rounding down."""
    blocks = [f"mbconv2_e{expand}_k{kernel}" for expand in (3, 4, 6) for kernel in (3, 5, 7)]
    operators, shapes, size, before = [], [], resolution // 2, 24
    for unit, stride, width in zip(net.split("|"), (2, 2, 2, 1, 2, 1), (32, 56, 104, 128, 248, 416), strict=True):
        for layer, block in enumerate(unit.split("->")):
            after = size // 2 if layer == 0 and stride == 2 else size
            operators.append(blocks.index(block))
            shapes.append([size / 112, after / 112, size / 112, after / 112, before / 416, width / 416])
            size, before = after, width
    return torch.tensor([operators]), torch.tensor([shapes])


@pytest.fixture(scope="module")
def released() -> Released:
    torch.manual_seed(3)
    network = Released(9, sigmoid=False).eval()
    nn.init.constant_(network.regressor.bias, 0.5)
    return network


def outputs(network: Released, nets: list[str]) -> np.ndarray:
    with torch.no_grad():
        return np.array([float(network(*released_pn_inputs(net, 224))) for net in nets])


def told_by(network: Released, max_ms: float, num_nets: int = 60) -> LatencyData:
    """Networks whose latencies are what a predictor says of them, give or take 0.1 %."""
    rng = np.random.default_rng(0)
    archs = sample_architectures(PN, num_nets, rng)
    noise = rng.normal(1, 0.001, num_nets)
    return LatencyData(archs, np.full(num_nets, 224), max_ms * outputs(network, archs.to_strings()) * noise, "npu")


@pytest.fixture
def save(tmp_path: Path) -> Callable[[object], Path]:
    def write(content: object) -> Path:
        path = tmp_path / "ofa_pn_op_graph_npu_lat_predictor_best.pt"
        torch.save(content, path)
        return path

    return write


def test_it_predicts_what_the_released_code_does(released: Released, save: Callable[[object], Path]) -> None:
    optimizer = torch.optim.Adam(released.parameters())
    path = save({"iteration": 7, "model": released.state_dict(), "optimizer": optimizer.state_dict(), "best": 0.1})
    data = told_by(released, 32.529526315789475)
    imported = import_predictor(path, data, "npu", released_maximum(PN, "npu"))
    found = imported.model.predict(data.archs, 224)
    expected = outputs(released, data.archs.to_strings())
    np.testing.assert_allclose(found.latency_ms, 32.529526315789475 * expected, rtol=1e-5)
    assert imported.source == path
    assert len(imported.split.test) == imported.test.num_rows == 6


def test_a_resnet50_is_not_scaled_and_ends_in_a_sigmoid(save: Callable[[object], Path]) -> None:
    torch.manual_seed(0)
    space, network = load_space("resnet50"), Released(15, sigmoid=True).eval()
    archs = sample_architectures(space, 40, np.random.default_rng(0))
    path = save({"model": network.state_dict()})
    inputs = network_inputs(archs, np.full(40, 224), np.ones(6))
    shares = np.array([said(network, *inputs, row) for row in range(40)])
    data = LatencyData(archs, np.full(40, 224), 7.5 * shares * np.linspace(0.9999, 1.0001, 40), "gpu")
    imported = import_predictor(path, data, "gpu", 7.5)
    np.testing.assert_allclose(imported.model.predict(archs, 224).latency_ms, 7.5 * shares, rtol=1e-5)


def said(network: Released, operators: np.ndarray, shapes: np.ndarray, lengths: np.ndarray, row: int) -> float:
    chain = slice(row, row + 1), slice(int(lengths[row]))
    with torch.no_grad():
        return float(network(torch.from_numpy(operators[chain]), torch.from_numpy(shapes[chain])))


@pytest.fixture
def scaled(released: Released) -> Callable[[list[str]], Released]:
    """Gives the network with outputs whose greatest is 1, as of one that was trained on these networks."""

    def scale(nets: list[str]) -> Released:
        network, greatest = deepcopy(released), outputs(released, nets).max()
        with torch.no_grad():
            network.regressor.weight /= greatest
            network.regressor.bias /= greatest
        return network

    return scale


def test_the_greatest_latency_is_the_one_that_fits_the_csv(scaled, save: Callable[[object], Path]) -> None:
    nets = sample_architectures(PN, 60, np.random.default_rng(0)).to_strings()
    network, known = scaled(nets), released_maximum(PN, "npu")
    path = save({"model": network.state_dict()})
    best, other = compare_maxima(path, told_by(network, 1.034 * known), "npu")
    assert (best.whose, other.whose) == ("the greatest in the CSV", "that of BlockProfile's own predictors")
    assert best.ms == pytest.approx(1.034 * known, rel=0.004)
    assert best.mape_percent < 0.4
    assert other.mape_percent == pytest.approx(100 * (1 - 1 / 1.034), abs=0.1)
    of_others = told_by(network, known).select(np.argsort(told_by(network, known).latencies_ms)[:40])
    best, other = compare_maxima(path, of_others, "npu")
    assert (best.ms, best.whose) == (known, "that of BlockProfile's own predictors")
    assert best.mape_percent < other.mape_percent
    with pytest.raises(InputError, match=r"npu.*gpu.*cpu", check=coded("unknown-maximum")):
        compare_maxima(path, of_others, "pixel9")


def test_a_predictor_worse_than_the_mean_is_refused(released: Released, save: Callable[[object], Path]) -> None:
    """One of pn has as many operators as one of mbv3, and no word in its file says which it is of."""
    path, mbv3 = save({"model": released.state_dict()}), load_space("mbv3")
    data = reference_data(mbv3, "npu", 60, seed=0)
    of_mean = 100 * np.abs(data.latencies_ms.mean() / data.latencies_ms - 1).mean()
    message = rf"error of \d+\.\d % \(MAPE\), and their mean alone one of {of_mean:.1f} %: it is of another space"
    with pytest.raises(DataFileError, match=message):
        import_predictor(path, data, "npu", released_maximum(mbv3, "npu"))


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('it ran')",)


def test_code_is_not_run(save: Callable[[object], Path]) -> None:
    with pytest.raises(DataFileError, check=coded("holds-code")):
        read_weights(save({"model": Code()}), PN)


def test_what_is_no_checkpoint(released: Released, save: Callable[[object], Path]) -> None:
    path = save({"model": released.state_dict()})
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(DataFileError, check=coded("not-a-torch-file")):
        read_weights(path, PN)
    with pytest.raises(DataFileError, check=coded("no-state")):
        read_weights(save({"state": 1}), PN)
    path.write_text("hello")
    with pytest.raises(DataFileError, check=coded("not-a-torch-file")):
        read_weights(path, PN)
    with pytest.raises(DataFileError, check=coded("no-such-file")):
        read_weights(path.with_name("none.pt"), PN)


def test_other_networks(released: Released, save: Callable[[object], Path]) -> None:
    path = save({"model": released.state_dict()})
    with pytest.raises(DataFileError, match=r"op_embed_layer.*9.*resnet50.*15", check=coded("not-of-shape")):
        read_weights(path, load_space("resnet50"))
    state = released.state_dict()
    del state["regressor.bias"]
    with pytest.raises(DataFileError, match=r"12.*13", check=coded("not-of-shape")):
        read_weights(save({"model": state}), PN)
    with pytest.raises(DataFileError, match=r"regressor\.bias.*missing", check=coded("not-of-shape")):
        read_weights(save({"model": {**state, "other": torch.zeros(1)}}), PN)


def test_a_maximum_that_is_not_known() -> None:
    with pytest.raises(InputError, match=r"gpu.*cpu", check=coded("unknown-maximum")):
        released_maximum(load_space("resnet50"), "npu")
