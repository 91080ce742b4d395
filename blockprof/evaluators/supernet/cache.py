"""ImageNet's images decoded and cropped once: one memory-mapped array of uint8 pixels, and a JSON of facts."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from blockprof.evaluators.supernet.images import LOADED_AT_ONCE, FolderImages, ImageNetFolder
from blockprof.foundation.decoding import MALFORMED, parse_json
from blockprof.foundation.errors import Argument, Command, DataFileError, InputError, Said
from blockprof.foundation.files import existing_folder, read_file, staged
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.paths import data_folder

FORMAT = 2
"""1 had images to recalibrate with whose colours were left as they are."""
CHANNELS = 3


@dataclass(frozen=True)
class CacheFacts:
    """What a cache holds: first the validation images, with their ``labels``, then those for recalibration.

    ``digest`` is that of the folder's validation images; ``undecodable`` has reasons by path, of images left out;
    ``versions`` those of the packages that decoded and cropped.
    """

    format: int
    source: str
    digest: str
    resolution: int
    seed: int
    num_classes: int
    labels: tuple[int, ...]
    num_recalibration: int
    num_recalibrated: int
    undecodable: dict[str, str]
    versions: dict[str, str]

    @property
    def num_images(self) -> int:
        return len(self.labels) + self.num_recalibrated


def default_cache() -> Path:
    """Where ``cache-imagenet`` writes to: ``imagenet`` in the data folder."""
    return data_folder() / "imagenet"


def cache_files(folder: Path, resolution: int) -> tuple[Path, Path]:
    """The files of a cache at one resolution: pixels and facts."""
    return folder / f"imagenet-r{resolution}.images.uint8", folder / f"imagenet-r{resolution}.json"


@dataclass(frozen=True)
class WrittenCache:
    """The files of a cache, pixels and facts, and what they hold."""

    paths: tuple[Path, Path]
    facts: CacheFacts


def write_cache(images: FolderImages, folder: Path, listener: Listener = SILENT) -> WrittenCache:
    """Decode a folder's validation images and its training subset, and write both files, whole or not at all.

    Args:
        images: where the images come from.
        folder: to write to; a cache there at the same resolution is replaced.
        listener: told how many images are decoded, of how many.

    Raises:
        InputError: ``folder`` cannot be written to, or has too little space.
        DataFileError: an image that cannot be read, or does not decode where that is an error.
    """
    total = images.num_images + min(images.num_recalibration, len(images.folder.train))
    _check_space(folder, total * CHANNELS * images.resolution**2)
    digest = images.digest
    paths = cache_files(folder, images.resolution)
    with staged(folder) as temporary:
        pixels_file, facts_file = (temporary / path.name for path in paths)
        with pixels_file.open("wb") as file:
            labels = _write_validation(images, file, listener)
            recalibration = images.recalibration(listener)
            file.write(recalibration.numpy().data)
        facts = CacheFacts(
            format=FORMAT,
            source=str(images.folder.path.absolute()),
            digest=digest,
            resolution=images.resolution,
            seed=images.seed,
            num_classes=images.num_classes,
            labels=tuple(labels),
            num_recalibration=images.num_recalibration,
            num_recalibrated=len(recalibration),
            undecodable=dict(images.undecodable),
            versions={name: version(name) for name in ("blockprof", "pillow", "torchvision")},
        )
        facts_file.write_text(json.dumps(asdict(facts)), encoding="utf-8")
        # The pixels are moved first: in between there are no facts, and so no cache, rather than one of two halves.
        paths[1].unlink(missing_ok=True)
    return WrittenCache(paths, facts)


def _write_validation(images: FolderImages, file: BinaryIO, listener: Listener) -> list[int]:
    labels: list[int] = []
    for number, (pixels, part) in enumerate(images.validation(LOADED_AT_ONCE), start=1):
        # Not through a memory map: on a full disk that ends the process, and this raises an error.
        file.write(pixels.numpy().data)
        labels.extend(part.tolist())
        listener.on_step(
            "decoding validation images", min(number * LOADED_AT_ONCE, images.num_images), images.num_images
        )
    return labels


def _check_space(folder: Path, num_bytes: int) -> None:
    free = shutil.disk_usage(existing_folder(folder)).free
    if free < num_bytes:
        raise InputError(
            f"the cache takes {num_bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB are free",
            where=folder,
            remedy="choose another folder, such as one that BLOCKPROF_DATA names",
            code="disk-full",
        )


@dataclass(frozen=True, eq=False)
class CachedImages:
    """Images that :func:`write_cache` wrote; ``pixels`` is (N, 3, R, R), mapped into memory and read as it is used."""

    facts: CacheFacts
    pixels: npt.NDArray[np.uint8]

    @property
    def num_images(self) -> int:
        return len(self.facts.labels)

    @property
    def num_classes(self) -> int:
        return self.facts.num_classes

    @property
    def digest(self) -> str:
        return self.facts.digest

    @property
    def undecodable(self) -> Mapping[str, str]:
        return self.facts.undecodable

    def validation(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give (B, 3, R, R) uint8 pixels and (B,) labels, as the folder's loader does."""
        labels = torch.tensor(self.facts.labels)
        for start in range(0, self.num_images, batch_size):
            stop = min(start + batch_size, self.num_images)
            yield torch.from_numpy(np.array(self.pixels[start:stop])), labels[start:stop]

    def recalibration(self, listener: Listener = SILENT) -> Tensor:
        """Return (M, 3, R, R) uint8 pixels of the training subset."""
        return torch.from_numpy(np.array(self.pixels[self.num_images :]))


