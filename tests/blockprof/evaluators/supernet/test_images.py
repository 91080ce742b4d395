"""ImageNet's images from a folder: which, cropped how, and what is refused or left out."""

import math
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from listening import Heard
from PIL import Image
from torch import Tensor

from blockprof.evaluators.supernet import FolderImages, read_folder
from blockprof.evaluators.supernet.images import MEAN, STD, _image_seed, normalise
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.torchvision_import import import_torchvision

pytestmark = pytest.mark.filterwarnings("ignore:.* class folders are not ImageNet's", "ignore:.* all are taken")

CLASSES = ("n01440764", "n01443537", "n01484850", "n01491361")
NOT_IMAGENET = "its 4 class folders are not ImageNet's 1,000"


def all_of(images: FolderImages, batch_size: int = 5) -> tuple[Tensor, Tensor]:
    batches = list(images.validation(batch_size))
    return torch.cat([pixels for pixels, _ in batches]), torch.cat([labels for _, labels in batches])


@pytest.mark.parametrize("resolution", [128, 160])
def test_validation_images_are_ofas(imagenet: Path, resolution: int) -> None:
    import_torchvision()
    from torchvision import datasets, transforms

    # As ofa.imagenet_classification.data_providers.imagenet builds it.
    transform = transforms.Compose(
        [
            transforms.Resize(math.ceil(resolution / 0.875)),
            transforms.CenterCrop(resolution),
            transforms.ToTensor(),
            transforms.Normalize(mean=MEAN, std=STD),
        ]
    )
    expected = list(datasets.ImageFolder(str(imagenet / "val"), transform))
    pixels, labels = all_of(FolderImages(read_folder(imagenet), resolution))
    assert pixels.shape == (12, 3, resolution, resolution)
    assert pixels.dtype == torch.uint8
    assert torch.equal(normalise(pixels), torch.stack([image for image, _ in expected]))
    assert labels.tolist() == [label for _, label in expected] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


@pytest.fixture
def ofas_transform(monkeypatch: pytest.MonkeyPatch) -> Callable[[Image.Image], Tensor]:
    """What OFA's own data provider makes of a training image at 128, with the run manager's distort_color."""
    import_torchvision()
    from ofa.imagenet_classification.data_providers import ImagenetDataProvider
    from ofa.imagenet_classification.run_manager import ImagenetRunConfig

    config = ImagenetRunConfig(image_size=128)
    provider = ImagenetDataProvider.__new__(ImagenetDataProvider)  # its own start lists ImageNet's folders
    for name in ("image_size", "distort_color", "resize_scale"):
        setattr(provider, name, getattr(config, name))
    return provider.build_train_transform(print_log=False)


def test_training_images_are_transformed_as_ofa_does(
    imagenet: Path, ofas_transform: Callable[[Image.Image], Tensor]
) -> None:
    folder = read_folder(imagenet)
    found = normalise(FolderImages(folder, 128, seed=5).recalibration())
    order = torch.randperm(24, generator=torch.Generator().manual_seed(5)).tolist()
    expected = []
    for place in order:
        with torch.random.fork_rng(devices=[]), Image.open(folder.train[place][0]) as image:
            torch.manual_seed(_image_seed(5, place))
            expected.append(ofas_transform(image.convert("RGB")))
    assert torch.equal(found, torch.stack(expected))


