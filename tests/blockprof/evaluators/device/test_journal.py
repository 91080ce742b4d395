import dataclasses
import json
from zlib import crc32

import numpy as np
import pytest
from codes import coded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blockprof.evaluators.device import MeasureSpec, read_environment
from blockprof.evaluators.device.journal import open_journal, read_journal, read_sizes
from blockprof.evaluators.device.records import Subject, Visit
from blockprof.evaluators.device.timing import Timing
from blockprof.evaluators.runtimes import find_runtime
from blockprof.foundation.errors import DataFileError, InputError

SPEC = MeasureSpec(rounds=2, min_runs=6)
HERE = read_environment(find_runtime("onnxruntime"))
SUBJECT = Subject(("a", "b"), SPEC, HERE.machine)


def visit(network, number, anchor=False):
    times_ns = np.array([10_000_000, 12_345_678, 11_000_000, 10_000_001, 10_000_002, 9_999_999])
    return Visit(network, number, anchor, 1.7e9 + 0.25, Timing(times_ns, times_ns // 10, 12))


VISITS = [visit(0, 1, anchor=True), visit(1, 1), visit(0, 1), visit(0, 2, anchor=True), visit(0, 2)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "journal.jsonl"
    with open_journal(path, SUBJECT) as journal:
        journal.add_environment(HERE)
        for each in VISITS:
            journal.add_visit(each)
    return path


def contents(visits):
    return [
        json.dumps(dataclasses.asdict(each), default=lambda times: times.tolist(), sort_keys=True) for each in visits
    ]


def test_what_is_written_is_read(path):
    with open_journal(path, SUBJECT) as journal:
        assert contents(journal.visits) == contents(VISITS)
        assert journal.environments == [HERE]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cut_anywhere_it_goes_on_after_the_last_whole_line(path, data):
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    copy = path.with_name("cut.jsonl")
    copy.write_bytes(content[:cut])
    kept = max(content[:cut].count(b"\n") - 2, 0)
    with open_journal(copy, SUBJECT) as journal:
        assert contents(journal.visits) == contents(VISITS[:kept])
        for each in VISITS[kept:]:
            journal.add_visit(each)
    lines = copy.read_bytes().splitlines()
    assert lines[0] == content.splitlines()[0]
    assert lines[-len(VISITS) :] == content.splitlines()[-len(VISITS) :]
    with open_journal(copy, SUBJECT) as journal:
        assert contents(journal.visits) == contents(VISITS)


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (Subject(("a", "b"), MeasureSpec(rounds=2, min_runs=6, threads=2), HERE.machine), r"threads 1 \(now 2\):"),
        (
            Subject(("a", "b"), MeasureSpec(rounds=3, width=0.02, min_runs=6), HERE.machine),
            r"rounds 2 \(now 3\), width 0.05 \(now 0.02\):",
        ),
        (Subject(("a",), SPEC, HERE.machine), r"number of networks 2 \(now 1\):"),
        (Subject(("a", "c", "b"), SPEC, HERE.machine), "with other networks, or another order of them:"),
        (Subject(("a", "c"), SPEC, HERE.machine), "with other networks, or another order of them:"),
        (Subject(("b", "a"), SPEC, HERE.machine), "with other networks, or another order of them:"),
        (
            Subject(("a", "b"), SPEC, dataclasses.replace(HERE.machine, cpu="abacus")),
            r"with cpu .* \(now abacus\): resume with the same, or give another journal \(or remove this one\)",
        ),
    ],
)
def test_a_journal_of_something_else_is_refused_and_left_alone(path, subject, message):
    before = path.read_bytes()
    with pytest.raises(InputError, match=message) as caught, open_journal(path, subject):
        pass
    assert str(caught.value).startswith(f"{path}: was measured with ")
    assert path.read_bytes() == before


def signed(line):
    """A line with the checksum that it should have."""
    body = line.split(b',"crc"')[0].removesuffix(b"}" if b',"crc"' not in line else b"")
    return b'%s,"crc":"%08x"}' % (body, crc32(body))


def changed(line, **values):
    content = json.loads(line)
    del content["crc"]
    content["visit"] |= values
    return signed(json.dumps(content).encode())


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: b"",
        lambda line: b"\0" * len(line),
        lambda line: line[:40],
        lambda line: line.replace(b"10000000", b"1000\xff000"),
        lambda line: b"[1, 2]",
        lambda line: b"7",
        lambda line: line[:-1],
        lambda line: b'{"visit":' + line[9:].split(b',"crc"')[0] + b"}",
        lambda line: signed(b'{"visit": 7}'),
        lambda line: signed(b'{"environment": {"machine": {}}}'),
        lambda line: changed(line, network=2),
        lambda line: changed(line, network=-1),
        lambda line: changed(line, round=3),
        lambda line: changed(line, times_ns=[5] * 5, waits_ns=[0] * 5),
        lambda line: changed(line, times_ns=[1.5, 2, 3, 4, 5, 6]),
        lambda line: changed(line, times_ns=["a"] * 6),
        lambda line: changed(line, times_ns=[5, -6, 7, 8, 9, 10]),
        lambda line: changed(line, waits_ns=[0, 0]),
        lambda line: changed(line, waits_ns=[0, 0, 0, 0, 0, 10**12]),
        lambda line: changed(line, started_s="noon"),
    ],
)
def test_a_damaged_row_is_named_and_nothing_changed(path, damage):
    lines = path.read_bytes().splitlines()
    lines[4] = damage(lines[4])
    content = b"\n".join(lines) + b"\n"
    path.write_bytes(content)
    message = "row 5: is damaged: remove the row and run again"
    with pytest.raises(DataFileError, match=message), open_journal(path, SUBJECT):
        pass
    assert path.read_bytes() == content


