"""ImageNet's images from a folder, as OFA evaluates on them and recalibrates its networks with them.

All images are uint8 pixels until a network needs them, so that a folder and a cache give the same numbers.
"""

import hashlib
import io
import math
import re
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from blockprof.foundation.errors import Argument, DataFileError, InputError, Said
from blockprof.foundation.files import read_file
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.torchvision_import import import_torchvision
from blockprof.spaces import registered_spaces

if TYPE_CHECKING:
    from torchvision import datasets, transforms
    from torchvision.transforms import functional
else:
    datasets = lazy_import("torchvision.datasets")
    functional = lazy_import("torchvision.transforms.functional")
    transforms = lazy_import("torchvision.transforms")


NUM_CLASSES = 1000
"""Of ImageNet, and so of the supernets' outputs."""

NUM_RECALIBRATION = 2000
"""Images of the training set that OFA takes to recalibrate batch normalisation."""

CROPPED_SHARE = 0.875
LEAST_AREA = 0.08
BRIGHTNESS, SATURATION = 32 / 255, 0.5
"""OFA's transforms: the share of the shorter side that the centre crop keeps; the least area of a random crop; by how
much a random crop may be brighter or darker, and its colours stronger or weaker.
"""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

LOADED_AT_ONCE = 100
"""Images of the recalibration subset and the cache that are decoded between two reports of progress."""

_WORDNET_ID = re.compile(r"n\d{8}")
_EXPECTED = "expected train/<class>/*.JPEG and val/<class>/*.JPEG, such as val/n01440764/ILSVRC2012_val_00000293.JPEG"

Samples = Sequence[tuple[str, int]]
"""Path and label of each image."""


