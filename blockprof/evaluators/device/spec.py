"""How a network is measured, apart from what comes out."""

import math
from dataclasses import dataclass

from blockprof.evaluators.device.statistics import MIN_RUNS_OF_INTERVAL
from blockprof.evaluators.runtimes import Runtime, find_runtime
from blockprof.evaluators.runtimes.onnxruntime import CPU_PROVIDER
from blockprof.foundation.errors import InputError

DEFAULT_RUNTIME, DEFAULT_PRECISION = "onnxruntime", "fp32"


@dataclass(frozen=True)
class MeasureSpec:
    """How networks are measured.

    Every network is visited once a round. A visit opens a session, warms up until the times settle, then repeats until
    the 95 % interval of the median is narrower than ``width`` or the visit's share of ``time_limit_s`` is used up.

    One CPU thread is the default: it repeats best, and only there can waiting for a core be told from computing. Many
    short visits are, since the speed of a machine changes by several percent from one few seconds to the next: within a
    visit the times hardly differ, and the median of seven visits repeats far better than that of three.

    Attributes:
        runtime: what runs the networks, by name.
        precision: what it computes in.
        provider: ONNX Runtime's execution provider, or torch's: the CPU's or CUDA's; others have one only.
        threads: of one operator (intra-op). Operators run one after the other.
        batch: images at once; latencies are of all of them together.
        rounds: visits of each network, each round in another random order.
        width: of the interval, relative to the median: 0.05 is from 2.5 % below to 2.5 % above.
        min_runs: of a visit, whatever the time.
        max_runs: of a visit, whatever the width.
        time_limit_s: seconds of repeating for one network, shared equally by its rounds.
        anchor_every: the anchor network is visited before every so many networks.
        seed: of the networks' order and of the input.

    Raises:
        InputError: a number out of its range.
    """

    runtime: str = DEFAULT_RUNTIME
    precision: str = DEFAULT_PRECISION
    provider: str = CPU_PROVIDER
    threads: int = 1
    batch: int = 1
    rounds: int = 7
    width: float = 0.05
    min_runs: int = 6
    max_runs: int = 1000
    time_limit_s: float = 2.8
    anchor_every: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("threads", "batch", "rounds", "anchor_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}: it must be at least 1", code="below-1")
        for name in ("width", "time_limit_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(
                    f"{name} is {getattr(self, name)}: it must be positive and finite", code="not-positive"
                )
        if not MIN_RUNS_OF_INTERVAL <= self.min_runs <= self.max_runs:
            raise InputError(
                f"min_runs is {self.min_runs} and max_runs {self.max_runs}: there must be "
                f"{MIN_RUNS_OF_INTERVAL} <= min_runs <= max_runs (fewer runs have no 95 % interval)",
                code="bad-number-of-runs",
            )
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}: it must not be negative", code="negative-seed")

    @property
    def is_quantized(self) -> bool:
        """Whether networks are quantized before the run-time gets them."""
        return self.precision == "int8"

    @property
    def target_name(self) -> str:
        """What its metric is called if nobody says: ``openvino``, ``openvino-int8``, ``openvino-int8-b32``."""
        name = self.runtime if self.precision == DEFAULT_PRECISION else f"{self.runtime}-{self.precision}"
        return name + self.batch_suffix

    @property
    def batch_suffix(self) -> str:
        """What the name of a metric of so many images at once ends in: ``-b32``; empty for one."""
        return f"-b{self.batch}" if self.batch > 1 else ""

    @property
    def title(self) -> str:
        """The run-time as sentences call it, with what it computes in but for fp32: ``OpenVINO int8``."""
        title = find_runtime(self.runtime).title
        return title if self.precision == DEFAULT_PRECISION else f"{title} {self.precision}"

    @property
    def target(self) -> str:
        """The run-time, what it computes in, on how many threads, and how many images at once where it is not one:
        ``ONNX Runtime CPU 1 thread``.
        """
        words = [self.title]
        if self.runtime == DEFAULT_RUNTIME or self.provider != CPU_PROVIDER:
            words.append(self.provider.removesuffix("ExecutionProvider"))
        batch = f" batch {self.batch}" if self.batch > 1 else ""
        return f"{' '.join(words)} {self.threads} thread{'s' if self.threads > 1 else ''}{batch}"

    def find_runtime(self, *, here: bool = True) -> Runtime:
        """The run-time, checked as far as can be without starting it: ``here``, or for another machine.

        Raises:
            InputError: there is no such run-time, it is not installed, or it has not this precision, batch or provider.
        """
        runtime = find_runtime(self.runtime)
        if self.precision not in runtime.precisions:
            raise InputError(
                f"{runtime.title} has no {self.precision} here",
                remedy=f"it has {', '.join(runtime.precisions)}",
                code="no-such-precision",
            )
        if self.batch > 1 and not runtime.has_batches:
            raise InputError(f"{runtime.title} runs one image at once", remedy="leave the batch out", code="no-batches")
        if not here:
            return runtime
        runtime.check_installed()
        if runtime.check_provider:
            runtime.check_provider(self.provider)
        elif self.provider != CPU_PROVIDER:
            raise InputError(
                f"{runtime.title} has no providers to choose from", remedy="leave it out", code="no-such-provider"
            )
        return runtime