def test_a_visit_that_is_there_twice(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[3]]))
    with pytest.raises(DataFileError, match="8", check=coded("damaged-journal")), open_journal(path, SUBJECT):
        pass


def test_a_removed_row_is_only_that_visit_less(path):
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[4]
    path.write_bytes(b"".join(lines))
    with open_journal(path, SUBJECT) as journal:
        assert contents(journal.visits) == contents(VISITS[:2] + VISITS[3:])


LARGER = dataclasses.replace(SUBJECT, names=("a", "b", "c"))
ALL = [*VISITS, visit(1, 2), visit(0, 2, anchor=True)]
MORE = [visit(0, 1, anchor=True), visit(2, 1), visit(2, 2), visit(0, 2, anchor=True)]


def add(path, subject, visits):
    with open_journal(path, subject) as journal:
        for each in visits:
            journal.add_visit(each)
    return path


@pytest.fixture
def extended(tmp_path):
    """A journal of two networks that is finished, then extended by a third."""
    path = add(tmp_path / "journal.jsonl", SUBJECT, ALL)
    content = path.read_bytes()
    assert read_journal(path, LARGER).finished_at == (len(ALL),)
    assert path.read_bytes() == content
    add(path, LARGER, MORE)
    assert path.read_bytes().startswith(content)
    return path


def test_an_extension_is_read_with_where_it_began(extended):
    found = read_journal(extended, LARGER)
    assert contents(found.visits) == contents([*ALL, *MORE])
    assert (found.sizes, found.finished_at) == ((2, 3), (len(ALL),))
    assert read_sizes(extended) == (2, 3)
    largest = dataclasses.replace(SUBJECT, names=("a", "b", "c", "d"))
    assert read_journal(extended, largest).finished_at == (len(ALL), len(ALL) + len(MORE))
    with open_journal(extended, LARGER) as journal:  # once is enough
        assert journal.finished_at == (len(ALL),)
    assert read_sizes(extended) == (2, 3)


