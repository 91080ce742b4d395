"""Errors that blockprof raises on purpose, one root for all of them: what is wrong, where, and what helps, as data.

The library's wording of an argument is ``sampler='upstream'``; the command line words the same error as
``--sampler upstream``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike

from blockprof.foundation.text import masked, printable

Value = str | int | float


class DataNote(UserWarning):
    """What was guessed of a file that was read; the command line shows it as a note."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function of blockprof, with the value that was given or would help; None where any may."""

    name: str
    value: Value | None = None

    def __str__(self) -> str:
        if self.value is None:
            return self.name
        return f"{self.name}={self.value!r}" if isinstance(self.value, str | bool) else f"{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: its path, and the row (counted from 1, the header's included) and column, where known."""

    path: str | PathLike[str]
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = [f"row {self.row}"] if self.row is not None else []
        parts += [f"column '{self.column}'"] if self.column is not None else []
        return f"{self.path}: {', '.join(parts)}" if parts else str(self.path)


class Command:
    """A command for a shell, as ``Command("blockprof fetch-data", source="note10")``; True is a flag without a value.

    Who calls the library reads it too: it is for the same folder's data and store.
    """

    def __init__(self, program: str, **options: Value) -> None:
        self.program = program
        self.options = options

    def __str__(self) -> str:
        words = [self.program]
        for name, value in self.options.items():
            words.append(f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}"))
        return f"`{' '.join(words)}`"


class Said:
    """Words with arguments among them: a template as of ``str.format``, and what stands in its braces, in order."""

    def __init__(self, template: str, *parts: object) -> None:
        self.template = template
        self.parts = parts

    def worded(self, word: Callable[[Argument], str]) -> str:
        """The text, its arguments in the words of ``word``."""
        parts = (part if isinstance(part, int | float) else _worded(part, word) for part in self.parts)
        return self.template.format(*parts)

    def __str__(self) -> str:
        return self.worded(str)


class BlockprofError(Exception):
    """Root of every error that blockprof raises itself. The command line ends with exit code 1.

    ``code`` is a short name of what is wrong, which stays as it is when its wording changes; ``what``, ``where`` and
    ``remedy`` are the parts of the message. The message has no password, and no control character of what it names: it
    is one line.
    """

    exit_code = 1
    code = "failed"

    def __init__(
        self,
        what: "str | Said | BlockprofError",
        *,
        where: object = None,
        remedy: str | Said | Command | None = None,
        code: str | None = None,
    ) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        self.code = code or (what.code if isinstance(what, BlockprofError) else type(self).code)
        super().__init__(self.worded(str))

    def worded(self, word: Callable[[Argument], str]) -> str:
        """The message, with the arguments of the api that it speaks of in the words of ``word``."""
        parts = (str(_worded(part, word)) for part in (self.where, self.what, self.remedy) if part is not None)
        return printable(" ".join(masked(": ".join(parts)).split("\n")))


class InputError(BlockprofError):
    """What the user gave is wrong: a name, an option, a file. The command line ends with exit code 2."""

    exit_code = 2
    code = "input"


class NetStringError(InputError):
    """A text that does not describe a network of the space."""

    code = "net-string"


class PlacementError(InputError):
    """A placement that the space does not have, or several that cannot hold at once."""

    code = "placement"


class DataFileError(InputError):
    """A data file that cannot be used; the message names file, row and column."""

    code = "data-file"


class MetricError(InputError):
    """A metric that does not exist for the space or resolution, or is of another one."""

    code = "metric"


class JournalError(InputError):
    """A journal of something else, or of another way to do it; ``differences`` say what differs, in words.

    ``did`` is what was done: ``measured``.
    """

    code = "other-journal"

    def __init__(self, path: str | PathLike[str], differences: Sequence[str], did: str) -> None:
        super().__init__(
            f"was {did} with {', '.join(differences)}",
            where=path,
            remedy="resume with the same, or give another journal (or remove this one) to start over",
        )
        self.differences = differences


class FetchError(BlockprofError):
    """A file could not be downloaded, or what came is not what its checksum says."""

    code = "fetch"


class TrackingError(BlockprofError):
    """The MLflow store cannot be reached, or does not hold what was asked."""

    code = "tracking"


class ServerGoneError(TrackingError):
    """The tracking server does not answer, or is ill, and was asked as often as it is to be."""

    code = "server-gone"


def _worded(part: object, word: Callable[[Argument], str]) -> object:
    if isinstance(part, Argument):
        return word(part)
    return part.worded(word) if isinstance(part, Said | BlockprofError) else part
