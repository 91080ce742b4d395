"""The cache of decoded images: the same pixels, whole or not at all."""

import json
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from listening import Heard

from blockprof.evaluators.supernet import FolderImages, read_folder, write_cache
from blockprof.evaluators.supernet.cache import CachedImages, cache_files, open_cache
from blockprof.foundation.errors import DataFileError, InputError

pytestmark = pytest.mark.filterwarnings("ignore:.* class folders are not ImageNet's", "ignore:.* all are taken")


def open_at_128(folder: Path, **options) -> CachedImages:
    return open_cache(folder, **{"resolution": 128, "seed": 0, "num_recalibration": 2000, **options})


def refusal(folder: Path, error: type[Exception] = InputError, **options) -> str:
    with pytest.raises(error) as caught:
        open_at_128(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_same_pixels_and_labels(images: FolderImages, tmp_path: Path) -> None:
    heard = Heard()
    written = write_cache(images, tmp_path / "cache", heard)
    assert sorted((tmp_path / "cache").iterdir()) == sorted(written.paths)
    assert heard.steps == [(12, 12), (24, 24)]
    cached = open_at_128(tmp_path / "cache", source=images.folder)
    assert cached.pixels.shape == (36, 3, 128, 128)
    assert isinstance(cached.pixels, np.memmap)
    assert (cached.num_images, cached.num_classes, cached.digest) == (12, 4, images.digest)
    assert torch.equal(cached.recalibration(), images.recalibration())
    for batch_size in (5, 100):
        pairs = zip(cached.validation(batch_size), images.validation(batch_size), strict=True)
        for (pixels, labels), (expected_pixels, expected_labels) in pairs:
            assert torch.equal(pixels, expected_pixels)
            assert torch.equal(labels, expected_labels)
    assert written.facts == cached.facts
    assert cached.facts.versions.keys() == {"blockprof", "pillow", "torchvision"}


def test_an_image_that_does_not_decode_is_left_out_and_named(copy: Path, tmp_path: Path) -> None:
    bad = copy / "val" / "n01443537" / "1.JPEG"
    bad.write_bytes(b"not an image")
    images = FolderImages(read_folder(copy), 128)
    with pytest.warns(UserWarning, match="does not decode"):
        write_cache(images, tmp_path / "cache")
    cached = open_at_128(tmp_path / "cache", source=images.folder)
    assert cached.facts.labels == (0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3)
    assert cached.undecodable == {str(bad): "not an image"}
    message = refusal(tmp_path / "cache", DataFileError, strict=True)
    assert f"{bad}: does not decode (not an image): replace it" in message


def test_it_is_written_whole_or_not_at_all(copy: Path, images: FolderImages, tmp_path: Path) -> None:
    (copy / "val" / "n01491361" / "2.JPEG").write_bytes(b"not an image")
    strict = FolderImages(read_folder(copy), 128, strict=True)
    with pytest.raises(DataFileError, check=coded("image-does-not-decode")):
        write_cache(strict, tmp_path / "cache")
    assert sorted(tmp_path.iterdir()) == [copy]
    written = write_cache(images, tmp_path / "cache")
    before = [path.read_bytes() for path in written.paths]
    with pytest.raises(DataFileError, check=coded("image-does-not-decode")):
        write_cache(strict, tmp_path / "cache")
    assert [path.read_bytes() for path in written.paths] == before
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_disk_that_is_full(images: FolderImages, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:  # Python ignores the signal, so a write beyond the limit is an error, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
        with pytest.raises(InputError, match="cache", check=coded("unwritable-folder")):
            write_cache(images, tmp_path / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"the cache takes 10800000\.0 GB, [\d.]+ GB are free: choose another folder"):
        write_cache(replace(images, resolution=10**7), tmp_path / "cache")
    assert not list(tmp_path.iterdir())


def test_a_cache_of_other_images(images: FolderImages, copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    write_cache(images, folder)
    again = "write it with `blockprof cache-imagenet --data DIR --resolution"
    assert f"imagenet-r160.json: there is no cache of ImageNet's images: {again} 160`" in refusal(
        folder, resolution=160
    )
    assert f"was written with seed 0, not 1: {again} 128` and that" in refusal(folder, seed=1)
    assert "was written with num_recalibration 2000, not 10" in refusal(folder, num_recalibration=10)
    open_at_128(folder, source=read_folder(copy))
    (copy / "val" / "n01491361" / "2.JPEG").unlink()
    message = refusal(folder, source=read_folder(copy))
    assert f"the cache is of other images ({images.folder.path}) than {copy}: {again}" in message


def test_a_damaged_cache(images: FolderImages, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    write_cache(images, folder)
    pixels, facts = cache_files(folder, 128)
    content = json.loads(facts.read_text())
    again = "write it with `blockprof cache-imagenet --data DIR --resolution 128`"
    with pixels.open("r+b") as file:
        file.truncate(1000)
    assert f"{pixels}: is cut off, or not of imagenet-r128.json" in refusal(folder, DataFileError)
    pixels.unlink()
    assert f"{pixels}: cannot be read (No such file or directory)" in refusal(folder, DataFileError)
    for other in (1, 9):
        facts.write_text(json.dumps({**content, "format": other}))
        assert f"the cache is in format {other}, this version reads 2: {again}" in refusal(folder, DataFileError)
    for text in ("{", "[]", "{}", json.dumps({**content, "more": 1})):
        facts.write_text(text)
        assert "does not hold the facts of a cache" in refusal(folder, DataFileError)
