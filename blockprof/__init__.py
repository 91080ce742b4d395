"""Profile the building blocks of mobile neural architecture search spaces.

>>> import blockprof
>>> profile = blockprof.profile("pn", ["npu"])
>>> profile.response_frame()
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blockprof.api.metrics import load_metrics
    from blockprof.api.profiling import profile
    from blockprof.api.searching import search, search_space
    from blockprof.evaluators.pooling import SupernetSpec, measure_surrogate
    from blockprof.evaluators.runtimes import Runtime, register_runtime
    from blockprof.foundation.errors import BlockprofError
    from blockprof.foundation.listener import Listener
    from blockprof.metrics import NamedMetric, register_metric
    from blockprof.predictors.kinds import PredictorKind, register_predictor
    from blockprof.profiling import Profile, Surrogate
    from blockprof.searching.algorithm import Algorithm, register_algorithm
    from blockprof.spaces import Architectures, Space, load_space, register_space
    from blockprof.tracking.log import NOT_LOGGED, Log

    __version__: str

_MODULES = {
    "blockprof.api.metrics": ("load_metrics",),
    "blockprof.api.profiling": ("profile",),
    "blockprof.api.searching": ("search", "search_space"),
    "blockprof.evaluators.pooling": ("SupernetSpec", "measure_surrogate"),
    "blockprof.evaluators.runtimes": ("Runtime", "register_runtime"),
    "blockprof.foundation.errors": ("BlockprofError",),
    "blockprof.foundation.listener": ("Listener",),
    "blockprof.metrics": ("NamedMetric", "register_metric"),
    "blockprof.predictors.kinds": ("PredictorKind", "register_predictor"),
    "blockprof.profiling": ("Profile", "Surrogate"),
    "blockprof.searching.algorithm": ("Algorithm", "register_algorithm"),
    "blockprof.spaces": ("Architectures", "Space", "load_space", "register_space"),
    "blockprof.tracking.log": ("NOT_LOGGED", "Log"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "NOT_LOGGED",
    "Algorithm",
    "Architectures",
    "BlockprofError",
    "Listener",
    "Log",
    "NamedMetric",
    "PredictorKind",
    "Profile",
    "Runtime",
    "Space",
    "SupernetSpec",
    "Surrogate",
    "__version__",
    "load_metrics",
    "load_space",
    "measure_surrogate",
    "profile",
    "register_algorithm",
    "register_metric",
    "register_predictor",
    "register_runtime",
    "register_space",
    "search",
    "search_space",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import blockprof`` and ``--help`` are quick."""
    if name == "__version__":
        from importlib.metadata import version

        return version("blockprof")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'blockprof' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
