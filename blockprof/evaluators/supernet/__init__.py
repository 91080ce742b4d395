"""Accuracy of networks on ImageNet, with the weights of OFA's supernets."""

from blockprof.evaluators.supernet.cache import CachedImages, default_cache, write_cache
from blockprof.evaluators.supernet.checkpoints import checkpoint_path, load_supernet
from blockprof.evaluators.supernet.images import FolderImages, ImageNetFolder, read_folder
from blockprof.evaluators.supernet.pool import (
    AccuracyPool,
    KeptAccuracy,
    accuracy_journal_path,
    load_accuracy_pool,
    load_kept_accuracy,
)
from blockprof.evaluators.supernet.supernet import AccuracySpec, SupernetAccuracy, load_supernet_accuracy
from blockprof.evaluators.supernet.surrogate import fit_accuracy_surrogate

__all__ = [
    "AccuracyPool",
    "AccuracySpec",
    "CachedImages",
    "FolderImages",
    "ImageNetFolder",
    "KeptAccuracy",
    "SupernetAccuracy",
    "accuracy_journal_path",
    "checkpoint_path",
    "default_cache",
    "fit_accuracy_surrogate",
    "load_accuracy_pool",
    "load_kept_accuracy",
    "load_supernet",
    "load_supernet_accuracy",
    "read_folder",
    "write_cache",
]
