"""Generated folders of images, to read and to spoil."""

import shutil
from pathlib import Path

import pytest

from blockprof.evaluators.supernet import FolderImages, read_folder


@pytest.fixture
def copy(imagenet: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(imagenet, tmp_path / "copy"))


@pytest.fixture
def images(imagenet: Path) -> FolderImages:
    return FolderImages(read_folder(imagenet), 128)
