"""The files that MLflow runs a registered predictor by, where blockprof is not installed."""

from pathlib import Path

from blockprof.foundation import net_strings
from blockprof.predictors import runtime
from blockprof.predictors.kinds import PREDICTORS

MODEL_CODE = Path(__file__).with_name("pyfunc_model.py")
"""What MLflow loads: "model from code"."""


def carried_files(kind: str) -> dict[str, Path]:
    """The modules that a model of that kind carries, by the names that ``MODEL_CODE`` asks for them.

    Raises:
        InputError: there is no such kind.
    """
    return {"nets": Path(net_strings.__file__), "runtime": PREDICTORS.get(kind).runtime or Path(runtime.__file__)}
