"""What the layers of a space may hold, where it names operators: its blocks, its stem and its head, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = int | float | str | bool
Settings = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """A block: an operator with its settings, which ``block["kernel"]`` reads.

    ``operator`` is empty where each unit says its own. ``token`` is its name in net strings, behind its operator's.
    """

    name: str
    operator: str
    settings: Settings
    token: str

    def __getitem__(self, key: str) -> Value:
        return dict(self.settings)[key]

    def get(self, key: str, default: Value) -> Value:
        """The setting of that name; ``default`` where there is none."""
        return dict(self.settings).get(key, default)

    def with_settings(self, settings: Settings) -> "Operation":
        """The same with further settings, its own first."""
        return Operation(self.name, self.operator, tuple((dict(settings) | dict(self.settings)).items()), self.token)


@dataclass(frozen=True, slots=True)
class Part:
    """A fixed module of a stem or head: an operator, the channels that it gives, and its stride."""

    operation: Operation
    channels: int
    stride: int


@dataclass(frozen=True, slots=True)
class UnitOperator:
    """What all layers of a unit have in common: the operator, where blocks do not say theirs, and settings."""

    operator: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """What tells blocks apart: a setting's name, its short name, and the values that there are."""

    setting: str
    short: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Layers:
    """The blocks of a space by operators.

    Attributes:
        blocks: in order of their state, which all layers of a unit share: of its width, or of choices made once a unit.
        states: the names of states, one where layers share nothing.
        choices: of which blocks are all combinations, the first slowest; none where blocks are listed by name.
        units: what each unit's layers have in common.
        stem, head: their modules in order.
        code: by name, the user's operators, each a function: ``file.py:function`` or ``package.module:function``.
        digest: of these functions' files, wherever they lie; it tells spaces apart, ``code`` does not.
    """

    blocks: tuple[Operation, ...]
    states: tuple[str, ...]
    choices: tuple[Choice, ...]
    units: tuple[UnitOperator, ...]
    stem: tuple[Part, ...]
    head: tuple[Part, ...]
    code: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    digest: str = ""

    @property
    def functions(self) -> Mapping[str, str]:
        """Where the operators of the user's are."""
        return dict(self.code)
