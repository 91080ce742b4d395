"""``blockprof.cache_imagenet``: ImageNet's images, decoded and cropped once."""

from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.foundation.extras import check_extra
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener

if TYPE_CHECKING:
    from blockprof.evaluators.supernet import cache, images
    from blockprof.evaluators.supernet.cache import WrittenCache
else:
    cache = lazy_import("blockprof.evaluators.supernet.cache")
    images = lazy_import("blockprof.evaluators.supernet.images")


def cache_imagenet(
    data: str | Path,
    *,
    resolution: int = 224,
    workers: int = 0,
    strict: bool = False,
    seed: int = 0,
    listener: Listener = SILENT,
) -> "WrittenCache":
    """Decode and crop ImageNet's images once, for accuracy in a supernet with ``SupernetSpec(fast=True)``.

    Writes the validation images, and the 2,000 training images that batch normalisation is recalibrated with, as one
    array of pixels, uint8 (7.8 GB at 224), with a JSON of facts beside it, into the folder ``imagenet`` of the data
    folder. The accuracies are those of the images themselves.

    Args:
        data: ImageNet's folder: ``train`` and ``val``, with a folder for each class.
        resolution: of the images, in pixels.
        workers: extra processes that decode images.
        strict: whether an image that cannot be decoded is an error; else it is left out, with a warning.
        seed: of the training images that are chosen, and of their crops.
        listener: told of progress, and of the result.

    Raises:
        InputError: a resolution that no space takes; no such folder; too little space on the disk.
        DataFileError: an image that cannot be read or, with ``strict``, decoded.
    """
    check_extra("supernet", "caching images")
    images.check_resolution(resolution)
    listener.on_start("listing the images")
    folder = images.read_folder(Path(data))
    written = cache.write_cache(
        images.FolderImages(folder, resolution, workers, seed, strict=strict), cache.default_cache(), listener
    )
    listener.on_result(written)
    return written
