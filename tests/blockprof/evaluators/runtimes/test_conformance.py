"""Every run-time that is installed, in every precision that this processor has."""

import broken_runtimes
import numpy as np
import pytest
from broken_runtimes import runtime

from blockprof.evaluators.device import MeasureSpec
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