def open_cache(
    folder: Path,
    resolution: int,
    seed: int,
    num_recalibration: int,
    *,
    source: ImageNetFolder | None = None,
    strict: bool = False,
) -> CachedImages:
    """Open the cache of one resolution.

    Args:
        folder: that ``cache-imagenet`` wrote to.
        resolution: of the images, in pixels.
        seed: of the training subset and its crops.
        num_recalibration: images of the training set that were asked for.
        source: ImageNet's folder, whose validation images the cache must be of; None to take what it holds.
        strict: whether an image that was left out is an error.

    Raises:
        InputError: there is no cache at this resolution, or it is of other images.
        DataFileError: a damaged cache, or with ``strict`` one that an image was left out of.
    """
    pixels_path, facts_path = cache_files(folder, resolution)
    again = f"write it with {Command('blockprof cache-imagenet', data='DIR', resolution=resolution)}"
    if not facts_path.is_file():
        raise InputError("there is no cache of ImageNet's images", where=facts_path, remedy=again)
    facts = _read_facts(facts_path, again)
    asked = {"resolution": resolution, "seed": seed, "num_recalibration": num_recalibration}
    for name, value in asked.items():
        if (there := getattr(facts, name)) != value:
            raise InputError(
                f"the cache was written with {name} {there}, not {value}: {again} and that", where=facts_path
            )
    if source is not None and source.digest != facts.digest:
        raise InputError(
            f"the cache is of other images ({facts.source}) than {source.path}", where=facts_path, remedy=again
        )
    if strict and facts.undecodable:
        file, reason = next(iter(facts.undecodable.items()))
        more = f", and {len(facts.undecodable) - 1:,} more" if len(facts.undecodable) > 1 else ""
        raise DataFileError(
            f"does not decode ({reason}){more}",
            where=file,
            remedy=Said("replace it, or leave {} out", Argument("strict")),
        )
    shape = (facts.num_images, CHANNELS, resolution, resolution)
    try:
        if pixels_path.stat().st_size != np.prod(shape):
            raise DataFileError(f"is cut off, or not of {facts_path.name}", where=pixels_path, remedy=again)
        pixels = np.memmap(pixels_path, dtype=np.uint8, mode="r", shape=shape)
    except OSError as error:
        raise DataFileError(f"cannot be read ({error.strerror})", where=pixels_path, remedy=again) from error
    return CachedImages(facts, pixels)


def _read_facts(path: Path, again: str) -> CacheFacts:
    try:
        content: Any = parse_json(read_file(path))
        facts = CacheFacts(**{**content, "labels": tuple(content["labels"])})
    except MALFORMED as error:
        raise DataFileError(f"does not hold the facts of a cache ({error})", where=path, remedy=again) from None
    if facts.format != FORMAT:
        raise DataFileError(
            f"the cache is in format {facts.format}, this version reads {FORMAT}", where=path, remedy=again
        )
    return facts
