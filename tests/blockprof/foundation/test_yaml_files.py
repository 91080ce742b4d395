"""YAML read as plain data: whatever it holds, an error is one of ours."""

from pathlib import Path

import pytest
from codes import coded

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.yaml_files import parse_yaml, read_yaml, repeated_key


@pytest.mark.parametrize(
    "text",
    ["a: [1", "!!timestamp foo", "2026-13-45", "2001-01-01T00:00:00+99:99", "!!int ''", "!!float x", "!!bool x",
     "!!binary x", "? [a]\n: b", "&a {*a : b}", "1" * 5000, "!!python/object:os.system x", "<<: 3", "\t", "a: \x00"],
)  # fmt: skip
def test_what_is_no_yaml(text: str) -> None:
    with pytest.raises(InputError, check=coded("not-yaml")):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["[" * 1_000_000, "{a: " * 100_000, "- " * 100_000])
def test_deep_nesting_does_not_end_the_process(text: str) -> None:
    with pytest.raises(InputError, match="50", check=coded("nested-too-deep")):
        parse_yaml(text)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: {b: 1.5}")
    assert read_yaml(path) == {"a": {"b": 1.5}}
    for content, said in ((b"\xff\xfe", "is no text"), (b"a: [1", "is not YAML: ")):
        path.write_bytes(content)
        with pytest.raises(DataFileError, match=f"^{path}: {said}"):
            read_yaml(path)


def test_repeated_keys() -> None:
    assert repeated_key("a: {b: 1, c: 2}") is None
    assert repeated_key("a: {b: 1, b: 2}") == "b"
    assert repeated_key("&x {a: *x}") is None
