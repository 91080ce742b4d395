"""Accuracy of networks that share a supernet's weights, measured on ImageNet."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from blockprof.evaluators.supernet.cache import open_cache
from blockprof.evaluators.supernet.checkpoints import checkpoint_path, load_supernet
from blockprof.evaluators.supernet.images import (
    NUM_CLASSES,
    NUM_RECALIBRATION,
    FolderImages,
    ImageSource,
    normalise,
    read_folder,
)
from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.errors import InputError
from blockprof.foundation.files import read_file
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.foundation.torch_device import find_device
from blockprof.metrics import MetricInfo
from blockprof.networks.modules import subnet_settings
from blockprof.spaces import Architectures, Space
from blockprof.spaces.resolution import check_resolution

if TYPE_CHECKING:
    from ofa.imagenet_classification.elastic_nn import utils
else:
    utils = lazy_import("ofa.imagenet_classification.elastic_nn.utils")


RECALIBRATION_BATCH = 200
"""That of OFA's ``RunManager.reset_running_statistics``.

Statistics are means over batches, so this changes them, and must not follow the batches that fit a device.
At 224 it takes up to 5 GB.
"""

TOP = 5


@dataclass(frozen=True)
class AccuracySpec:
    """What decides a network's accuracy, so that two that were measured alike can stand beside each other.

    ``weights``, ``validation`` and ``recalibration`` are SHA-256 digests: of the supernet's file, of which the
    validation images are, and of the pixels that batch normalisation is recalibrated with.
    """

    space: str
    resolution: int
    weights: str
    validation: str
    recalibration: str
    precision: Literal["float32", "autocast"]


@dataclass(frozen=True, eq=False)
class SupernetAccuracy:
    """ImageNet accuracy of a space's networks with their supernet's weights: a metric, top-1 in percent.

    ``recalibration`` is (M, 3, R, R), the uint8 pixels that each network's batch normalisation is recalibrated with.
    """

    info: MetricInfo
    spec: AccuracySpec
    space: Space
    supernet: Any
    images: ImageSource
    recalibration: Tensor
    device: torch.device
    batch_size: int

    @property
    def resolution(self) -> int:
        return self.spec.resolution

    def evaluate(self, archs: Architectures, listener: Listener = SILENT) -> FloatArray:
        """Return (N,) top-1 accuracies in percent; see :meth:`evaluate_both`."""
        return self.evaluate_both(archs, listener)[0]

    def evaluate_both(self, archs: Architectures, listener: Listener = SILENT) -> tuple[FloatArray, FloatArray]:
        """Return (N,) top-1 and (N,) top-5 accuracies in percent, of the validation images that decode.

        Args:
            archs: N networks.
            listener: told how many of how many are done.

        Raises:
            InputError: networks of another space.
            DataFileError: an image that cannot be read, or does not decode where that is an error.
        """
        values = np.empty((2, len(archs)))
        for index in range(len(archs)):
            values[:, index] = self.measure(archs, index)
            listener.on_step("evaluating networks", index + 1, len(archs))
        return values[0], values[1]

    def measure(self, archs: Architectures, index: int = 0) -> tuple[float, float]:
        """Return one network's top-1 and top-5 accuracy in percent, as :meth:`evaluate_both` does those of many."""
        network = self.network(archs, index)
        right, total = np.zeros(2), 0
        with torch.inference_mode():
            for pixels, labels in self.images.validation(self.batch_size):
                with torch.autocast(self.device.type, enabled=self.spec.precision == "autocast"):
                    logits = network(normalise(pixels.to(self.device)))
                hits = logits.topk(TOP, dim=1).indices.cpu() == labels[:, None]
                right += [hits[:, 0].sum().item(), hits.any(dim=1).sum().item()]
                total += len(labels)
        top1, top5 = (100 * right / total).tolist()
        return top1, top5

    def network(self, archs: Architectures, index: int = 0) -> nn.Module:
        """Cut one network out of the supernet, on the device, its batch normalisation recalibrated as OFA does.

        A network has other activations than the supernet's largest, whose running means and variances the weights
        come with: without new ones its accuracy is far too low.

        Raises:
            InputError: networks of another space.
        """
        if archs.space != self.space:
            raise InputError(f"these are networks of {archs.space.name}, and the weights are of {self.space.name}")
        self.supernet.set_active_subnet(**subnet_settings(archs, index))
        network: nn.Module = self.supernet.get_active_subnet(preserve_weight=True)
        network = network.eval().to(self.device)
        utils.set_running_statistics(network, self._recalibration_batches())
        return network

    def _recalibration_batches(self) -> Iterator[tuple[Tensor, None]]:
        """What OFA takes for a data loader, whose labels it does not read."""
        for start in range(0, len(self.recalibration), RECALIBRATION_BATCH):
            yield normalise(self.recalibration[start : start + RECALIBRATION_BATCH].to(self.device)), None


def load_supernet_accuracy(
    space: Space,
    data: Path | None,
    *,
    resolution: int = 224,
    checkpoint: Path | None = None,
    device: str = "cpu",
    batch_size: int = 100,
    workers: int = 0,
    seed: int = 0,
    fast: Path | None = None,
    strict: bool = False,
    num_recalibration: int = NUM_RECALIBRATION,
    listener: Listener = SILENT,
) -> SupernetAccuracy:
    """Load a supernet's weights and the images that its networks are recalibrated with.

    Args:
        space: the design space.
        data: ImageNet's folder, with ``train`` and ``val``; with ``fast`` it may be None.
        resolution: of the input, in pixels.
        checkpoint: the supernet's weights; where ``fetch-data`` puts them, if None.
        device: torch's name of where the networks run.
        batch_size: images that a network sees at once; changes the time, not the accuracy.
        workers: processes that decode images.
        seed: of the images of the training set for recalibration, and their crops.
        fast: a folder that ``cache-imagenet`` wrote to, to take the images from.
        strict: whether an image that does not decode is an error.
        num_recalibration: images to recalibrate with.
        listener: told how many of how many are done.

    Raises:
        InputError: a folder that is not ImageNet-like, a device that is not there, or a cache of other images.
        MetricError: a resolution that the space cannot take.
        DataFileError: weights or images that are absent, damaged or others.
    """
    check_resolution(space, resolution)
    place = find_device(device)
    folder = read_folder(data) if data is not None else None
    images: ImageSource
    if fast is not None:
        images = open_cache(fast, resolution, seed, num_recalibration, source=folder, strict=strict)
    elif folder is not None:
        images = FolderImages(folder, resolution, workers, seed, num_recalibration, strict)
    else:
        raise InputError(
            "no images", remedy="give ImageNet's folder, or a folder that `blockprof cache-imagenet` wrote to"
        )
    path = checkpoint or checkpoint_path(space)
    supernet = load_supernet(space, checkpoint)
    recalibration = images.recalibration(listener)
    classes = "" if images.num_classes == NUM_CLASSES else f" of {images.num_classes:,} classes"
    info = MetricInfo(
        name="accuracy",
        unit="%",
        higher_is_better=True,
        origin="measured",
        source=f"top-1 of OFA's supernet on {images.num_images:,} ImageNet validation images{classes} at {resolution}",
    )
    spec = AccuracySpec(
        space=space.name,
        resolution=resolution,
        weights=hashlib.sha256(read_file(path)).hexdigest(),
        validation=images.digest,
        recalibration=hashlib.sha256(recalibration.numpy().data).hexdigest(),
        # The statistics are found in full precision either way.
        precision="autocast" if place.type == "cuda" else "float32",
    )
    return SupernetAccuracy(info, spec, space, supernet, images, recalibration, place, batch_size)
