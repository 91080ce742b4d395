"""Stores of all spaces whose pieces are exported once for all tests here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from known_spaces import SPACES

from blockprof.networks.onnx import FragmentStore
from blockprof.spaces import load_space


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def stores(cache: Path) -> dict[str, FragmentStore]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLOCKPROF_CACHE", str(cache))
        return {name: FragmentStore(load_space(name)) for name in SPACES}
