"""``blockprof.plan``: the fastest mix of fp32 and int8 for one network."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.api.defaults import RESOLUTION
from blockprof.api.predicting import Networks, read
from blockprof.evaluators.device import MeasureSpec
from blockprof.evaluators.precisions import (
    MIN_PLANS,
    NUM_PLANS,
    PRECISIONS,
    PlanDesign,
    PrecisionPlan,
    check_plan,
    fit_costs,
    measure_plans,
    piece_sizes,
    verify_plans,
)
from blockprof.foundation.errors import Argument, InputError
from blockprof.foundation.files import staged
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.spaces import Space, load_space
from blockprof.spaces.resolution import check_resolution
from blockprof.tracking.log import NOT_LOGGED, Tracker

if TYPE_CHECKING:
    import onnx

    from blockprof.output.runs import plans
    from blockprof.tracking import Run
else:
    onnx = lazy_import("onnx")
    plans = lazy_import("blockprof.output.runs.plans")

ROUNDS, TIME_LIMIT_S = 3, 1.2
"""Visits of each plan, and seconds: many plans tell of each piece, so that each needs to be measured less well."""


def plan(
    space: Space | str,
    network: Networks,
    *,
    runtime: str = "onnxruntime",
    threads: int = 1,
    num_plans: int = NUM_PLANS,
    resolution: int | None = None,
    out: str | Path | None = None,
    verify: bool = False,
    seed: int = 0,
    log: Tracker = NOT_LOGGED,
    listener: Listener = SILENT,
) -> PrecisionPlan:
    """Find which pieces of a network are best computed in fp32 and which in int8, so that it is fastest here.

    Plans of the whole network are measured; what each piece gains in int8, and what changing precision between two
    pieces costs, is fitted to them, and the fastest of all plans is found exactly. Only latency is looked at: what
    int8 does to accuracy is not. What was measured is kept in the data folder, and an interrupted call is resumed.

    Args:
        space: a space, or its name.
        network: one network, as ``blockprof.predict`` takes it.
        runtime: one that has int8: ``onnxruntime`` or ``openvino``.
        threads: of one operator.
        num_plans: how many plans are measured, 40 or more.
        resolution: of the input, in pixels; the network's own, or 224, where None.
        out: an ONNX file to write: fp32 pieces, and int8 ones as QuantizeLinear and DequantizeLinear nodes; it has
            random weights, as all networks that blockprof makes.
        verify: measure the plan, all fp32 and all int8.
        seed: of the plans that are measured, and of the input.
        log: where it is logged.
        listener: told of the ``MeasureSpec``, of progress, and of the result before it is logged.

    Raises:
        InputError: not one network; a run-time that has no int8; too few plans; a file that cannot be written.
        NetStringError, MetricError, DataFileError, BlockprofError: as for ``predict`` and ``measure``.
        TrackingError: the MLflow store does not answer.
    """
    chosen = load_space(space) if isinstance(space, str) else space
    arch, sizes = read(chosen, network, resolution)
    if len(arch) != 1:
        raise InputError(f"{len(arch)} networks", remedy="give one", code="not-one-network")
    size = int(sizes[0]) if len(sizes) else RESOLUTION
    check_resolution(chosen, size)
    if num_plans < MIN_PLANS:
        raise InputError(f"give at least {MIN_PLANS}", where=Argument("num_plans", num_plans), code="few-plans")
    spec = MeasureSpec(runtime, PRECISIONS[1], threads=threads, rounds=ROUNDS, time_limit_s=TIME_LIMIT_S, seed=seed)
    spec.find_runtime()
    log.check()
    listener.on_plan(spec)
    with log.run("plan", chosen.name, listener) as record:
        start = time.perf_counter()
        measured = measure_plans(arch, size, spec, num_plans, listener)
        seconds = time.perf_counter() - start
        costs = fit_costs(PlanDesign(measured.plans, measured.measured.latencies_ms, piece_sizes(arch, 0, size)))
        fastest = costs.fastest()
        checked = check_plan(arch, size, spec, fastest)
        result = PrecisionPlan(arch, size, fastest, costs, measured, checked, seconds)
        if out is not None:
            _write(result, Path(out))
        if verify:
            exact = MeasureSpec(runtime, PRECISIONS[1], threads=threads, seed=seed)
            result = replace(result, verified=verify_plans(arch, size, exact, result.compared, listener))
        listener.on_result(result)
        record(lambda run: _record(run, result))
    return result


def _write(result: PrecisionPlan, path: Path) -> None:
    onnx.checker.check_model(result.checked.model, full_check=True)
    with staged(path.absolute().parent) as folder:
        (folder / path.name).write_bytes(result.checked.model)


def _record(run: "Run", result: PrecisionPlan) -> None:
    plans.record_plan(run, result)
