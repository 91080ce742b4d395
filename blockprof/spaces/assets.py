"""What is known of a space beside its networks, and is carried by it: plain data, all of which may be left out.

Files of it lie in the folder of the module that makes the space, or of the package that brings it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import Any, Literal

NUMBERED_METRICS = ("accuracy", "flops", "gpu", "cpu")
"""BlockProfile's numbers 0 to 3 in each of its spaces, and so in one that it did not have."""


@dataclass(frozen=True)
class UpstreamSpace:
    """One of BlockProfile's spellings of a space (its ``search_spaces``), and what it measured of it.

    ``metrics`` are in its order, which numbered them, by their names here. ``accuracy`` is where its accuracy came
    from: OFA's predictor, the networks evaluated in the supernet, or a predictor of its own. ``has_own_flops`` where
    its ``FLOPS`` are not twice the multiply-adds of the networks, but the multiply-adds of OFA's ``FLOPsTable``.
    """

    name: str
    metrics: tuple[str, ...]
    accuracy: Literal["ofa-predictor", "supernet", "own"]
    has_own_flops: bool = False


@dataclass(frozen=True)
class ReferenceTables:
    """Built-in tables of costs or gains of blocks: ``<metric>.csv`` and ``errors.json`` in ``folder``.

    ``sources`` says by metric what each is of; ``accuracy`` is by placement, in percent, all others are latencies by
    block instance, in ms. ``tests/benchmarks/fit_reference.py`` writes such files.
    """

    folder: Traversable
    sources: Mapping[str, str]


@dataclass(frozen=True)
class LookupTable:
    """A published look-up table of latencies in ms: a metric of that name, of the device ``title``.

    ``file`` is its path in the data folder, with ``{resolution}`` in it where each resolution has a file. ``layout`` is
    how its keys are spelled (``blockprof.metrics.lookup.LAYOUTS``).
    """

    metric: str
    title: str
    file: str
    layout: str


@dataclass(frozen=True)
class ReleasedPredictors:
    """How to read the recurrent predictors that BlockProfile's code trained for a space.

    Their outputs are shares of the greatest latency that they were trained on, which no file holds: ``maxima_ms`` has
    it by metric. ``scales_shapes`` is whether they divide the shapes of blocks; ``sigmoid`` whether it bounds outputs.
    """

    maxima_ms: Mapping[str, float] = field(default_factory=dict)
    scales_shapes: bool = True
    sigmoid: bool = False


@dataclass(frozen=True)
class Presets:
    """Reductions by name, as ``blockprof.reduction.presets`` describes them, and whose they are."""

    source: str = ""
    reductions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Assets:
    """What a space brings along.

    Attributes:
        default_metric: what is profiled where no metric is named.
        reference: its built-in tables.
        presets: its reductions.
        upstream: BlockProfile's spellings of it.
        lookup_tables: published look-up tables, each a metric of that name.
        takes_lookup_folders: whether folders of look-up tables in the data folder, in OFA's layout, are of this space.
        accuracy_sources: where its accuracy may come from (``blockprof.metrics.ACCURACY_SOURCES``).
        released: how to read predictors that BlockProfile's code trained.
        definition: the YAML that it was read from, which saved predictors carry; none where it needs code beside it.
        facts: the file of what its instances take (``blockprof.spaces.facts``); without it they are counted once.
    """

    default_metric: str = "flops"
    reference: ReferenceTables | None = None
    presets: Presets = Presets()
    upstream: tuple[UpstreamSpace, ...] = ()
    lookup_tables: tuple[LookupTable, ...] = ()
    takes_lookup_folders: bool = False
    accuracy_sources: tuple[str, ...] = ("supernet",)
    released: ReleasedPredictors = ReleasedPredictors()
    facts: Traversable | None = None
    definition: str = ""

    def upstream_called(self, name: str) -> UpstreamSpace | None:
        """What BlockProfile knew under ``name``; None where that is no spelling of its."""
        return next((one for one in self.upstream if one.name == name), None)

    @property
    def numbered_metrics(self) -> tuple[str, ...]:
        """The metrics that BlockProfile's numbers stand for, in their order."""
        return max((one.metrics for one in self.upstream), key=len, default=NUMBERED_METRICS)
