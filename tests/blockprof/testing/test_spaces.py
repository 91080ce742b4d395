"""The conformance suite of spaces passes blockprof's own, and finds what is wrong with others'."""

from dataclasses import replace

import pytest
from known_spaces import WITH_NARROW

from blockprof.spaces import Space, load_space, registered
from blockprof.spaces.assets import Assets, Presets
from blockprof.testing import check_space

PN = load_space("pn")
WRONG_WIDTHS = (*PN.units[:4], replace(PN.units[4], widths=(240,)), PN.units[5])


@pytest.mark.parametrize("space", WITH_NARROW.values(), ids=WITH_NARROW)
def test_spaces_of_blockprof_pass(space: Space) -> None:
    check_space(space)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            replace(PN, units=WRONG_WIDTHS),
            r"u5\.rest\..* of own takes \(248, 4\), but is described as \(240, 4\)",
        ),
        (replace(PN, assets=Assets(default_metric="npu")), "own has no npu"),
        (
            replace(PN, assets=Assets(presets=Presets("me", {"all": {"drop_kernels": [9]}}))),
            "the reduction all of own leaves out nothing",
        ),
    ],
)
def test_what_is_wrong_is_said(space: Space, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered._SPACES, "_things", dict(registered._SPACES._things))
    own = registered.register_space(replace(space, name="own"))
    with pytest.raises(AssertionError, match=said):
        check_space(own)


def test_a_space_that_is_not_registered_by_its_name() -> None:
    with pytest.raises(AssertionError, match="another space is registered as pn"):
        check_space(replace(PN, width_multiplier=1.0))
