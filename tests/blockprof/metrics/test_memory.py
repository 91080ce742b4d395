"""Peak memory and weights against whole networks, and against ONNX Runtime's own arena."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import blockprof
from blockprof.metrics import METRICS, PeakMetric, metrics_of
from blockprof.metrics.memory import load_peak_memory, load_weights
from blockprof.networks.onnx import FragmentStore, compose, compose_bytes, liveness
from blockprof.networks.onnx.liveness import peak_bytes, weight_bytes
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures
from blockprof.testing.metrics import check_metric

PN, MBV3 = load_space("pn"), load_space("mbv3")
ARENA = Path(__file__).parents[2] / "ort_arena.py"


@pytest.mark.parametrize(("space", "resolution"), [(PN, 224), (PN, 132), (MBV3, 180)])
def test_pieces_give_what_whole_networks_have(space, resolution: int) -> None:
    store = FragmentStore(space)
    archs = sample_architectures(space, 4, np.random.default_rng(0))
    models = [compose(store, archs, index, resolution=resolution) for index in range(len(archs))]
    peaks = load_peak_memory(space, resolution).evaluate(archs)
    np.testing.assert_allclose(peaks, [peak_bytes(model) / 1e6 for model in models], rtol=1e-12)
    weights = load_weights(space, resolution).evaluate(archs)
    np.testing.assert_allclose(weights, [weight_bytes(model.graph.initializer) / 1e6 for model in models], rtol=1e-12)


def test_the_first_layer_decides_by_hand() -> None:
    # Before unit 1's stride there are 112 x 112 pixels: 24 channels in, and 6 x 24 that the depthwise convolution
    # takes, of which it leaves a quarter of the pixels.
    net = "|".join(["mbconv2_e6_k3->mbconv2_e3_k3", *["mbconv2_e3_k3->mbconv2_e3_k3"] * 4, "mbconv2_e3_k3"])
    archs = blockprof.Architectures.from_strings(PN, [net, net.replace("e6", "e3")])
    expected = [4 * 112 * 112 * (144 + 144 / 4), 4 * 112 * 112 * (24 + 72)]
    np.testing.assert_allclose(load_peak_memory(PN, 224).evaluate(archs), np.array(expected) / 1e6)


def test_weights_are_parameters_without_batch_norms() -> None:
    archs = sample_architectures(PN, 20, np.random.default_rng(1))
    (params,) = blockprof.load_metrics("pn", ["params"])
    ratio = load_weights(PN, 224).evaluate(archs) / (4e-6 * params.evaluate(archs))
    assert ((ratio > 0.99) & (ratio < 1)).all()


@pytest.mark.parametrize("name", ["peak_memory", "weights"])
def test_they_come_by_name(name: str) -> None:
    check_metric(name, METRICS.get(name), PN)
    assert name in metrics_of(PN)
    (found,) = blockprof.load_metrics("pn", [name])
    assert (found.info.unit, found.info.origin, found.info.higher_is_better) == ("MB", "counted", False)
    assert found.resolution == (224 if isinstance(found, PeakMetric) else None)


def test_onnx_runtimes_arena_has_as_much_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = Path("/proc/cpuinfo")
    if sys.platform != "linux" or "avx2" not in cpu.read_text():
        pytest.skip("ONNX Runtime's layout of channels is known of x86 on Linux")
    block = 16 if "avx512f" in cpu.read_text() else 8
    plain = liveness._bytes

    def padded(value: onnx.ValueInfoProto) -> int:
        # ONNX Runtime's convolutions hold channels in whole vectors.
        axes = value.type.tensor_type.shape.dim
        if len(axes) == 4 and value.name != "image":
            axes[1].dim_value = -(-axes[1].dim_value // block) * block
        return plain(value)

    monkeypatch.setattr(liveness, "_bytes", padded)
    store, archs = FragmentStore(PN), sample_architectures(PN, 4, np.random.default_rng(5))
    for index in range(len(archs)):
        file = tmp_path / "network.onnx"
        file.write_bytes(compose_bytes(store, archs, index, resolution=224))
        said = subprocess.run([sys.executable, ARENA, file], capture_output=True, text=True, check=True)
        assert peak_bytes(onnx.load(file)) == pytest.approx(int(said.stdout), rel=0.05)
