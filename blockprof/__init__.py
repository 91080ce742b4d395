"""Profile the building blocks of mobile neural architecture search spaces.

>>> import blockprof
>>> profile = blockprof.profile("pn", ["npu"])
>>> profile.response_frame()
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blockprof.api import load_metrics, profile
    from blockprof.evaluators.pooling import measure_surrogate
    from blockprof.evaluators.runtimes import Runtime, register_runtime
    from blockprof.foundation.errors import BlockprofError
    from blockprof.metrics import NamedMetric, register_metric
    from blockprof.predictors.kinds import PredictorKind, register_predictor
    from blockprof.profiling import Profile, Surrogate
    from blockprof.searching.algorithm import Algorithm, register_algorithm
    from blockprof.searching.by_name import search_space
    from blockprof.spaces import Architectures, Space, load_space, register_space

__all__ = [
    "Algorithm",
    "Architectures",
    "BlockprofError",
    "NamedMetric",
    "PredictorKind",
    "Profile",
    "Runtime",
    "Space",
    "Surrogate",
    "load_metrics",
    "load_space",
    "measure_surrogate",
    "profile",
    "register_algorithm",
    "register_metric",
    "register_predictor",
    "register_runtime",
    "register_space",
    "search_space",
]

_MODULES = {
    "Algorithm": "blockprof.searching.algorithm",
    "Architectures": "blockprof.spaces",
    "BlockprofError": "blockprof.foundation.errors",
    "NamedMetric": "blockprof.metrics",
    "PredictorKind": "blockprof.predictors.kinds",
    "Profile": "blockprof.profiling",
    "Runtime": "blockprof.evaluators.runtimes",
    "Space": "blockprof.spaces",
    "Surrogate": "blockprof.profiling",
    "load_metrics": "blockprof.api",
    "load_space": "blockprof.spaces",
    "measure_surrogate": "blockprof.evaluators.pooling",
    "profile": "blockprof.api",
    "register_algorithm": "blockprof.searching.algorithm",
    "register_metric": "blockprof.metrics",
    "register_predictor": "blockprof.predictors.kinds",
    "register_runtime": "blockprof.evaluators.runtimes",
    "register_space": "blockprof.spaces",
    "search_space": "blockprof.searching.by_name",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import blockprof`` and ``--help`` are quick."""
    if name not in _MODULES:
        raise AttributeError(f"module 'blockprof' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
