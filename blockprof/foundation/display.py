"""How results show themselves in a notebook, where what draws them is not to be imported by what computes them."""

from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_DRAWS = "blockprof.output.plotting"


def plot(result: object, what: str | None = None, metric: str | None = None) -> "Figure":
    """The picture of a result that there is one of; where there are several, the first, ``what`` or ``metric``.

    Raises:
        InputError: there is no such picture.
    """
    return cast("Figure", import_module(_DRAWS).plot(result, what, metric))


def as_html(title: str, frame: "pd.DataFrame", most: int = 60) -> str:
    """A title above the first ``most`` rows of a frame."""
    return f"<p>{escape(title)}</p>{frame.to_html(max_rows=most, index=False, border=0)}"
