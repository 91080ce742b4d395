"""Errors that blockprof raises on purpose, one root for all of them."""

from collections.abc import Sequence

from blockprof.foundation.text import masked, printable


class DataNote(UserWarning):
    """What was guessed of a file that was read; the command line shows it as a note."""


class BlockprofError(Exception):
    """Root of every error that blockprof raises itself. The command line ends with exit code 1.

    Its message has no password, and no control character of what it names: a message is one line.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(printable(" ".join(masked(message).split("\n"))))


class InputError(BlockprofError):
    """What the user gave is wrong: a name, an option, a file. The command line ends with exit code 2."""

    exit_code = 2


class NetStringError(InputError):
    """A text that does not describe a network of the space."""


class PlacementError(InputError):
    """A placement that the space does not have, or several that cannot hold at once."""


class DataFileError(InputError):
    """A data file that cannot be used; the message names file, row and column."""


class MetricError(InputError):
    """A metric that does not exist for the space or resolution."""


class JournalError(InputError):
    """A journal of other networks, another way to measure, or another machine; ``differences`` say which, in words."""

    def __init__(self, path: str, differences: Sequence[str]) -> None:
        super().__init__(
            f"{path}: was measured with {', '.join(differences)}: go on with the same, or give another journal (or "
            "remove this one) to start anew"
        )
        self.differences = differences


class FetchError(BlockprofError):
    """A file could not be downloaded, or what came is not what its checksum says."""


class TrackingError(BlockprofError):
    """The MLflow store cannot be reached, or does not hold what was asked."""


class ServerGoneError(TrackingError):
    """The tracking server does not answer, or is ill, and was asked as often as it is to be."""
