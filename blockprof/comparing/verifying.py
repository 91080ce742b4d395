"""The networks that a regret is about, measured on the targets that run here."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blockprof.comparing.regret import Regret, Target
from blockprof.comparing.targets import Verified, networks_of
from blockprof.evaluators.pooling import is_target, target_spec
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.spaces import Architectures

if TYPE_CHECKING:
    from blockprof.evaluators import device
else:
    device = lazy_import("blockprof.evaluators.device")


def runs_here(target: Target) -> bool:
    """Whether a target is a run-time's latency on this machine."""
    return is_target(target.metric.info.name)


def verify_target(
    target: Target, regrets: Sequence[Regret], resolution: int, seed: int = 0, listener: Listener = SILENT
) -> Verified:
    """Measure the networks of the regrets that a target has a part in; what was measured before is read.

    Raises:
        InputError: its run-time is not installed; a journal that was measured otherwise or on another machine.
        DataFileError: a damaged journal.
        BlockprofError: another measurement runs on this machine.
    """
    archs = networks_of(regrets, target.name)
    name = target.metric.info.name
    path = _journal(name, archs, resolution)
    measured = device.measure_architectures(
        archs, np.full(len(archs), resolution), path, target_spec(name, seed), listener
    )
    return Verified(target.name, archs, target.metric.evaluate(archs), measured)


def _journal(name: str, archs: Architectures, resolution: int) -> Path:
    """As ``openvino-int8/compare-pn-r224-<digest>.journal`` in the data folder."""
    digest = hashlib.sha256("\n".join(archs.to_strings()).encode()).hexdigest()[:12]
    return data_folder() / name / f"compare-{archs.space.name}-r{resolution}-{digest}.journal"