class ImageSource(Protocol):
    """Where images come from.

    There are ``num_images`` to validate on, of ``num_classes``; ``digest`` is a SHA-256 of which they are;
    ``undecodable`` has the reasons, by path, of all that were met and left out so far.
    """

    @property
    def num_images(self) -> int: ...

    @property
    def num_classes(self) -> int: ...

    @property
    def digest(self) -> str: ...

    @property
    def undecodable(self) -> Mapping[str, str]: ...

    def validation(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give (B, 3, R, R) uint8 pixels and (B,) labels, in the same order each time."""
        ...

    def recalibration(self, listener: Listener = SILENT) -> Tensor:
        """Return (M, 3, R, R) uint8 pixels of the training subset."""
        ...


@dataclass(frozen=True, eq=False)
class ImageNetFolder:
    """What ImageNet's folder holds: its classes in sorted order, and the images of ``train`` and ``val``."""

    path: Path
    classes: tuple[str, ...]
    train: Samples
    val: Samples

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the names and sizes of the validation images.

        Raises:
            DataFileError: one cannot be read.
        """
        known = hashlib.sha256()
        for name, _ in self.val:
            file = Path(name)
            try:
                known.update(f"{file.relative_to(self.path).as_posix()}\0{file.stat().st_size}\n".encode())
            except OSError as error:
                raise DataFileError(
                    f"cannot be read ({error.strerror})", where=file, remedy="check the folder"
                ) from error
        return known.hexdigest()


def check_resolution(resolution: int) -> None:
    """Refuse a resolution that no space takes.

    Raises:
        InputError: it is none.
    """
    known = dict.fromkeys(space.resolutions for space in registered_spaces())
    if not any(resolution in takes for takes in known):
        ranges = ", or ".join(f"{takes[0]} to {takes[-1]} in steps of {takes.step}" for takes in known)
        raise InputError(f"resolution {resolution}: networks take {ranges}")


def read_folder(path: Path) -> ImageNetFolder:
    """List the images of a folder in ImageNet's layout, ``train`` and ``val`` with a folder for each class.

    A class's label is its place in sorted order, as everywhere with torchvision's ``ImageFolder``: in ImageNet's 1,000
    folders, named by WordNet ids, these are the labels that the networks were trained with. Of any other folder a
    warning says that they need not be.

    Raises:
        InputError: the folder is not there, or not in this layout.
    """
    train_classes, train = _list_images(path, "train")
    classes, val = _list_images(path, "val")
    if classes != train_classes:
        odd = sorted(set(classes) ^ set(train_classes))[0]
        only = "train" if odd in train_classes else "val"
        raise InputError(
            f"class {odd} is only in {only}", where=path, remedy="train and val need the same class folders"
        )
    if len(classes) > NUM_CLASSES:
        raise InputError(
            f"holds {len(classes):,} classes, and the networks tell {NUM_CLASSES:,}: {_EXPECTED}",
            where=path,
            code="too-many-classes",
        )
    if len(classes) < NUM_CLASSES or not all(map(_WORDNET_ID.fullmatch, classes)):
        warnings.warn(
            f"{path}: its {len(classes):,} class folders are not ImageNet's {NUM_CLASSES:,} (n01440764, ...): labels "
            "are places in sorted order, so the accuracy means nothing unless the networks were trained with these",
            stacklevel=2,
        )
    return ImageNetFolder(path, classes, train, val)


def _list_images(path: Path, part: str) -> tuple[tuple[str, ...], Samples]:
    import_torchvision()
    if not (path / part).is_dir():
        raise InputError(f"has no folder {part}", where=path, remedy=_EXPECTED)
    try:
        listed = datasets.ImageFolder(str(path / part))
    except FileNotFoundError as error:  # no class folders, or one without images
        raise InputError(f"{path / part}: {str(error).split('. ')[0].rstrip('.')}: {_EXPECTED}") from None
    except OSError as error:
        raise InputError(f"{path / part}: cannot be read ({error.strerror}): check the folder") from error
    return tuple(listed.classes), listed.samples


@dataclass(frozen=True, eq=False)
class FolderImages:
    """Images that are decoded from their files, again each time.

    ``seed`` decides the training subset and its random crops, whatever the number of ``workers``, the processes that
    decode. An image that does not decode is left out: a warning names it, ``undecodable`` counts it; with ``strict`` it
    is an error.
    """

    folder: ImageNetFolder
    resolution: int
    workers: int = 0
    seed: int = 0
    num_recalibration: int = NUM_RECALIBRATION
    strict: bool = False
    _undecodable: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def num_images(self) -> int:
        return len(self.folder.val)

    @property
    def num_classes(self) -> int:
        return len(self.folder.classes)

    @property
    def digest(self) -> str:
        return self.folder.digest

    @property
    def undecodable(self) -> Mapping[str, str]:
        return self._undecodable

    def validation(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give (B, 3, R, R) uint8 pixels and (B,) labels: resized to R / 0.875, and the R pixels at the centre.

        Raises:
            DataFileError: an image that cannot be read, or with ``strict`` one that does not decode.
        """
        return self._decoded(self.folder.val, batch_size, None)

    def recalibration(self, listener: Listener = SILENT) -> Tensor:
        """Return (M, 3, R, R) uint8 pixels: random crops, half of them flipped, of random images of the training set.

        OFA's subset and transforms: the first ``num_recalibration`` of a seeded permutation (OFA's seed is 937162211);
        a crop has 8 to 100 % of the area; its brightness is changed by up to 32/255, its saturation by up to a half
        (``distort_color="tf"``, with which the supernets were trained, and which BlockProfile has too). OFA leaves all
        this to chance; here each image has its own seed. Of a smaller training set all images are taken.

        Raises:
            DataFileError: no image decodes, one cannot be read, or with ``strict`` one does not decode.
        """
        generator = torch.Generator().manual_seed(self.seed)
        places = torch.randperm(len(self.folder.train), generator=generator)[: self.num_recalibration].tolist()
        if len(places) < self.num_recalibration:
            warnings.warn(
                f"{self.folder.path}: train holds {len(places):,} images, not the {self.num_recalibration:,} that "
                "batch normalisation is recalibrated with: all are taken",
                stacklevel=2,
            )
        samples = [self.folder.train[place] for place in places]
        seeds = [_image_seed(self.seed, place) for place in places]
        parts = []
        for number, (pixels, _) in enumerate(self._decoded(samples, LOADED_AT_ONCE, seeds), start=1):
            parts.append(pixels)
            listener.on_step(
                "decoding images to recalibrate with", min(number * LOADED_AT_ONCE, len(samples)), len(samples)
            )
        return torch.cat(parts)

    def _decoded(
        self, samples: Samples, batch_size: int, seeds: Sequence[int] | None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        loader = DataLoader(
            _Decoding([path for path, _ in samples], self.resolution, seeds),
            batch_size=batch_size,
            num_workers=self.workers,
            collate_fn=list,
            generator=torch.Generator(),  # its own, or it would draw from what all share
        )
        place, found = 0, False
        for items in loader:
            good, labels = [], []
            for item in items:
                path, label = samples[place]
                place += 1
                if isinstance(item, DataFileError):
                    raise item
                if isinstance(item, str):
                    self._note(path, item)
                else:
                    good.append(item)
                    labels.append(label)
            if good:
                found = True
                yield torch.stack(good), torch.tensor(labels)
        if not found:
            raise DataFileError(
                f"none of {len(samples):,} images decodes",
                where=self.folder.path,
                remedy="check the folder",
                code="no-image-decodes",
            )

    def _note(self, path: str, reason: str) -> None:
        if self.strict:
            raise DataFileError(
                f"does not decode ({reason})",
                where=path,
                remedy=Said("replace it, or leave {} out", Argument("strict")),
                code="image-does-not-decode",
            )
        if path not in self._undecodable:
            warnings.warn(f"{path}: does not decode ({reason}): left out", stacklevel=2)
            self._undecodable[path] = reason


class _Decoding(Dataset[Any]):
    """Decodes images, and crops them: at the centre, or where their seeds say, with other colours.

    Of one that fails it gives the error or the reason.

    A data loader's own processes may import torchvision only as this module does, so nothing here holds a part of it.
    """

    def __init__(self, paths: Sequence[str], resolution: int, seeds: Sequence[int] | None) -> None:
        self._paths, self._resolution, self._seeds = paths, resolution, seeds

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> Tensor | DataFileError | str:
        try:
            content = read_file(Path(self._paths[index]))
        except DataFileError as error:
            return error
        try:
            with Image.open(io.BytesIO(content)) as opened:
                image = opened.convert("RGB")
        # What Pillow's decoders raise.
        except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError) as error:
            return "not an image" if isinstance(error, UnidentifiedImageError) else " ".join(str(error).split())
        return self._crop(image, None if self._seeds is None else self._seeds[index])

    def _crop(self, image: Image.Image, seed: int | None) -> Tensor:
        import_torchvision()
        if seed is None:
            image = transforms.CenterCrop(self._resolution)(
                transforms.Resize(math.ceil(self._resolution / CROPPED_SHARE))(image)
            )
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                cropped = transforms.RandomHorizontalFlip()(
                    transforms.RandomResizedCrop(self._resolution, scale=(LEAST_AREA, 1.0))(image)
                )
                image = transforms.ColorJitter(brightness=BRIGHTNESS, saturation=SATURATION)(cropped)
        pixels: Tensor = functional.pil_to_tensor(image)
        return pixels


def _image_seed(seed: int, place: int) -> int:
    return int(np.random.SeedSequence([seed, place]).generate_state(1, np.uint64)[0] >> 1)


def normalise(pixels: Tensor) -> Tensor:
    """Return (B, 3, R, R) float32 of uint8 pixels, as torchvision's ``ToTensor`` and OFA's ``Normalize`` do."""
    mean, std = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (MEAN, STD))
    return pixels.to(torch.float32).div_(255).sub_(mean).div_(std)
