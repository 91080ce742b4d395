"""Every run-time that is installed, in every precision that this processor has."""

from itertools import count
from pathlib import Path

import broken_runtimes
import numpy as np
import pytest
from broken_runtimes import runtime

from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.device.timing import Clocks, time_network
from blockprof.evaluators.runtimes import (
    Runtime,
    find_runtime,
    find_target,
    register_runtime,
    runtime_names,
    target_batch,
)
from blockprof.foundation.errors import InputError
from blockprof.testing import check_runtime


def marked(name: str, *others: str) -> object:
    """A case of a run-time: those that are installed apart, or compile for long, are for ``make test-runtimes``."""
    is_slow = find_runtime(name).environment or name == "torch-compile"
    return pytest.param(name, *others, marks=[pytest.mark.runtimes] if is_slow else [])


TARGETS = [marked(name, precision) for name in runtime_names() for precision in find_runtime(name).precisions]
NAMES = [marked(name) for name in runtime_names()]


@pytest.mark.parametrize(("name", "precision"), TARGETS)
def test_a_built_in_run_time_conforms(name: str, precision: str) -> None:
    found = find_runtime(name)
    if found.missing:
        pytest.skip(f"{found.title} is not installed")
    try:
        check_runtime(found, precision=precision)
    except InputError as error:
        if precision == "fp32" or "on this processor" not in str(error):
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("space", ["mbv3", "resnet50"])
@pytest.mark.parametrize("name", NAMES)
def test_networks_of_other_spaces_give_the_same(name: str, space: str) -> None:
    found = find_runtime(name)
    if found.missing:
        pytest.skip(f"{found.title} is not installed")
    check_runtime(found, space=space)


def test_one_that_computes_nothing_does_not_conform() -> None:
    empty = runtime(broken_runtimes.Engine, distributions=("numpy",))
    assert empty.version() == np.__version__
    with pytest.raises(AssertionError, match=r"\(3,\) where \(1000,\) should be"):
        check_runtime(empty)
    with pytest.raises(AssertionError, match="it says that it has fp32"):
        check_runtime(empty, precision="int8")


def test_a_run_time_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"unknown runtime 'tflite': there are .*openvino"):
        find_runtime("tflite")
    absent = runtime(broken_runtimes.Engine, needs=("no_such_module",), install="pip install it")
    with pytest.raises(InputError, match=r"Engine is not installed \(there is no no_such_module\): `pip install it`"):
        absent.check_installed()
    with pytest.raises(InputError, match="has the precision 'fp8': there are fp32, bf16, fp16, int8"):
        register_runtime(Runtime("odd", "Odd", "a:b", (), (), "", precisions=("fp8",)))


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "torch", "mnn"])
def test_batches_give_what_onnx_runtime_gives(name: str) -> None:
    found = find_runtime(name)
    if found.missing:
        pytest.skip(f"{found.title} is not installed")
    check_runtime(found, batch=4, num_networks=1)


def test_a_run_time_without_batches_refuses_them() -> None:
    spec = MeasureSpec(runtime="ncnn", batch=2)
    with pytest.raises(InputError, match="ncnn runs one image at once"):
        spec.find_runtime()


@pytest.mark.parametrize(
    ("name", "target", "batch"),
    [
        ("openvino-b32", ("openvino", "fp32"), 32),
        ("openvino-int8-b4", ("openvino", "int8"), 4),
        ("openvino", ("openvino", "fp32"), 1),
        ("nosuch-b4", None, 4),
        ("openvino-b0", None, 1),
        ("openvino-b04", None, 1),
    ],
)
def test_targets_by_name(name: str, target: tuple[str, str] | None, batch: int) -> None:
    assert find_target(name) == target
    assert target_batch(name) == batch
    if target:
        assert MeasureSpec(*target, batch=batch).target_name == name


def test_torch_on_a_gpu_that_is_not_there_is_refused() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="torch sees no CUDA GPU here"):
        MeasureSpec(runtime="torch", provider="CUDAExecutionProvider").find_runtime()
    with pytest.raises(InputError, match="torch has no provider 'TPU'"):
        MeasureSpec(runtime="torch", provider="TPU").find_runtime()


@pytest.mark.parametrize("name", ["torch", "onnxruntime"])
def test_a_gpu_gives_what_the_cpu_gives(name: str, conv_file: Path) -> None:
    spec = MeasureSpec(runtime=name, provider="CUDAExecutionProvider", min_runs=6, max_runs=6)
    try:
        runtime = spec.find_runtime()
    except InputError as error:
        pytest.skip(f"not verified: {error}")
    found = []
    for each in (spec, MeasureSpec(runtime=name)):
        with RuntimeProcess(runtime, each) as process:
            process.load("network", "conv", 0, lambda: conv_file)
            _, timing = process.time("network", "conv")
            assert (timing.own_ms > 0).all()
            found += process.outputs("network", "conv")
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)


def test_what_a_device_says_that_runs_took_is_their_own_time() -> None:
    spec = MeasureSpec(runtime="torch", provider="CUDAExecutionProvider", min_runs=6, max_runs=6, rounds=1, threads=2)
    wall, own = count(0, 5_000_000), count(0, 2_000_000)
    timing = time_network(lambda: None, spec, Clocks(wall=lambda: next(wall), cpu=lambda: next(own), is_device=True))
    np.testing.assert_allclose(timing.own_ms, 2.0)
    np.testing.assert_allclose(timing.times_ns, 5e6)
