"""Accuracy of networks on ImageNet, with the weights of OFA's supernets."""

from blockprof.accuracy.cache import CachedImages, default_cache, write_cache
from blockprof.accuracy.checkpoints import checkpoint_path, load_supernet
from blockprof.accuracy.images import FolderImages, ImageNetFolder, read_folder
from blockprof.accuracy.pool import AccuracyPool, accuracy_journal_path, load_accuracy_pool
from blockprof.accuracy.supernet import AccuracySpec, SupernetAccuracy, load_supernet_accuracy
from blockprof.accuracy.surrogate import fit_accuracy_surrogate

__all__ = [
    "AccuracyPool",
    "AccuracySpec",
    "CachedImages",
    "FolderImages",
    "ImageNetFolder",
    "SupernetAccuracy",
    "accuracy_journal_path",
    "checkpoint_path",
    "default_cache",
    "fit_accuracy_surrogate",
    "load_accuracy_pool",
    "load_supernet",
    "load_supernet_accuracy",
    "read_folder",
    "write_cache",
]
