"""What a run-time is to blockprof: facts that cost nothing to read, and an engine that a process of its own imports."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from blockprof.evaluators.runtimes.environments import (
    environment_folder,
    make_environment,
    python_of,
    versions_in,
)
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.registry import Registry

_BATCH = re.compile(r"-b([1-9][0-9]{0,4})$")

PRECISIONS = ("fp32", "bf16", "fp16", "int8")

Shapes = Mapping[str, tuple[int, ...]]
Feeds = Mapping[str, FloatArray]
"""The shape, and the content, of each input of a network, by its name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an engine is to run networks. ``provider`` is ONNX Runtime's, or torch's; others have one only, and need not
    look.
    """

    precision: str
    threads: int
    provider: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network that is ready: ``run`` is what is timed, ``read`` makes its outputs of what a run returned.

    ``own_ns`` is what a device says that its runs took so far, in all; None where no device tells.
    """

    run: Callable[[], object]
    read: Callable[[Any], Sequence[object]]
    own_ns: Callable[[], int] | None = None


class Engine(Protocol):
    """A run-time at work, in a process of its own. It may raise anything: the first line of it is shown."""

    def convert(self, network: Path, shapes: Shapes, folder: Path) -> Path:
        """Make the run-time's own model of an ONNX file: a path in ``folder``, or ``network`` if it reads ONNX.

        At ``int8`` the network is quantized already: it has QuantizeLinear and DequantizeLinear nodes.
        """

    def load(self, model: Path, feeds: Feeds) -> Loaded:
        """Load what :meth:`convert` gave, with the feeds in the run-time's tensors. Files may be gone afterwards."""


StartEngine = Callable[[Settings], Engine]
"""Raises ``InputError`` for settings that it cannot hold, such as a precision that this processor does not have."""


@dataclass(frozen=True)
class Runtime:
    """A run-time, by what can be known without importing it.

    Attributes:
        name: as users write it, ``openvino``.
        title: as sentences call it, ``OpenVINO``.
        engine: where a :data:`StartEngine` is, ``package.module:name``: it is imported in another process.
        needs: the modules that must be installed.
        distributions: packages with the version that latencies are of: the first that is installed.
        install: what installs it, for a shell.
        precisions: those that it has on some processor.
        clock: whose CPU time a run on one thread is: that of the calling ``thread``, or of the whole ``process``, where
            the run-time computes on a thread of its own. None where neither is.
        has_batches: whether it runs several images at once.
        limit_s: seconds that starting, converting, loading and each visit may take before it is taken as hung.
        check_provider: raises ``InputError`` for a provider that is not there; None where there is nothing to choose.
        environment: what pip installs into an environment of its own, where the engine then runs; empty where it runs
            in blockprof's.
        converters: packages whose versions decide, with the network and the precision alone, what ``convert`` makes:
            that is kept in the cache. Empty where nothing is worth keeping.
    """

    name: str
    title: str
    engine: str
    needs: tuple[str, ...]
    distributions: tuple[str, ...]
    install: str
    precisions: tuple[str, ...] = ("fp32",)
    clock: Literal["thread", "process"] | None = None
    has_batches: bool = True
    limit_s: float = 300.0
    check_provider: Callable[[str], None] | None = None
    environment: tuple[str, ...] = ()
    converters: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The modules that it needs and that are not installed."""
        if self.environment:
            return () if self.python.exists() else self.needs
        return tuple(module for module in self.needs if find_spec(module) is None)

    @property
    def folder(self) -> Path:
        """The environment of its own, whether it is there or not; blockprof's where it has none."""
        return environment_folder(self.name, self.environment) if self.environment else Path(sys.prefix)

    @property
    def python(self) -> Path:
        """The interpreter that it runs in."""
        return python_of(self.folder) if self.environment else Path(sys.executable)

    def install_environment(self) -> None:
        """Install it into an environment of its own, which takes minutes; where it is there, nothing happens.

        Raises:
            InputError: it has none; the message says what installs it.
            BlockprofError: as for ``make_environment``.
        """
        if not self.environment:
            raise InputError(f"{self.title} needs no environment of its own", remedy=f"`{self.install}`")
        make_environment(self.name, self.environment)

    def version(self) -> str:
        """Of the installed package, ``unknown`` where none is."""
        return next(filter(None, map(self._version_of, self.distributions)), "unknown")

    def converter_versions(self) -> tuple[str, ...]:
        """``package==version`` of each of its converters."""
        return tuple(f"{name}=={self._version_of(name)}" for name in self.converters)

    def _version_of(self, distribution: str) -> str | None:
        if self.environment and (found := versions_in(self.folder).get(distribution.lower())):
            return found
        try:
            return version(distribution)
        except PackageNotFoundError:
            return None

    def check_installed(self) -> None:
        """Check that what it needs is there.

        Raises:
            InputError: it is not; the message says what installs it.
        """
        if self.missing:
            raise InputError(
                f"{self.title} is not installed (there is no {', '.join(self.missing)})", remedy=f"`{self.install}`"
            )


_BUILT_IN = ("onnxruntime", "openvino", "mnn", "ncnn", "litert", "executorch", "torch", "torch_compile")
RUNTIMES: Registry[Runtime] = Registry("runtime", tuple(f"blockprof.evaluators.runtimes.{name}" for name in _BUILT_IN))


def register_runtime(runtime: Runtime) -> Runtime:
    """Add a run-time that ``measure`` finds by its name, and return it.

    Raises:
        InputError: another one has that name, or it has a precision that blockprof does not know.
    """
    if unknown := set(runtime.precisions) - set(PRECISIONS):
        raise InputError(
            f"the run-time '{runtime.name}' has the precision '{min(unknown)}'",
            remedy=f"there are {', '.join(PRECISIONS)}",
        )
    return RUNTIMES.register(runtime.name, runtime)


def find_runtime(name: str) -> Runtime:
    """The run-time of that name.

    Raises:
        InputError: there is none.
    """
    return RUNTIMES.get(name)


def find_target(name: str) -> tuple[str, str] | None:
    """The run-time and precision that ``<runtime>`` (fp32) or ``<runtime>-<precision>`` names; None where none.

    It may end in a batch, ``-b32`` (:func:`target_batch`).
    """
    name = _BATCH.sub("", name)
    runtime, _, precision = name.rpartition("-")
    if precision in PRECISIONS and RUNTIMES.find(runtime):
        return runtime, precision
    return (name, PRECISIONS[0]) if RUNTIMES.find(name) else None


def target_batch(name: str) -> int:
    """How many images at once the name of a target says: 32 of ``openvino-int8-b32``, else 1."""
    found = _BATCH.search(name)
    return int(found[1]) if found else 1


def runtime_names() -> tuple[str, ...]:
    """All run-times by name, in alphabetical order, whether installed or not."""
    return tuple(sorted(RUNTIMES.names()))
