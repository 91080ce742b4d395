"""Accuracy from one pool of networks: which networks, evaluating them in the supernet, and what is kept of them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from blockprof.evaluators.pooling import MAX_ACCURACY_POOL, SupernetSpec, pool_size
from blockprof.evaluators.supernet.cache import default_cache
from blockprof.evaluators.supernet.journal import Accuracy, Settings, open_accuracies, read_accuracies
from blockprof.evaluators.supernet.supernet import SupernetAccuracy, load_supernet_accuracy
from blockprof.evaluators.supernet.surrogate import fit_accuracy_surrogate
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder
from blockprof.metrics import ACCURACY, MetricInfo
from blockprof.profiling import Surrogate
from blockprof.spaces import Architectures, Space
from blockprof.spaces.sampling import sample_distinct


@dataclass(frozen=True, eq=False)
class KeptAccuracy:
    """Accuracy in the supernet, a metric that evaluates no network twice: ``journal`` keeps each, with ``settings``."""

    accuracy: SupernetAccuracy
    settings: Settings
    journal: Path

    @property
    def info(self) -> MetricInfo:
        return self.accuracy.info

    @property
    def space(self) -> Space:
        return self.accuracy.space

    @property
    def resolution(self) -> int:
        return self.accuracy.resolution

    def num_kept(self, archs: Architectures | None = None) -> int:
        """How many networks were evaluated before, of ``archs`` or of all."""
        kept = read_accuracies(self.journal, self.settings)
        return len(kept) if archs is None else sum(network in kept for network in archs.to_strings())

    def evaluate(self, archs: Architectures, listener: Listener = SILENT) -> FloatArray:
        """Return (N,) top-1 accuracies in percent, of the journal and of the networks that it lacks.

        Raises:
            InputError, DataFileError, BlockprofError: as for ``open_accuracies`` and ``SupernetAccuracy.measure``.
        """
        networks = archs.to_strings()
        with open_accuracies(self.journal, self.settings) as accuracies:
            for index, network in enumerate(networks):
                if network not in accuracies.of_networks:
                    accuracies.add(network, Accuracy(*self.accuracy.measure(archs, index)))
                listener.on_step("evaluating networks", index + 1, len(networks))
            return np.array([accuracies.of_networks[network].top1 for network in networks])


@dataclass(frozen=True, eq=False)
class AccuracyPool:
    """Random networks ``archs`` (N) that ``seed`` chose, and how they are evaluated in their supernet."""

    metric: KeptAccuracy
    archs: Architectures
    seed: int

    def fit(self, listener: Listener = SILENT) -> Surrogate:
        """Evaluate the networks, and fit the surrogate of their top-1; raises as ``KeptAccuracy.evaluate`` does."""
        values = self.metric.evaluate(self.archs, listener)
        return fit_accuracy_surrogate(
            self.archs, values, self.metric.info, seed=self.seed, resolution=self.metric.resolution
        )


def accuracy_journal_path(space: Space, resolution: int, seed: int) -> Path:
    """Where accuracies of networks are kept: ``accuracy/mbv3-r224-seed0.journal`` in the data folder."""
    return data_folder() / "accuracy" / f"{space.name}-r{resolution}-seed{seed}.journal"


def load_kept_accuracy(
    space: Space,
    spec: SupernetSpec,
    *,
    resolution: int = 224,
    seed: int = 0,
    listener: Listener = SILENT,
) -> KeptAccuracy:
    """Load what evaluates networks in the supernet; nothing is evaluated yet.

    Args:
        space: the design space.
        spec: the images, and what runs the networks.
        resolution: of the input, in pixels.
        seed: of the images that batch normalisation is recalibrated with.
        listener: told how many of these are decoded, of how many.

    Raises:
        InputError: images or a device that cannot be used, or a journal of other settings.
        MetricError: a resolution that the space cannot take.
        DataFileError: weights, images or a journal that are absent, damaged or others.
    """
    accuracy = load_supernet_accuracy(
        space,
        spec.data,
        resolution=resolution,
        device=spec.device,
        batch_size=spec.batch_size,
        workers=spec.workers,
        seed=seed,
        fast=default_cache() if spec.fast else None,
        strict=spec.strict,
        listener=listener,
    )
    settings = {**asdict(accuracy.spec), "seed": seed}
    journal = accuracy_journal_path(space, resolution, seed)
    read_accuracies(journal, settings)
    return KeptAccuracy(accuracy, settings, journal)


def load_accuracy_pool(
    space: Space,
    spec: SupernetSpec,
    *,
    resolution: int = 224,
    num_networks: int | None = None,
    seed: int = 0,
    listener: Listener = SILENT,
) -> AccuracyPool:
    """Choose random networks, all different, and load what evaluates them; nothing is evaluated yet.

    A smaller pool is the beginning of a larger one of the same seed, so no network is evaluated again for it.

    Args:
        space: the design space.
        spec: the images, and what runs the networks.
        resolution: of the input, in pixels.
        num_networks: size of the pool; 300 where None.
        seed: of the networks, and of the images that batch normalisation is recalibrated with.
        listener: told how many of the images to recalibrate with are decoded, of how many.

    Raises:
        InputError: too few networks or too many, or as for :func:`load_kept_accuracy`.
        MetricError, DataFileError: as there.
    """
    num_networks = pool_size(ACCURACY, num_networks)
    metric = load_kept_accuracy(space, spec, resolution=resolution, seed=seed, listener=listener)
    archs = sample_distinct(space, MAX_ACCURACY_POOL, np.random.default_rng(seed))[:num_networks]
    return AccuracyPool(metric, archs, seed)
