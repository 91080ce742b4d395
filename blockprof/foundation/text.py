"""Texts that are safe to show: without passwords, and without what a terminal or a page would obey."""

import re
import shlex
import sys
import unicodedata
from pathlib import Path

_HIDDEN = "***"
_PASSWORD = re.compile(r"(://[^\s/:@]*:)\S*@")
_TOKEN = re.compile(r"(https?://)[^\s/:@]+@")
_PARAMETER = re.compile(r"([?&][^\s=&]*(?:password|passwd|token|secret)[^\s=&]*=)[^\s&]+", re.IGNORECASE)
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def masked(text: str) -> str:
    """``text`` with the passwords and tokens of the addresses in it hidden: ``postgresql://me:***@host/runs``."""
    text = _PASSWORD.sub(rf"\1{_HIDDEN}@", text)
    text = _TOKEN.sub(rf"\1{_HIDDEN}@", text)
    return _PARAMETER.sub(rf"\1{_HIDDEN}", text)


def printable(text: str) -> str:
    r"""``text`` with its control characters, and those that change the direction or are not seen, as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode("ascii")


def shown(text: str) -> str:
    """``text`` of several lines with each line printable and no password."""
    return "\n".join(printable(line) for line in masked(text).split("\n"))


def command_line() -> str:
    """The command that this process was started with, as a shell takes it, without the program's folder."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
