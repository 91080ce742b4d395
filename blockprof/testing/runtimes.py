"""What a run-time must do, whatever it is."""

import numpy as np

from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.process import Model, RuntimeProcess
from blockprof.evaluators.runtimes import Runtime, find_runtime
from blockprof.foundation.arrays import FloatArray
from blockprof.networks.onnx import FragmentStore, compose_bytes
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

TOLERANCE = 1e-3
"""How far fp32 outputs may be from ONNX Runtime's, relative to the greatest of them."""
LEAST_CORRELATION = 0.9
"""Of outputs in other precisions with ONNX Runtime's: in int8 of the same quantized network, else in fp32."""


def check_runtime(
    runtime: Runtime,
    *,
    precision: str = "fp32",
    space: str = "pn",
    resolution: int = 128,
    num_networks: int = 2,
    batch: int = 1,
) -> None:
    """Check a run-time in one precision, at one batch: that it loads, runs and times networks, and what comes out.

    ``runtime`` need not be registered, but its engine must be in a module that another process can import. ONNX
    Runtime, whose outputs equal torch's to 1e-4, says what is right.

    Raises:
        AssertionError: it does something wrong.
        BlockprofError: it does not work here, or not in this precision.
    """
    assert precision in runtime.precisions, f"it says that it has {', '.join(runtime.precisions)}"
    runtime.check_installed()
    assert batch == 1 or runtime.has_batches, "it says that it runs one image at once"
    assert runtime.version() != "unknown", "the version of none of its distributions is known"
    found = load_space(space)
    store = FragmentStore(found, quantized=precision == "int8")
    archs = sample_architectures(found, num_networks, np.random.default_rng(0))
    models = [compose_bytes(store, archs, index, resolution=resolution, batch=batch) for index in range(num_networks)]
    given = _outputs(runtime, models, precision)
    right = _outputs(find_runtime("onnxruntime"), models, "int8" if precision == "int8" else "fp32")
    for index, (output, expected) in enumerate(zip(given, right, strict=True)):
        assert output.shape == expected.shape, f"network {index}: {output.shape} where {expected.shape} should be"
        assert np.isfinite(output).all(), f"network {index}: outputs that are not finite"
        error = float(np.abs(output - expected).max() / np.abs(expected).max())
        if precision == "fp32":
            assert error <= TOLERANCE, f"network {index}: outputs differ by {error:.1e}"
        else:
            correlation = np.corrcoef(output, expected)[0, 1]
            assert correlation >= LEAST_CORRELATION, f"network {index}: outputs correlate by {correlation:.3f}"


def _outputs(runtime: Runtime, models: list[bytes], precision: str) -> list[FloatArray]:
    """Each network's only output, flat, while the first network stays loaded as the anchor does."""
    spec = MeasureSpec(precision=precision, rounds=1, min_runs=6, max_runs=6, time_limit_s=0.1)
    made = []
    with RuntimeProcess(runtime, spec) as process:

        def load(slot: str, index: int) -> None:
            def build() -> Model:
                return models[index]

            process.load(slot, f"network {index}", index, build)

        load("anchor", 0)
        for index in range(len(models)):
            load("network", index)
            _, timing = process.time("network", f"network {index}")
            assert len(timing) == spec.min_runs
            made.append(process.outputs("network", f"network {index}")[0].ravel())
        again = process.outputs("anchor", "network 0")[0].ravel()
        assert np.array_equal(again, made[0]), "the first network gives something else once another was loaded"
    return made
