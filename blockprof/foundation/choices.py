"""Names that are one of a few."""

from collections.abc import Iterable
from typing import TypeVar

from blockprof.foundation.errors import InputError

Name = TypeVar("Name", bound=str)


def check_choice(name: str, what: str, choices: Iterable[Name]) -> Name:
    """Return ``name`` as one of ``choices``; ``what`` says in the message what they are.

    Raises:
        InputError: it is none of them.
    """
    known = tuple(choices)
    for choice in known:
        if name == choice:
            return choice
    raise InputError(f"unknown {what} '{name}'", remedy=f"there are {', '.join(known)}", code="unknown-name")
