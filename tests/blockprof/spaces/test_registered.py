"""The door of spaces: who comes in by it, and what counts as the same space."""

import pickle
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from codes import coded

import blockprof
from blockprof.foundation import registry
from blockprof.foundation.errors import InputError
from blockprof.metrics import load_reference
from blockprof.spaces import Assets, Space, load_space, registered, space_names
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
OWN = replace(PN, name="own", width_multiplier=2.0)


pytestmark = pytest.mark.usefixtures("own_spaces")


def test_the_built_in_spaces_come_first() -> None:
    blockprof.register_space(OWN)
    assert space_names()[:3] == ("mbv3", "pn", "resnet50")
    assert space_names()[-1] == "own"
    assert load_space("own") is OWN


def test_blockprofiles_spellings() -> None:
    assert [load_space(name).name for name in ("OFAPred", "ProxylessPred", "ResNet50Supernet")] == [
        "mbv3",
        "pn",
        "resnet50",
    ]


def test_another_space_of_a_name_is_refused_and_an_equal_one_is_the_same() -> None:
    with pytest.raises(InputError, match="pn", check=coded("name-taken")):
        blockprof.register_space(replace(PN, width_multiplier=1.0))
    assert blockprof.register_space(replace(PN)) is PN


def test_what_is_kept_of_a_space_is_told_by_its_definition() -> None:
    assert replace(PN, assets=Assets()).digest == PN.digest
    assert replace(PN, head_widths=(1280,)).digest != PN.digest


def test_a_package_brings_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("own", f"{__name__}:OWN", "blockprof.spaces")
    monkeypatch.setattr(EntryPoint, "load", lambda self: OWN)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == entry.group else [])
    monkeypatch.setattr(registered._SPACES, "_has_packages", False)
    assert load_space("own") is OWN


def test_an_unknown_space_names_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"pm.*mbv3.*pn.*resnet50", check=coded("unknown-space")):
        load_space("pm")


@pytest.mark.parametrize("copy", [replace(PN), pickle.loads(pickle.dumps(PN))])
def test_networks_of_a_copy_are_networks_of_the_space(copy: Space) -> None:
    archs = sample_architectures(copy, 5, np.random.default_rng(0))
    metric = load_reference(PN, "npu")
    assert copy is not PN
    np.testing.assert_array_equal(metric.evaluate(archs), load_reference(copy, "npu").evaluate(archs))
