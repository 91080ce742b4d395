import numpy as np
import onnxruntime
import pytest
from codes import coded

from blockprof.evaluators.device import MeasureSpec, read_environment
from blockprof.evaluators.device.sessions import check_provider, make_run, open_session
from blockprof.foundation.errors import BlockprofError, InputError


def test_a_provider_that_is_not_there_is_refused_with_those_that_are():
    available = onnxruntime.get_available_providers()
    missing = next(name for name in onnxruntime.get_all_providers() if name not in available)
    with pytest.raises(InputError, match=f"no provider '{missing}': it has .*CPUExecutionProvider"):
        check_provider(missing)
    with pytest.raises(InputError, match="cpu", check=coded("no-such-provider")):
        check_provider("cpu")
    check_provider("CPUExecutionProvider")


def test_a_provider_that_would_leave_the_work_to_the_cpu_is_refused(conv_model, capfd):
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this build of ONNX Runtime has no provider that cannot run convolutions")
    with pytest.raises(InputError, match="AzureExecutionProvider", check=coded("provider-cannot-run")):
        open_session(conv_model(), MeasureSpec(provider="AzureExecutionProvider"), "net")


def test_session_is_set_up_as_the_spec_says(conv_model, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(conv_model())
    for model in (path, str(path), conv_model()):
        session = open_session(model, MeasureSpec(threads=2), "net")
        options = session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
        assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        assert session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("model", [b"", b"junk", "absent.onnx"])
def test_a_model_that_cannot_be_loaded(model):
    with pytest.raises(BlockprofError, match="3", check=coded("model-cannot-load")) as caught:
        open_session(model, MeasureSpec(), "net 3")
    assert "\n" not in str(caught.value)


def test_a_free_batch_is_one_and_the_input_is_the_same_each_time(conv_model):
    session = open_session(conv_model(shape=("batch", 3, 8, 8)), MeasureSpec(), "net")
    first, second = (make_run(session, np.random.default_rng(7), "net")() for _ in range(2))
    assert first[0].shape == (1, 8, 8, 8)
    assert first[0].tolist() == second[0].tolist()
    other = make_run(session, np.random.default_rng(8), "net")()
    assert first[0].tolist() != other[0].tolist()


def test_a_free_size_is_refused(conv_model):
    session = open_session(conv_model(shape=(1, 3, "height", 8)), MeasureSpec(), "net")
    with pytest.raises(BlockprofError, match="height", check=coded("input-of-free-size")):
        make_run(session, np.random.default_rng(0), "net")


def test_environment_is_told(tmp_path):
    environment = read_environment()
    assert environment == read_environment() or environment.load != read_environment().load
    assert environment.machine.onnxruntime == onnxruntime.__version__
    assert environment.machine.cores >= 1
    assert environment.machine.cpu not in ("", "unknown")
    assert environment.governor is None or environment.governor