def test_training_images_have_other_colours(imagenet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brightness times 1 - 32/255 to 1 + 32/255, saturation times 0.5 to 1.5: torchvision's ColorJitter alone."""
    import_torchvision()
    from torchvision import transforms

    images = FolderImages(read_folder(imagenet), 128)
    jittered = images.recalibration().float()
    monkeypatch.setattr(transforms, "ColorJitter", lambda **_: lambda image: image)
    plain = images.recalibration().float()
    brightness = jittered.mean(dim=(1, 2, 3)) / plain.mean(dim=(1, 2, 3))
    assert brightness.min() > 1 - 32 / 255 - 0.02
    assert brightness.max() < 1 + 32 / 255 + 0.02
    assert brightness.std() > 0.03
    spread = jittered.std(dim=1).mean(dim=(1, 2)) / plain.std(dim=1).mean(dim=(1, 2)).clamp(min=1e-9)
    coloured = plain.std(dim=1).mean(dim=(1, 2)) > 1
    assert coloured.sum() == 23
    saturation = spread[coloured] / brightness[coloured]
    assert saturation.min() > 0.4
    assert saturation.max() < 1.6
    assert saturation.std() > 0.1


def test_the_subset_is_ofas_and_seeded(imagenet: Path) -> None:
    folder = read_folder(imagenet)
    some = FolderImages(folder, 128, seed=937162211, num_recalibration=10)
    chosen = torch.randperm(24, generator=torch.Generator().manual_seed(937162211))[:10].tolist()
    pixels = some.recalibration()
    assert pixels.shape == (10, 3, 128, 128)
    assert torch.equal(pixels, some.recalibration())
    # Each image's crop is its own: fewer images are the first of many.
    more = FolderImages(folder, 128, seed=937162211, num_recalibration=24).recalibration()
    assert torch.equal(more[:10], pixels)
    # Grey images are the one of the four classes that is grey: crops tell which files they are of.
    is_grey = [bool((image[0] == image[1]).all()) for image in more]
    order = torch.randperm(24, generator=torch.Generator().manual_seed(937162211)).tolist()
    assert order[:10] == chosen
    assert [place for place, grey in zip(order, is_grey, strict=True) if grey] == [0]
    assert not torch.equal(FolderImages(folder, 128, seed=1, num_recalibration=10).recalibration(), pixels)


def test_the_random_state_of_others_is_left_alone(images: FolderImages) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    images.recalibration()
    assert torch.equal(torch.rand(2), expected)


def test_workers_change_nothing(imagenet: Path, images: FolderImages) -> None:
    with_worker = FolderImages(read_folder(imagenet), 128, workers=1)
    assert torch.equal(with_worker.recalibration(), images.recalibration())
    for first, second in zip(all_of(with_worker), all_of(images), strict=True):
        assert torch.equal(first, second)


def test_a_small_folder_is_warned_of(imagenet: Path) -> None:
    with pytest.warns(UserWarning, match=NOT_IMAGENET):
        folder = read_folder(imagenet)
    assert folder.classes == CLASSES
    with pytest.warns(UserWarning, match=r"train holds 24 images, not the 2,000 that .*: all are taken"):
        FolderImages(folder, 128).recalibration()


def test_a_thousand_classes_are_not_warned_of_unless_their_names_are_others(imagenet: Path, tmp_path: Path) -> None:
    image = imagenet / "val" / CLASSES[1] / "0.JPEG"
    for part in ("train", "val"):
        for number in range(1000):
            (tmp_path / "whole" / part / f"n{number:08}").mkdir(parents=True)
            (tmp_path / "whole" / part / f"n{number:08}" / "0.JPEG").symlink_to(image)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_folder(tmp_path / "whole").classes) == 1000
    for part in ("train", "val"):
        (tmp_path / "whole" / part / "n00000999").rename(tmp_path / "whole" / part / "999")
    with pytest.warns(UserWarning, match="its 1,000 class folders are not ImageNet's 1,000"):
        read_folder(tmp_path / "whole")
    for part in ("train", "val"):
        shutil.copytree(tmp_path / "whole" / part / "999", tmp_path / "whole" / part / "1000")
    with pytest.raises(InputError, match=r"1,001.*1,000", check=coded("too-many-classes")):
        read_folder(tmp_path / "whole")


