"""A board: where it is."""

import re
from dataclasses import dataclass

from blockprof.foundation.errors import Argument, InputError

_ADDRESS = re.compile(
    r"(?:(?P<user>[^@:\s]+)@)?(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.%]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_NUMERIC = re.compile(r"[0-9.]+|\[.*\]")
DEFAULT_PYTHON = "python3"


@dataclass(frozen=True, slots=True)
class Board:
    """A machine that ssh reaches, and its Python.

    ``host`` may be a name of ``~/.ssh/config``; what is None is as that says. ``python`` is its interpreter, 3.11 or
    later, with numpy and the run-time: a name or path there.
    """

    host: str
    user: str | None = None
    port: int | None = None
    python: str = DEFAULT_PYTHON

    @property
    def address(self) -> str:
        """As ssh takes it: ``user@host``, with the port where it was given."""
        named = f"{self.user}@{self.host}" if self.user else self.host
        return f"-p {self.port} {named}" if self.port else named

    @property
    def name(self) -> str:
        """What messages and metrics call it: ``pi`` of ``user@pi.lan``, an address in numbers as it is."""
        return self.host.strip("[]").replace(":", "-") if _NUMERIC.fullmatch(self.host) else self.host.split(".")[0]


def parse_board(text: str, python: str = DEFAULT_PYTHON) -> Board:
    """Read ``[user@]host[:port]``.

    Raises:
        InputError: it is something else, or has a password, which is never shown.
    """
    if found := _ADDRESS.fullmatch(text):
        port = int(found["port"]) if found["port"] else None
        if port is None or 0 < port < 65_536:
            return Board(found["host"], found["user"], port, python)
    if re.match(r"[^@]*:[^@]*@", text):
        raise InputError(
            "a password is not taken", where=Argument("host"), remedy="let the board know your key: `ssh-copy-id`"
        )
    raise InputError("is no address", where=Argument("host", text), remedy="write user@board, or user@board:2222")
