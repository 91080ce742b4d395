import onnxruntime

from blockprof.evaluators.device import read_environment
from blockprof.evaluators.runtimes import find_runtime


def test_environment_is_told():
    runtime = find_runtime("onnxruntime")
    environment = read_environment(runtime)
    assert environment == read_environment(runtime) or environment.load != read_environment(runtime).load
    assert environment.machine.version == onnxruntime.__version__
    assert environment.machine.cores >= 1
    assert environment.machine.cpu not in ("", "unknown")
    assert environment.governor is None or environment.governor
