"""Doors: what is registered, by whom, and what a broken package does."""

from importlib.metadata import EntryPoint

import pytest
from codes import coded

from blockprof.foundation import registry
from blockprof.foundation.errors import InputError
from blockprof.foundation.registry import Registry


def offered(monkeypatch: pytest.MonkeyPatch, *entries: EntryPoint) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [each for each in entries if each.group == group])


def test_things_of_packages_are_found_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    offered(
        monkeypatch,
        EntryPoint("pi", "math:pi", "blockprof.numbers"),
        EntryPoint("e", "math:e", "blockprof.constants"),
    )
    numbers: Registry[float] = Registry("number", ())
    own = object()
    numbers.register("own", own)  # type: ignore[arg-type]
    assert numbers.find("own") is own
    assert numbers.find("pi") == pytest.approx(3.14159, abs=1e-5)
    assert numbers.find("e") is None
    assert numbers.names() == ("own", "pi")


def test_built_in_modules_register_when_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch)
    imported = []
    monkeypatch.setattr(registry, "import_module", lambda name: imported.append(name))
    numbers: Registry[float] = Registry("number", ("some.module",))
    assert imported == []
    assert numbers.find("pi") is None
    assert numbers.names() == ()
    assert imported == ["some.module"]


def test_two_things_of_one_name_are_refused() -> None:
    numbers: Registry[object] = Registry("number", ())
    one = numbers.register("one", object())
    assert numbers.register("one", one) is one
    with pytest.raises(InputError, check=coded("name-taken")):
        numbers.register("one", object())


def test_a_package_that_does_not_load_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    offered(
        monkeypatch,
        EntryPoint("broken", "no_such_module:thing", "blockprof.numbers"),
        EntryPoint("pi", "math:pi", "blockprof.numbers"),
    )
    numbers: Registry[float] = Registry("number", ())
    with pytest.warns(UserWarning, match="the number 'broken' is left out: ModuleNotFoundError"):
        assert numbers.names() == ("pi",)
    assert numbers.find("pi")
