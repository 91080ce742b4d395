import onnxruntime
import pytest

from blockprof.evaluators.runtimes import Settings
from blockprof.evaluators.runtimes.onnxruntime import CPU_PROVIDER, OnnxRuntimeEngine, check_provider
from blockprof.foundation.errors import InputError


def test_a_provider_that_is_not_there_is_refused_with_those_that_are():
    available = onnxruntime.get_available_providers()
    missing = next(name for name in onnxruntime.get_all_providers() if name not in available)
    with pytest.raises(InputError, match=f"no provider '{missing}': it has .*CPUExecutionProvider"):
        check_provider(missing)
    with pytest.raises(InputError, match="no provider 'cpu'"):
        check_provider("cpu")
    check_provider(CPU_PROVIDER)


def test_a_provider_that_would_leave_the_work_to_the_cpu_is_refused(conv_file, capfd):
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this build of ONNX Runtime has no provider that cannot run convolutions")
    engine = OnnxRuntimeEngine(Settings("fp32", 1, "AzureExecutionProvider"))
    with pytest.raises(InputError, match=r"AzureExecutionProvider cannot run it .*use a provider that can"):
        engine.load(conv_file, {})


def test_session_is_set_up_as_the_settings_say(conv_file):
    session = OnnxRuntimeEngine(Settings("fp32", 2, CPU_PROVIDER)).open(conv_file)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    assert session.get_providers() == [CPU_PROVIDER]
