"""How results show themselves in a notebook, where what draws them is not to be imported by what computes them."""

from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import pandas as pd

_DRAWS = "blockprof.output.plotting"


class Picture(Protocol):
    """What matplotlib's ``Figure`` is to who only shows and keeps it."""

    @property
    def axes(self) -> list[Any]:
        """Its panels, matplotlib's ``Axes``."""
        ...

    def savefig(self, fname: str | Path, **how: Any) -> None:
        """Write it as a file; the ending decides the format."""
        ...


def plot(result: object, what: str | None = None, metric: str | None = None) -> Picture:
    """The picture of a result that there is one of; where there are several, the first, ``what`` or ``metric``.

    Raises:
        InputError: there is no such picture.
    """
    return cast(Picture, import_module(_DRAWS).plot(result, what, metric))


def as_html(title: str, frame: "pd.DataFrame", most: int = 60) -> str:
    """A title above the first ``most`` rows of a frame."""
    return f"<p>{escape(title)}</p>{frame.to_html(max_rows=most, index=False, border=0)}"
