"""What is shown has no password, and nothing that a terminal obeys."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockprof.foundation.errors import BlockprofError, DataFileError
from blockprof.foundation.text import masked, printable, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("asking postgresql://u:p@localhost/x failed", "asking postgresql://u:***@localhost/x failed"),
        ("mysql+pymysql://u:p@ss:w/rd@host/x", "mysql+pymysql://u:***@host/x"),
        ("https://me:t0ken@host:5000 refuses", "https://me:***@host:5000 refuses"),
        ("https://t0ken@host/", "https://***@host/"),
        ("redis://:p@host", "redis://:***@host"),
        ("mssql://h/x?user=u&password=p&trusted=1", "mssql://h/x?user=u&password=***&trusted=1"),
        ("postgresql://h/x?sslpassword=p", "postgresql://h/x?sslpassword=***"),
        ("http://127.0.0.1:5000 does not answer", "http://127.0.0.1:5000 does not answer"),
        ("models:/blockprof-pn-npu@champion", "models:/blockprof-pn-npu@champion"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("sqlite:////home/me/my.db", "sqlite:////home/me/my.db"),
    ],
)
def test_passwords_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_control_characters_are_escaped() -> None:
    assert printable("a\x1b[31mb\x07\r\n\t") == r"a\x1b[31mb\x07\r\n\t"
    assert printable("\x9b2J \u202ecod.exe \u2028 \ud800") == r"\x9b2J \u202ecod.exe \u2028 \ud800"
    assert printable("Ünï, 日本 µs ±1 ") == "Ünï, 日本 µs ±1 "


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for line in shown(text).split("\n"):
        assert {unicodedata.category(character) for character in line}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


def test_each_error_is_one_line_without_either() -> None:
    message = "a\x1b[2J.csv: bad\nhttps://u:p@h"
    for kind in (BlockprofError, DataFileError):
        assert str(kind(message)) == r"a\x1b[2J.csv: bad https://u:***@h"
