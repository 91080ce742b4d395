"""Profile the building blocks of mobile neural architecture search spaces.

>>> import blockprof
>>> profile = blockprof.profile("pn", ["npu"])
>>> profile.response_frame()
"""

from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import, lazy_names

if TYPE_CHECKING:
    from blockprof.api.caching import cache_imagenet
    from blockprof.api.choosing import Networks
    from blockprof.api.comparing import compare
    from blockprof.api.estimator import BlockwiseRegressor as BlockwiseRegressor
    from blockprof.api.exporting import export
    from blockprof.api.fetching import Fetching, fetch_data
    from blockprof.api.listing import list_predictors, list_runs
    from blockprof.api.maintaining import repair_store, resume
    from blockprof.api.measuring import measure, measure_blocks
    from blockprof.api.metrics import load_metrics
    from blockprof.api.planning import plan
    from blockprof.api.predicting import predict
    from blockprof.api.profiling import profile
    from blockprof.api.reducing import reduce
    from blockprof.api.searching import search, search_space
    from blockprof.api.training import Training, import_predictor, train
    from blockprof.evaluators.device import MeasureSpec
    from blockprof.evaluators.pooling import SupernetSpec, measure_surrogate
    from blockprof.evaluators.runtimes import Runtime, register_runtime
    from blockprof.foundation.errors import BlockprofError
    from blockprof.foundation.listener import Listener
    from blockprof.metrics import NamedMetric, register_metric
    from blockprof.predictors.kinds import PredictorKind, TrainingOptions, register_predictor
    from blockprof.profiling import Profile, Surrogate
    from blockprof.searching.algorithm import Algorithm, register_algorithm
    from blockprof.spaces import Architectures, Assets, Space, load_space, register_space
    from blockprof.spaces.sampling import sample_architectures
    from blockprof.tracking.log import NOT_LOGGED, Log

    __version__: str

_MODULES = {
    "blockprof.api.caching": ("cache_imagenet",),
    "blockprof.api.choosing": ("Networks",),
    "blockprof.api.comparing": ("compare",),
    "blockprof.api.estimator": ("BlockwiseRegressor",),
    "blockprof.api.exporting": ("export",),
    "blockprof.api.fetching": ("Fetching", "fetch_data"),
    "blockprof.api.listing": ("list_predictors", "list_runs"),
    "blockprof.api.maintaining": ("repair_store", "resume"),
    "blockprof.api.measuring": ("measure", "measure_blocks"),
    "blockprof.api.metrics": ("load_metrics",),
    "blockprof.api.planning": ("plan",),
    "blockprof.api.predicting": ("predict",),
    "blockprof.api.profiling": ("profile",),
    "blockprof.api.reducing": ("reduce",),
    "blockprof.api.searching": ("search", "search_space"),
    "blockprof.api.training": ("Training", "import_predictor", "train"),
    "blockprof.evaluators.device": ("MeasureSpec",),
    "blockprof.evaluators.pooling": ("SupernetSpec", "measure_surrogate"),
    "blockprof.evaluators.runtimes": ("Runtime", "register_runtime"),
    "blockprof.foundation.errors": ("BlockprofError",),
    "blockprof.foundation.listener": ("Listener",),
    "blockprof.metrics": ("NamedMetric", "register_metric"),
    "blockprof.predictors.kinds": ("PredictorKind", "TrainingOptions", "register_predictor"),
    "blockprof.profiling": ("Profile", "Surrogate"),
    "blockprof.searching.algorithm": ("Algorithm", "register_algorithm"),
    "blockprof.spaces": ("Architectures", "Assets", "Space", "load_space", "register_space"),
    "blockprof.spaces.sampling": ("sample_architectures",),
    "blockprof.tracking.log": ("NOT_LOGGED", "Log"),
}
_find = lazy_names(__name__, _MODULES)

# Without BlockwiseRegressor, which needs scikit-learn, an extra.
__all__ = [
    "NOT_LOGGED",
    "Algorithm",
    "Architectures",
    "Assets",
    "BlockprofError",
    "Fetching",
    "Listener",
    "Log",
    "MeasureSpec",
    "NamedMetric",
    "Networks",
    "PredictorKind",
    "Profile",
    "Runtime",
    "Space",
    "SupernetSpec",
    "Surrogate",
    "Training",
    "TrainingOptions",
    "__version__",
    "cache_imagenet",
    "compare",
    "export",
    "fetch_data",
    "import_predictor",
    "list_predictors",
    "list_runs",
    "load_metrics",
    "load_space",
    "measure",
    "measure_blocks",
    "measure_surrogate",
    "plan",
    "predict",
    "profile",
    "reduce",
    "register_algorithm",
    "register_metric",
    "register_predictor",
    "register_runtime",
    "register_space",
    "repair_store",
    "resume",
    "sample_architectures",
    "search",
    "search_space",
    "train",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import blockprof`` and ``--help`` are quick."""
    if name == "__version__":
        return lazy_import("importlib.metadata").version("blockprof")
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
