"""``blockprof.cache_imagenet``: what it returns is what an evaluation opens."""

from pathlib import Path

import pytest
from listening import Heard

import blockprof
from blockprof.evaluators.supernet.cache import default_cache, open_cache
from blockprof.foundation.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:.* class folders are not ImageNet's", "ignore:.* all are taken")


def test_what_it_returns_is_what_an_evaluation_opens(
    imagenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    heard = Heard()
    written = blockprof.cache_imagenet(imagenet, resolution=128, seed=2, listener=heard)
    assert {path.parent for path in written.paths} == {tmp_path / "imagenet"}
    assert written.facts == open_cache(default_cache(), 128, 2, 2000).facts
    assert (12, 12) in heard.steps
    assert heard.told == [written]


def test_a_resolution_that_no_space_takes_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        blockprof.cache_imagenet(tmp_path / "nothing", resolution=100)
    assert str(caught.value).startswith("resolution 100: networks take ")
