"""YAML that the user gave, read as plain data: what it cannot be, or may not do to the reader, is an error of ours."""

from pathlib import Path
from typing import Any

import yaml

from blockprof.foundation.decoding import MALFORMED
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.files import read_file

MAX_DEPTH = 50
"""Of lists in lists. libyaml's composer calls itself for each, and ends the process where it runs out of stack."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, which reads a look-up table ten times faster than the one in Python."""


def parse_yaml(text: str) -> Any:
    """Return what ``text`` holds: numbers, texts, dates, lists and dictionaries.

    Raises:
        InputError: it is no YAML, has a value that is none of its type, or is nested too deep.
    """
    try:
        _check_depth(text)
        # Safe with a safe loader.
        return yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise InputError(f"is not YAML: {' '.join(str(error).split())}", code="not-yaml") from None
    # What the constructors of dates, numbers and the like run into where a value is none.
    except (RecursionError, *MALFORMED) as error:
        raise InputError(f"is not YAML that can be read: {' '.join(str(error).split())}", code="not-yaml") from None


def read_yaml(path: Path) -> Any:
    """Return what a file holds, as :func:`parse_yaml`.

    Raises:
        DataFileError: there is no such file, or it is no text, or as for :func:`parse_yaml`.
    """
    try:
        return parse_yaml(read_file(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DataFileError("is no text", where=path, remedy="write YAML in UTF-8", code="not-utf-8") from None
    except DataFileError:
        raise
    except InputError as error:
        raise DataFileError(error, where=path) from None


def repeated_key(text: str) -> str | None:
    """The first key that is twice in one dictionary of YAML that can be read: its last value would count, unsaid."""
    waiting, seen = [yaml.compose(text, Loader=_LOADER)], set()
    while waiting:
        node = waiting.pop(0)
        # By its anchor a dictionary may hold itself.
        if not isinstance(node, yaml.MappingNode) or id(node) in seen:
            continue
        seen.add(id(node))
        keys = [str(key.value) for key, _ in node.value]
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            return repeated
        waiting += [value for _, value in node.value]
    return None


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InputError(f"is nested more than {MAX_DEPTH} deep", code="nested-too-deep")
