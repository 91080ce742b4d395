"""Ten random networks of each space: every run-time's fp32 logits are torch's, to 1e-3 of the greatest."""

import numpy as np
import pytest

from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.runtimes import find_runtime, runtime_names
from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.networks.onnx.modules import build_network
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures
from blockprof.testing.runtimes import TOLERANCE

torch = pytest.importorskip("torch")

NUM_NETWORKS, RESOLUTION = 10, 128


@pytest.mark.runtimes
@pytest.mark.parametrize("space", ["pn", "mbv3", "resnet50"])
@pytest.mark.parametrize("name", runtime_names())
def test_ten_networks(name: str, space: str) -> None:
    runtime, spec = find_runtime(name), MeasureSpec()
    if runtime.missing:
        pytest.skip(f"{runtime.title} is not installed")
    found = load_space(space)
    store = FragmentStore(found)
    archs = sample_architectures(found, NUM_NETWORKS, np.random.default_rng(1))
    image = np.random.default_rng(spec.seed).standard_normal((1, 3, RESOLUTION, RESOLUTION)).astype(np.float32)
    errors = []
    with RuntimeProcess(runtime, spec) as process:
        for index in range(NUM_NETWORKS):
            model = compose_bytes(store, archs, index, resolution=RESOLUTION)
            process.load("network", f"network {index}", index, lambda model=model: model)
            (logits,) = process.outputs("network", f"network {index}")
            with torch.inference_mode():
                expected = build_network(archs, index, seed=store.seed)(torch.from_numpy(image)).numpy()
            errors.append(float(np.abs(logits - expected).max() / np.abs(expected).max()))
    print(f"{name} {space}: {max(errors):.1e}")
    assert max(errors) <= TOLERANCE, errors
