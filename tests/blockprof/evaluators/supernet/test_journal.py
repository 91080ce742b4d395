"""The journal of evaluations: kept line by line, resumed, refused where other things were evaluated."""

import json
from pathlib import Path

import pytest
from codes import coded

from blockprof.evaluators.supernet.journal import Accuracy, open_accuracies, read_accuracies
from blockprof.foundation.errors import BlockprofError, DataFileError, InputError, JournalError
from blockprof.foundation.journal_lines import encode

SETTINGS = {"space": "pn", "resolution": 128, "weights": "a" * 64, "precision": "float32", "seed": 0}
ONE, TWO = Accuracy(70.5, 90.25), Accuracy(200 / 3, 100.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = tmp_path / "accuracy" / "pn.journal"
    with open_accuracies(journal, SETTINGS) as accuracies:
        accuracies.add("one", ONE)
        accuracies.add("two", TWO)
    return journal


def test_what_was_added_is_there(path: Path) -> None:
    assert read_accuracies(path, SETTINGS) == {"one": ONE, "two": TWO}
    before = path.read_bytes()
    with open_accuracies(path, SETTINGS) as accuracies:
        assert accuracies.of_networks == {"one": ONE, "two": TWO}
        accuracies.add("three", ONE)
        assert path.read_bytes().startswith(before), "on disk at once"
        assert list(read_accuracies(path, SETTINGS)) == ["one", "two", "three"]


def test_every_cut_is_gone_on_from(path: Path) -> None:
    """Whatever of the file a kill leaves: whole lines count, the rest is dropped."""
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        whole = max(content[:end].count(b"\n") - 1, 0)
        assert len(read_accuracies(path, SETTINGS)) == whole
        with open_accuracies(path, SETTINGS) as accuracies:
            assert len(accuracies.of_networks) == whole
            accuracies.add("three", ONE)
        assert list(read_accuracies(path, SETTINGS)) == [*["one", "two"][:whole], "three"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"resolution": 160}, "resolution 128 (now 160)"),
        ({"weights": "b" * 64}, "weights aaaaaaaa... (now bbbbbbbb...)"),
        ({"precision": "autocast", "seed": 1}, "precision float32 (now autocast), seed 0 (now 1)"),
        ({"more": "x"}, "more None (now x)"),
    ],
)
def test_other_settings_are_refused(changed: dict[str, str | int], said: str, path: Path) -> None:
    before = path.read_bytes()
    for attempt in (read_accuracies, lambda *given: open_accuracies(*given).__enter__()):
        with pytest.raises(JournalError) as caught:
            attempt(path, {**SETTINGS, **changed})
        assert said in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"a list of things", b"{}\n", b"[]\n", b'{"format": "blockprof journal 1"}\n'])
def test_other_files_are_refused_and_left(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with (
        pytest.raises(DataFileError, check=coded("not-a-journal")),
        open_accuracies(path, SETTINGS),
    ):
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"net": "two", "top1": 1.0, "top5": 2.0}', "row 4: repeats a network"),
        ('{"net": "four", "top1": 3.0, "top5": 2.0}', "row 4: is damaged"),
        ('{"net": "four", "top1": NaN, "top5": 2.0}', "row 4: is damaged"),
        ('{"net": 4, "top1": 1.0, "top5": 2.0}', "row 4: is damaged"),
        ('{"net": "four"}', "row 4: is damaged"),
        ("[]", "row 4: is damaged"),
        ("{", "row 4: is damaged"),
    ],
)
def test_damaged_lines_are_named(line: str, said: str, path: Path) -> None:
    if line.endswith("}"):
        line = encode(json.loads(line)).decode().strip()
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataFileError) as caught:
        read_accuracies(path, SETTINGS)
    assert said in str(caught.value)


def test_one_process_at_a_time(path: Path) -> None:
    before = path.read_bytes()
    with open_accuracies(path, SETTINGS):
        with pytest.raises(BlockprofError, check=coded("journal-in-use")), open_accuracies(path, SETTINGS):
            pass
        assert len(read_accuracies(path, SETTINGS)) == 2, "reading takes no lock"
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, check=coded("journal-unusable")), open_accuracies(tmp_path / "file" / "x", SETTINGS):
        pass
    with pytest.raises(InputError, check=coded("journal-not-a-file")), open_accuracies(tmp_path, SETTINGS):
        pass


def test_a_line_is_json(path: Path) -> None:
    header, first, _ = path.read_text().splitlines()
    known = json.loads(header)
    del known["crc"]
    assert known == {"format": "blockprof journal 2", "kind": "accuracies", **SETTINGS}
    row = json.loads(first)
    del row["crc"]
    assert row == {"net": "one", "top1": 70.5, "top5": 90.25}


def test_a_journal_of_format_1_is_resumed(path: Path) -> None:
    lines = [json.dumps({"format": "blockprof accuracies 1", **SETTINGS}), '{"net":"one","top1":70.5,"top5":90.25}']
    path.write_text("\n".join(lines) + '\n{"net":"cut o')
    with open_accuracies(path, SETTINGS) as accuracies:
        assert accuracies.of_networks == {"one": ONE}
        accuracies.add("two", TWO)
    assert read_accuracies(path, SETTINGS) == {"one": ONE, "two": TWO}
