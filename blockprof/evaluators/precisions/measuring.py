"""Plans of one network, composed of fp32 and int8 pieces, and measured as whole networks."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.device.results import MeasuredNetworks
from blockprof.evaluators.device.runner import measure_networks
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.precisions.costs import draw_plans
from blockprof.foundation.arrays import FloatArray, IntArray
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.networks.onnx import FragmentStore, compose_mixed
from blockprof.networks.onnx.pieces import pieces_of
from blockprof.spaces import Architectures

NUM_PLANS = 60
"""Plans that are measured: some three for each piece of the deepest networks."""

MIN_PLANS = 40
"""With fewer, pieces and seams are not told apart."""


@dataclass(frozen=True, eq=False)
class MeasuredPlans:
    """M plans of a network, (M, n), measured."""

    plans: IntArray
    measured: MeasuredNetworks

    def latencies_of(self, plans: IntArray) -> FloatArray:
        """(N,): what N plans that are among them take, in ms."""
        places = {plan.tobytes(): place for place, plan in enumerate(self.plans)}
        return np.asarray([self.measured.latencies_ms[places[plan.tobytes()]] for plan in plans])


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan's ``model``, serialised, and how its logits of a seeded image correlate with all fp32's."""

    model: bytes
    correlation: float


@dataclass(frozen=True, eq=False)
class _Pieces:
    """The pieces of one network in both precisions."""

    arch: Architectures

    @cached_property
    def stores(self) -> tuple[FragmentStore, FragmentStore]:
        """With all pieces in memory, so that none is exported between two visits."""
        stores = FragmentStore(self.arch.space), FragmentStore(self.arch.space, quantized=True)
        for store in stores:
            store.fragments(self.arch)
        return stores

    def compose(self, plan: IntArray, resolution: int) -> bytes:
        return compose_mixed([self.stores[precision] for precision in plan.tolist()], self.arch, resolution=resolution)


def compose_plan(arch: Architectures, plan: IntArray, resolution: int) -> bytes:
    """A plan as an ONNX model, serialised: ``image`` (1, 3, R, R) to ``logits`` (1, 1000), both float32."""
    return _Pieces(arch).compose(plan, resolution)


def plan_journal(arch: Architectures, resolution: int, spec: MeasureSpec, plans: IntArray) -> Path:
    """Where measured plans are kept: ``plans/pn-r224-onnxruntime-<digest>.journal`` in the data folder."""
    content = json.dumps([arch.to_strings(), asdict(spec)]).encode() + plans.tobytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return data_folder() / "plans" / f"{arch.space.name}-r{resolution}-{spec.runtime}-{digest}.journal"


def measure_plans(
    arch: Architectures, resolution: int, spec: MeasureSpec, num_plans: int = NUM_PLANS, listener: Listener = SILENT
) -> MeasuredPlans:
    """Measure plans of a network that tell what each piece and each seam costs.

    Args:
        arch: one network.
        resolution: of its input, in pixels.
        spec: how to measure; its precision is int8, which is what the run-time must have.
        num_plans: how many.
        listener: told of each visit.

    Raises:
        InputError, DataFileError, BlockprofError: as for ``measure_networks``.
    """
    plans = draw_plans(len(pieces_of(arch, 0)), num_plans, np.random.default_rng(spec.seed))
    return _measure(arch, resolution, spec, plans, listener)


def verify_plans(
    arch: Architectures, resolution: int, spec: MeasureSpec, plans: IntArray, listener: Listener = SILENT
) -> MeasuredPlans:
    """Measure given plans (N, n), each once, however often it is there; raises as :func:`measure_plans`."""
    _, first = np.unique(plans, axis=0, return_index=True)
    return _measure(arch, resolution, spec, plans[np.sort(first)], listener)


def check_plan(arch: Architectures, resolution: int, spec: MeasureSpec, plan: IntArray) -> Checked:
    """Run a plan and all fp32 on one seeded image.

    Raises:
        InputError, BlockprofError: as for ``RuntimeProcess``.
    """
    pieces = _Pieces(arch)
    models = [pieces.compose(each, resolution) for each in (plan, np.zeros_like(plan))]
    with RuntimeProcess(spec.find_runtime(), spec) as process:
        mixed, plain = (_run(process, f"plan {number}", model) for number, model in enumerate(models))
    return Checked(models[0], float(np.corrcoef(mixed, plain)[0, 1]))


def _run(process: RuntimeProcess, name: str, model: bytes) -> FloatArray:
    process.load("network", name, name, lambda: model)
    (logits,) = process.outputs("network", name)
    return logits.ravel()


def _measure(
    arch: Architectures, resolution: int, spec: MeasureSpec, plans: IntArray, listener: Listener
) -> MeasuredPlans:
    journal = plan_journal(arch, resolution, spec, plans)
    if journal.exists():
        listener.on_note(f"{journal}: resuming what was measured before; remove it to measure again")
    pieces = _Pieces(arch)
    (net,) = arch.to_strings()
    names = [f"{arch.space.name} {net} at {resolution} as {''.join('fi'[each] for each in plan)}" for plan in plans]

    def build(index: int) -> bytes:
        return pieces.compose(plans[index], resolution)

    return MeasuredPlans(plans, measure_networks(names, build, journal, spec, listener, space=arch.space.name))