def test_folders_that_are_not_imagenet_like(copy: Path, tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(InputError) as caught:
            read_folder(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    expected = ": expected train/<class>/*.JPEG and val/<class>/*.JPEG, such as val/n01440764/"
    assert f"{tmp_path / 'nosuch'}: has no folder train{expected}" in refusal(tmp_path / "nosuch")
    (copy / "val" / CLASSES[3]).rename(copy / "val" / "n99999999")
    assert "class n01491361 is only in train: train and val need the same class folders" in refusal(copy)
    (copy / "val" / "n99999999").rename(copy / "val" / CLASSES[3])
    for file in (copy / "val" / CLASSES[2]).iterdir():
        file.rename(file.with_suffix(".txt"))
    assert f"{copy / 'val'}: Found no valid file for the classes n01484850{expected}" in refusal(copy)
    for name in CLASSES:
        shutil.rmtree(copy / "val" / name)
    # As ImageNet's own archive of validation images unpacks.
    shutil.copy(copy / "train" / CLASSES[0] / "0.JPEG", copy / "val" / "ILSVRC2012_val_00000001.JPEG")
    assert f"{copy / 'val'}: Couldn't find any class folder in " in refusal(copy)


@pytest.mark.parametrize(("content", "reason"), [(b"not an image", "not an image"), (None, "image file is truncated")])
def test_an_image_that_does_not_decode_is_named_and_left_out(
    content: bytes | None, reason: str, copy: Path, images: FolderImages
) -> None:
    bad = copy / "val" / CLASSES[1] / "1.JPEG"
    bad.write_bytes(content or bad.read_bytes()[:-200])
    some = FolderImages(read_folder(copy), 128)
    with pytest.warns(UserWarning, match=rf"{bad}: does not decode \({reason}.*\): left out") as caught:
        pixels, labels = all_of(some)
    assert len(caught) == 1
    keep = np.arange(12) != 4
    expected_pixels, expected_labels = all_of(images)
    assert torch.equal(pixels, expected_pixels[keep])
    assert torch.equal(labels, expected_labels[keep])
    assert list(some.undecodable) == [str(bad)]
    with warnings.catch_warnings():  # one warning for each image, not for each network
        warnings.simplefilter("error")
        all_of(some)
    strict = FolderImages(read_folder(copy), 128, strict=True)
    with pytest.raises(DataFileError, match=rf"{bad}: does not decode \({reason}.*\): replace it"):
        all_of(strict)


def test_a_training_image_that_does_not_decode(copy: Path) -> None:
    bad = copy / "train" / CLASSES[0] / "0.JPEG"
    bad.write_bytes(b"")
    some = FolderImages(read_folder(copy), 128, num_recalibration=24)
    with pytest.warns(UserWarning, match=rf"{bad}: does not decode"):
        assert len(some.recalibration()) == 23
    with pytest.raises(DataFileError, check=coded("image-does-not-decode")):
        FolderImages(read_folder(copy), 128, num_recalibration=24, strict=True).recalibration()


def test_an_image_that_cannot_be_read_ends_the_run(copy: Path) -> None:
    """A disk that went away is no reason to give the accuracy of what is left."""
    for workers in (0, 1):
        some = FolderImages(read_folder(copy), 128, workers=workers)
        gone = copy / "val" / CLASSES[0] / f"{workers}.JPEG"
        gone.unlink()
        with pytest.raises(DataFileError, match=rf"^{gone}: there is no such file: check the path$"):
            all_of(some)


@pytest.mark.filterwarnings("ignore:.*does not decode")
def test_no_image_that_decodes(copy: Path) -> None:
    for file in (copy / "val").rglob("*.JPEG"):
        file.write_bytes(b"")
    with pytest.raises(DataFileError, match="12", check=coded("no-image-decodes")):
        all_of(FolderImages(read_folder(copy), 128))


def test_progress(imagenet: Path) -> None:
    heard = Heard()
    FolderImages(read_folder(imagenet), 128).recalibration(heard)
    assert heard.steps == [(24, 24)]
