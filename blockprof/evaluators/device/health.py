"""Whether a run-time works on this machine, found by starting it."""

from collections.abc import Mapping
from dataclasses import dataclass

from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.runtimes import Runtime
from blockprof.foundation.errors import BlockprofError


@dataclass(frozen=True, slots=True)
class Health:
    """How a run-time is: its ``version``, empty where it is not installed; of each precision, why it does not work
    here, empty where it does.
    """

    runtime: Runtime
    version: str
    problems: Mapping[str, str]


def examine(runtime: Runtime) -> Health:
    """Start a run-time in a process of its own, and ask it for each of its precisions."""
    first, *_ = runtime.precisions
    try:
        runtime.check_installed()
        with RuntimeProcess(runtime, MeasureSpec(precision=first)) as process:
            return Health(runtime, runtime.version(), process.probe())
    except BlockprofError as error:
        version = "" if runtime.missing else runtime.version()
        return Health(runtime, version, dict.fromkeys(runtime.precisions, str(error)))
