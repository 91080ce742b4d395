"""What all reports share: templates, how numbers are written, the colours of heat maps, what made the page."""

import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from blockprof.foundation.arrays import FloatArray
from blockprof.foundation.text import shown
from blockprof.metrics.metric import Origin
from blockprof.output.charts.profile_figures import format_value

ORIGINS: dict[Origin, str] = {
    "counted": "counted from the structure of the networks",
    "reference": "from the reference tables that come with blockprof: of a known device, not measured on yours",
    "table": "summed from a table of a device's measured blocks",
    "predicted": "predicted by a model that was trained on networks with known values",
    "measured": "measured on this machine",
}
_VERSIONED = ("blockprof", "numpy", "torch", "ofa")
_MINUS = "\N{MINUS SIGN}"


def render(template: str, **values: object) -> str:
    """Fill a template of this package; every text is escaped, but for drawings, which escape theirs."""
    environment = Environment(
        loader=PackageLoader("blockprof.output.report"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    versions = [f"Python {platform.python_version()}", *(f"{package} {version(package)}" for package in _VERSIONED)]
    return environment.get_template(template).render(command=command_line(), versions=", ".join(versions), **values)


def _visible(value: object) -> object:
    return value if isinstance(value, Markup) else shown(str(value))


def command_line() -> str:
    """The command that this process was started with, as a shell takes it, without the program's folder."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def number(value: float, among: FloatArray, known_to: float = 0.0) -> str:
    """Write a value as :func:`format_value` does, with a real minus sign; a dash where there is none."""
    return "–" if np.isnan(value) else format_value(value, among, known_to).replace("-", _MINUS)


def signed(value: float, among: FloatArray, known_to: float = 0.0) -> str:
    """The same, with a plus sign where it is positive."""
    return ("" if value < 0 or np.isnan(value) else "+") + number(value, among, known_to)


def tick_text(value: float) -> str:
    """Write a round number as short as can be, millions as M."""
    shown = f"{value / 1e6:,.10g}M" if abs(value) >= 1e6 else f"{value:,.10g}"
    return shown.replace("-", _MINUS)
