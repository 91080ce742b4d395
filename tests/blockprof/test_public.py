"""What ``import blockprof`` gives, and that it changes nothing of its caller's."""

import json
import subprocess
import sys
from importlib.metadata import version

import blockprof

VERBS = (
    *("measure", "train", "profile", "compare", "reduce", "search", "predict", "export"),
    *("import_predictor", "cache_imagenet", "repair_store", "resume"),
)

_ASK = """
import json, logging, os, signal, sys, threading, warnings

def state():
    return {
        "environment": dict(os.environ),
        "filters": [str(each) for each in warnings.filters],
        "handlers": [str(each) for each in logging.root.handlers],
        "signals": [str(signal.getsignal(each)) for each in (signal.SIGINT, signal.SIGTERM)],
        "threads": threading.active_count(),
        "hooks": [str(sys.excepthook), str(warnings.formatwarning)],
    }

before = state()
import blockprof
light = sorted({"numpy", "pandas", "torch", "mlflow", "typer"} & set(sys.modules))
assert state() == before, "import blockprof"
for name in blockprof.__all__:
    getattr(blockprof, name)
heavy = sorted({"mlflow", "matplotlib", "torch"} & set(sys.modules))
after = state()
# The first is a default that must be there before ONNX Runtime is imported, the second threadpoolctl's own.
for theirs in ("ORT_DISABLE_TELEMETRY", "KMP_DUPLICATE_LIB_OK"):
    after["environment"].pop(theirs, None)
    before["environment"].pop(theirs, None)
differing = [name for name in before if name != "filters" and before[name] != after[name]]
print(json.dumps({"light": light, "heavy": heavy, "differing": differing}))
"""


def test_importing_it_changes_nothing_in_the_callers_process() -> None:
    told = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == {"light": [], "heavy": [], "differing": []}


def test_there_is_a_verb_for_each_command_and_a_version() -> None:
    assert set(VERBS) < set(dir(blockprof))
    assert set(blockprof.__all__) < set(dir(blockprof))
    assert blockprof.__version__ == version("blockprof")
    for name in blockprof.__all__:
        assert getattr(blockprof, name) is not None
