"""Accuracy of networks on ImageNet, with the weights of OFA's supernets."""

from blockprof.accuracy.cache import CachedImages, default_cache, write_cache
from blockprof.accuracy.checkpoints import checkpoint_path, load_supernet
from blockprof.accuracy.images import FolderImages, ImageNetFolder, read_folder
from blockprof.accuracy.supernet import AccuracySpec, SupernetAccuracy, load_supernet_accuracy

__all__ = [
    "AccuracySpec",
    "CachedImages",
    "FolderImages",
    "ImageNetFolder",
    "SupernetAccuracy",
    "checkpoint_path",
    "default_cache",
    "load_supernet",
    "load_supernet_accuracy",
    "read_folder",
    "write_cache",
]
