"""Accuracy of a supernet's networks: recalibrated, counted, reproducible, the same from folder and cache."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded
from known_spaces import SPACES
from listening import Heard
from torch import Tensor, nn

from blockprof.evaluators.supernet import (
    FolderImages,
    SupernetAccuracy,
    default_cache,
    load_supernet_accuracy,
    read_folder,
    write_cache,
)
from blockprof.evaluators.supernet.images import NUM_RECALIBRATION, normalise
from blockprof.evaluators.supernet.supernet import RECALIBRATION_BATCH
from blockprof.foundation.errors import DataFileError, InputError, MetricError
from blockprof.foundation.torchvision_import import import_torchvision
from blockprof.metrics import Metric
from blockprof.networks.modules import build_subnet
from blockprof.spaces import Architectures, load_space
from blockprof.spaces.sampling import sample_distinct

pytestmark = pytest.mark.filterwarnings("ignore:.* class folders are not ImageNet's")

Load = Callable[..., SupernetAccuracy]


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def load(imagenet: Path, supernet_weights) -> Load:
    def run(space: str, data: Path | None = imagenet, **options) -> SupernetAccuracy:
        given = {"resolution": 128, "batch_size": 5, "num_recalibration": 8, "checkpoint": supernet_weights(space)}
        return load_supernet_accuracy(load_space(space), data, **{**given, **options})

    return run


def networks(space: str) -> Architectures:
    """Two networks; of resnet50 one whose stem has its block and one without."""
    archs = sample_distinct(load_space(space), 20, np.random.default_rng(1))
    if space != "resnet50":
        return archs[:2]
    skips = np.array([archs.space.stems[stem].skip for stem in archs.stems.tolist()])
    return archs[np.array([skips.argmax(), skips.argmin()])]


def test_the_subset_and_its_batches_are_as_large_as_ofas() -> None:
    import_torchvision()
    from ofa.imagenet_classification.run_manager import RunManager

    asked = inspect.signature(RunManager.reset_running_statistics).parameters
    assert asked["subset_size"].default == NUM_RECALIBRATION
    assert asked["subset_batch_size"].default == RECALIBRATION_BATCH


def statistics(network: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in network.state_dict().items() if "running_" in name}


def logits(accuracy: SupernetAccuracy, network: nn.Module) -> Tensor:
    with torch.inference_mode():
        return torch.cat([network(normalise(pixels)) for pixels, _ in accuracy.images.validation(100)])


@pytest.mark.parametrize("space", SPACES)
def test_the_whole_path(space: str, load: Load, imagenet: Path, tmp_path: Path) -> None:
    """From the files: the right networks, counted as sorting the logits does, alike from folder and cache."""
    archs = networks(space)
    accuracy: Metric = load(space)
    heard = Heard()
    top1, top5 = accuracy.evaluate_both(archs, heard)
    assert heard.steps == [(1, 2), (2, 2)]
    labels = torch.tensor([0] * 3 + [1] * 3 + [2] * 3 + [3] * 3)
    found = []
    for index in range(2):
        network = accuracy.network(archs, index)
        alone = build_subnet(archs, index)
        assert {name: value.shape for name, value in network.state_dict().items()} == {
            name: value.shape for name, value in alone.state_dict().items()
        }
        found.append(logits(accuracy, network))
        places = (found[-1].argsort(dim=1, descending=True) == labels[:, None]).int().argmax(dim=1)
        assert top1[index] == pytest.approx(100 * (places < 1).float().mean().item())
        assert top5[index] == pytest.approx(100 * (places < 5).float().mean().item())
    assert not torch.allclose(found[0], found[1])
    assert 0 < top5.sum() < 200
    assert (top1 <= top5).all()

    write_cache(FolderImages(read_folder(imagenet), 128, num_recalibration=8), tmp_path / "cache")
    fast = load(space, fast=tmp_path / "cache", batch_size=7)
    assert fast.spec == accuracy.spec
    assert torch.equal(logits(fast, fast.network(archs, 1)), found[1])
    assert fast.measure(archs, 1) == (top1[1], top5[1])


@pytest.mark.parametrize("space", SPACES)
def test_recalibration_gives_the_statistics_of_the_subset_and_is_reproducible(space: str, load: Load) -> None:
    accuracy, archs = load(space), networks(space)
    network = accuracy.network(archs)
    found = statistics(network)
    before = statistics(accuracy.supernet)
    assert all(value.abs().max() == (0 if "mean" in name else 1) for name, value in before.items())
    assert not any((value == (0 if "mean" in name else 1)).all() for name, value in found.items())
    for again in (accuracy.network(archs), load(space).network(archs)):
        assert all(torch.equal(value, found[name]) for name, value in statistics(again).items())
    other = statistics(load(space, seed=1).network(archs))
    assert not any(torch.equal(value, found[name]) for name, value in other.items())
    # The first of all, which no other comes before, by itself.
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        activations = first(normalise(accuracy.recalibration)).transpose(0, 1).flatten(1)
    bn = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    torch.testing.assert_close(bn.running_mean, activations.mean(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(bn.running_var, activations.var(dim=1, correction=0), rtol=1e-4, atol=1e-5)


def test_the_order_of_networks_changes_nothing(load: Load) -> None:
    archs = networks("pn")
    accuracy = load("pn")
    forward, backward = accuracy.evaluate(archs), accuracy.evaluate(archs[np.array([1, 0])])
    assert forward.tolist() == backward[::-1].tolist()


def test_what_it_says_of_itself(load: Load) -> None:
    accuracy = load("pn")
    info = accuracy.info
    assert (info.name, info.unit, info.higher_is_better, info.origin) == ("accuracy", "%", True, "measured")
    assert info.source == "top-1 of OFA's supernet on 12 ImageNet validation images of 4 classes at 128"
    spec = accuracy.spec
    assert (spec.space, spec.resolution, spec.precision) == ("pn", 128, "float32")
    others = [load("pn", seed=1), load("pn", resolution=132), load("pn", num_recalibration=5)]
    assert all(other.spec != spec for other in others)
    assert others[0].spec.validation == spec.validation
    assert others[0].spec.recalibration != spec.recalibration


def test_progress_of_images(load: Load) -> None:
    heard = Heard()
    load("pn", listener=heard)
    assert heard.steps == [(8, 8)]


def test_an_image_that_does_not_decode(copy: Path, load: Load) -> None:
    (copy / "val" / "n01443537" / "1.JPEG").write_bytes(b"not an image")
    accuracy = load("pn", copy)
    with pytest.warns(UserWarning, match=r"1\.JPEG: does not decode"):
        _, top5 = accuracy.evaluate_both(networks("pn"))
    assert list(accuracy.images.undecodable) == [str(copy / "val" / "n01443537" / "1.JPEG")]
    assert top5 * 11 / 100 == pytest.approx(np.round(top5 * 11 / 100)), "a share of the 11 that are left"
    with pytest.raises(DataFileError, check=coded("image-does-not-decode")):
        load("pn", copy, strict=True).evaluate(networks("pn"))


def test_what_is_refused(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path / "mine"))
    refused: list[tuple[Callable[[], object], type[Exception], str]] = [
        (partial(load, "pn", resolution=100), MetricError, "resolution 100: pn takes 128 to 256"),
        (partial(load, "pn", device="gpu"), InputError, "device='gpu': torch cannot use it here"),
        (partial(load, "pn", device="cuda:7"), InputError, "device='cuda:7': torch cannot use it here"),
        (partial(load, "pn", tmp_path), InputError, "has no folder train"),
        (partial(load, "pn", None), InputError, "no images: give ImageNet's folder"),
        (partial(load, "pn", None, fast=default_cache()), InputError, f"{tmp_path}/mine/imagenet/imagenet-r128.json"),
        (partial(load, "pn", checkpoint=None), DataFileError, f"{tmp_path}/mine/ofa/ofa_proxyless"),
        (lambda: load("pn").evaluate(networks("mbv3")), InputError, "these are networks of mbv3, and the weights"),
    ]
    for call, error, text in refused:
        with pytest.raises(error) as caught:
            call()
        assert text in str(caught.value)
        assert "\n" not in str(caught.value)
