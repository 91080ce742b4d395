"""``blockprof cache-imagenet``: what it writes and says, and what it refuses."""

import shutil
from pathlib import Path

import pytest

from blockprof.evaluators.supernet.cache import default_cache, open_cache

pytestmark = pytest.mark.filterwarnings("ignore:.* class folders are not ImageNet's", "ignore:.* all are taken")


def test_the_files_are_where_profile_looks(cli, folder: Path, imagenet: Path) -> None:
    outcome = cli("cache-imagenet", "--data", imagenet, "--resolution", "128")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == (
        "wrote blockprof-data/imagenet/imagenet-r128.images.uint8\n"
        "wrote blockprof-data/imagenet/imagenet-r128.json\n"
        "12 validation images of 4 classes, 24 to recalibrate with, at 128\n"
    )
    assert outcome.stderr == ""
    files = [path.name for path in (folder / "blockprof-data" / "imagenet").iterdir()]
    assert sorted(files) == ["imagenet-r128.images.uint8", "imagenet-r128.json"]
    assert open_cache(folder / "blockprof-data" / "imagenet", 128, 0, 2000).num_images == 12
    assert [path.name for path in folder.iterdir()] == ["blockprof-data"], "nothing is logged"


def test_an_image_that_does_not_decode(cli, process, folder: Path, imagenet: Path, tmp_path_factory) -> None:
    copy = Path(shutil.copytree(imagenet, tmp_path_factory.mktemp("bad") / "imagenet"))
    bad = copy / "val" / "n01443537" / "1.JPEG"
    bad.write_bytes(bad.read_bytes()[:-200])
    arguments = ("cache-imagenet", "--data", copy, "--resolution", "128")
    cache = folder / "blockprof-data" / "imagenet"
    strict = cli(*arguments, "--strict")
    assert strict.returncode == 2
    assert f"error: {bad}: does not decode (image file is truncated" in strict.stderr
    assert not list(folder.iterdir())
    started = process(*map(str, arguments), "--workers", "1", "--seed", "3")
    out, err = started.communicate(timeout=120)
    assert started.returncode == 0, err
    assert "11 validation images of 4 classes, 24 to recalibrate with, at 128" in out
    small, left_out, all_taken, note, after = err.splitlines()
    assert small.startswith(f"warning: {copy}: its 4 class folders are not ImageNet's 1,000 (n01440764, ...): labels")
    assert left_out.startswith(f"warning: {bad}: does not decode (image file is truncated")
    assert left_out.endswith(": left out")
    assert all_taken.startswith(f"warning: {copy}: train holds 24 images, not the 2,000")
    facts = "blockprof-data/imagenet/imagenet-r128.json"
    assert note == f"note: images left out that do not decode: 1; {facts} names them"
    assert after.startswith("next: blockprof profile ")
    assert open_cache(cache, 128, 3, 2000).undecodable.keys() == {str(bad)}


def test_it_goes_into_the_data_folder_where_profile_looks_too(
    cli, folder: Path, imagenet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", "big")
    outcome = cli("cache-imagenet", "--data", imagenet, "--resolution", "128")
    assert outcome.returncode == 0, outcome.stderr
    assert default_cache() == Path("big/imagenet")
    assert open_cache(default_cache(), 128, 0, 2000).num_images == 12
    assert "No such option: --out" in cli("cache-imagenet", "--data", imagenet, "--out", "x").stderr


def test_what_is_refused(refused, folder: Path, imagenet: Path) -> None:
    message = refused("cache-imagenet", "--data", imagenet, "--resolution", "130")
    assert message.startswith("resolution 130: networks take 128 to 256 in steps of 4")
    assert "nosuch: has no folder train: expected train/<class>/*.JPEG" in refused("cache-imagenet", "--data", "nosuch")
    assert "Missing option '--data'" in refused("cache-imagenet")
