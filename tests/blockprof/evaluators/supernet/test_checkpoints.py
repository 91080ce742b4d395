"""The weights of supernets, as OFA saves them, and what is refused."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from known_spaces import SPACES, WITH_NARROW
from torch import Tensor

from blockprof.evaluators.supernet import checkpoint_path, load_supernet
from blockprof.foundation.errors import DataFileError
from blockprof.networks.modules import build_supernet, new_supernet
from blockprof.spaces import load_space


def weights_in(path: Path) -> dict[str, Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def save(weights: dict[str, Tensor], path: Path) -> Path:
    torch.save({"state_dict": weights}, path)
    return path


def are_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def refusal(space: str, path: Path | None) -> str:
    with pytest.raises(DataFileError) as caught:
        load_supernet(load_space(space), path)
    message = str(caught.value)
    assert "\n" not in message
    assert "weights_only" not in message, "no advice to run code"
    assert f"blockprof fetch-data --source ofa-supernets --space {space}" in message
    return message


@pytest.mark.parametrize("space", SPACES)
def test_every_weight_is_the_files_as_ofa_loads_it(space: str, supernet_weights) -> None:
    path = supernet_weights(space)
    expected = new_supernet(load_space(space))
    expected.load_state_dict(weights_in(path))
    found = load_supernet(load_space(space), path)
    assert are_equal(found.state_dict(), expected.state_dict())
    assert not found.training
    assert not are_equal(build_supernet(load_space(space)).state_dict(), found.state_dict()), "the shared one has none"


def test_names_of_older_versions_mean_what_ofa_says(supernet_weights, tmp_path: Path) -> None:
    older = {
        name.replace(".conv.depth_conv.", ".mobile_inverted_conv.depth_conv.")
        .replace(".bn.bn.", ".bn.")
        .replace(".conv.conv.weight", ".conv.weight"): weight
        for name, weight in weights_in(supernet_weights("mbv3")).items()
    }
    expected = new_supernet(load_space("mbv3"))
    assert not older.keys() <= expected.state_dict().keys()
    expected.load_state_dict(older)
    found = load_supernet(load_space("mbv3"), save(older, tmp_path / "older"))
    assert are_equal(found.state_dict(), expected.state_dict())


def test_torchs_older_file_format_and_no_batch_counts(supernet_weights, tmp_path: Path) -> None:
    weights = weights_in(supernet_weights("pn"))
    kept = {name: weight for name, weight in weights.items() if not name.endswith("num_batches_tracked")}
    assert len(kept) < len(weights)
    torch.save({"state_dict": kept}, tmp_path / "old", _use_new_zipfile_serialization=False)
    assert are_equal(load_supernet(load_space("pn"), tmp_path / "old").state_dict(), weights)


def test_the_place_is_where_fetch_data_puts_it(supernet_weights, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    names = {space.name: checkpoint_path(space).relative_to(tmp_path).as_posix() for space in WITH_NARROW.values()}
    assert names == {
        "mbv3": "ofa/ofa_mbv3_d234_e346_k357_w1.2",
        "pn": "ofa/ofa_proxyless_d234_e346_k357_w1.3",
        "resnet50": "ofa/ofa_resnet50_d0-1-2_e0.2-0.25-0.35_w0.65-0.8-1.0",
        "mbv3-w1.0": "ofa/mbv3-w1.0",
    }
    assert refusal("pn", None).startswith(f"{tmp_path / names['pn']}: there is no such file: get the weights with")
    (tmp_path / "ofa").mkdir()
    os.link(supernet_weights("pn"), tmp_path / names["pn"])
    assert are_equal(load_supernet(load_space("pn")).state_dict(), weights_in(supernet_weights("pn")))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no such file: check the path, or get" in refusal("mbv3", tmp_path / "nosuch")


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
def test_code_in_a_file_does_not_run(form: str, supernet_weights, tmp_path: Path) -> None:
    evidence, path = tmp_path / "ran", tmp_path / "weights"
    content = {"state_dict": weights_in(supernet_weights("pn")), "optimizer": Touch(evidence)}
    if form == "pickle":
        path.write_bytes(pickle.dumps({"state_dict": Touch(evidence)}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    assert f"{path}: holds code (posix.mkdir), which was not run, not numbers only: get" in refusal("pn", path)
    assert not evidence.exists()


def test_code_in_a_pickle_of_todays_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(pickle.dumps({"state_dict": Touch(tmp_path / "ran")}))
    assert "is not a file that torch saved" in refusal("pn", tmp_path / "weights")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("weights_of", "loaded_as"), [("mbv3", "pn"), ("pn", "mbv3"), ("pn", "resnet50"), ("resnet50", "mbv3")]
)
def test_weights_of_another_network(weights_of: str, loaded_as: str, supernet_weights) -> None:
    message = refusal(loaded_as, supernet_weights(weights_of))
    assert f"is not of {loaded_as}'s supernet: it has no " in message
    assert "; has besides " in message
    assert " more" in message
    assert len(message) < 900


def test_weights_of_another_width(supernet_weights, tmp_path: Path) -> None:
    weights = weights_in(supernet_weights("pn"))
    weights["first_conv.conv.weight"] = weights["first_conv.conv.weight"][:32]
    message = refusal("pn", save(weights, tmp_path / "narrow"))
    assert "is not of pn's supernet: it differs in first_conv.conv.weight (32, 3, 3, 3), not (40, 3, 3, 3): " in message


def test_a_weight_that_is_missing_is_not_made_up(supernet_weights, tmp_path: Path) -> None:
    weights = weights_in(supernet_weights("mbv3"))
    del weights["blocks.0.conv.depth_conv.bn.running_var"]
    message = refusal("mbv3", save(weights, tmp_path / "less"))
    assert "supernet: it has no blocks.0.conv.depth_conv.bn.running_var: " in message


def test_weights_that_are_not_finite(supernet_weights, tmp_path: Path) -> None:
    weights = weights_in(supernet_weights("pn"))
    weights["first_conv.bn.weight"] = weights["first_conv.bn.weight"] / 0 * 0
    assert "holds weights that are not finite, in first_conv.bn.weight" in refusal(
        "pn", save(weights, tmp_path / "nan")
    )


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_is_cut_off(share: float, zipped: bool, supernet_weights, tmp_path: Path) -> None:
    whole, path = tmp_path / "whole", tmp_path / "part"
    torch.save({"state_dict": weights_in(supernet_weights("pn"))}, whole, _use_new_zipfile_serialization=zipped)
    content = whole.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "a file that torch saved" in refusal("pn", path)


@pytest.mark.parametrize("content", [[1, 2], {"weights": 3}, {"state_dict": [1]}, {"state_dict": {"first": 1}}])
def test_other_things_than_weights(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "other")
    assert "holds no weights under 'state_dict', as OFA saves them" in refusal("pn", tmp_path / "other")


def test_a_page_in_place_of_the_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<!DOCTYPE html><html>too many visitors</html>")
    assert "is not a file that torch saved" in refusal("pn", tmp_path / "page")
    assert "not a file that torch saved" in refusal("pn", tmp_path)