def test_what_was_not_finished_is_extended_as_one(path):
    with open_journal(path, LARGER) as journal:
        assert journal.finished_at == ()
    assert read_sizes(path) == (2, 3)
    add(path, LARGER, [visit(1, 2), visit(0, 2, anchor=True), *MORE])
    assert read_journal(path, LARGER).finished_at == ()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_extension_cut_anywhere_goes_on_after_the_last_whole_line(extended, data):
    content = extended.read_bytes()
    cut = data.draw(st.integers(content.index(b'{"extended"'), len(content)))
    copy = extended.with_name("cut.jsonl")
    copy.write_bytes(content[:cut])
    kept = len(read_journal(copy, LARGER).visits)
    add(copy, LARGER, [*ALL, *MORE][kept:])
    assert copy.read_bytes() == content


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "d"), ("a", "c", "b"), ("a", "b", "d", "c")])
def test_an_extension_of_other_networks_or_more_is_refused_and_left_alone(extended, names):
    before = extended.read_bytes()
    message = f"number of networks 3 .now {len(names)}.:" if len(names) < 3 else "with other networks"
    with (
        pytest.raises(InputError, match=message),
        open_journal(extended, dataclasses.replace(SUBJECT, names=names)),
    ):
        pass
    assert extended.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (signed(b'{"extended":7}'), "the row and all after it"),
        (signed(b'{"extended":{"networks":"x","num_networks":2}}'), "the row and all after it"),
        (signed(b'{"extended":{"networks":"x","num_networks":"3"}}'), "the row and all after it"),
        (b"{", "the row"),
    ],
)
def test_a_damaged_extension_is_named(extended, line, what):
    lines = extended.read_bytes().splitlines()
    number = next(row for row, each in enumerate(lines, start=1) if each.startswith(b'{"extended"'))
    lines[number - 1] = line
    extended.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(DataFileError, match=f"row {number}: is damaged: remove {what} and run again"):
        read_journal(extended, SUBJECT if line == b"{" else LARGER)


def test_a_network_is_not_there_before_it_is_added(extended):
    lines = extended.read_bytes().splitlines(keepends=True)
    extended.write_bytes(b"".join(line for line in lines if not line.startswith(b'{"extended"')))
    row = next(row for row, line in enumerate(lines) if b'"network":2' in line)
    with pytest.raises(DataFileError, match=f"row {row}: is damaged"):
        read_journal(extended, LARGER)


@pytest.mark.parametrize(
    "content", [b"net_id,net_str\n0,mbconv\n", b"no line", b"\n", b"{}\n", b'{"format": "x"}\n', b"[]\n"]
)
def test_another_file_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match="other", check=coded("not-a-journal")), open_journal(path, SUBJECT):
        pass
    assert path.read_bytes() == content


def test_places_that_cannot_hold_a_journal(tmp_path):
    with pytest.raises(InputError, check=coded("journal-not-a-file")), open_journal(tmp_path, SUBJECT):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, check=coded("journal-unusable")),
        open_journal(tmp_path / "file" / "journal", SUBJECT),
    ):
        pass


@pytest.mark.parametrize("number", [0, -1, 10**16, 10**19, "1e400", "true", '"5"', "NaN"])
def test_times_that_no_clock_gives(path, number):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = signed(lines[3].replace(b"10000000", str(number).encode(), 1)) + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(DataFileError, match="4", check=coded("damaged-journal")):
        read_journal(path, SUBJECT)


def test_journals_of_format_1_are_read_and_resumed(path):
    """As they were written before lines had checksums."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        del line["crc"]
    del lines[0]["kind"], lines[0]["space"]
    lines[0]["format"] = "blockprof journal 1"
    old = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    path.write_bytes(old)
    with open_journal(path, SUBJECT) as journal:
        assert contents(journal.visits) == contents(VISITS)
        journal.add_visit(visit(1, 2))
    assert path.read_bytes().startswith(old)
    assert contents(read_journal(path, SUBJECT).visits) == contents([*VISITS, visit(1, 2)])
