"""What all reports share: templates, where numbers come from, what made the page."""

import platform

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from blockprof.foundation.extras import installed_version
from blockprof.foundation.text import command_line, shown
from blockprof.metrics.metric import Origin

ORIGINS: dict[Origin, str] = {
    "counted": "counted from the structure of the networks",
    "reference": "from the reference tables that come with blockprof: of a known device, not measured on yours",
    "table": "summed from a table of a device's measured blocks",
    "predicted": "predicted by a model that was trained on networks with known values",
    "measured": "measured on this machine",
}
_VERSIONED = ("blockprof", "numpy", "torch", "ofa")


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
    versions = [f"Python {platform.python_version()}", *filter(None, map(_named, _VERSIONED))]
    return environment.get_template(template).render(command=command_line(), versions=", ".join(versions), **values)


def _visible(value: object) -> object:
    return value if isinstance(value, Markup) else shown(str(value))


def _named(package: str) -> str:
    found = installed_version(package)
    return f"{package} {found}" if found else ""
