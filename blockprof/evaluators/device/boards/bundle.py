"""What blockprof brings to a board: the modules that its process there needs, as a zip that Python imports from."""

import io
import zipfile
from importlib.resources import files

_FOLDERS = ("foundation", "evaluators", "evaluators/device", "evaluators/device/boards", "evaluators/runtimes")
_KEPT_INITS = ("evaluators/runtimes",)
"""Of these the ``__init__`` is needed there; those of the others import what is not."""


def make_bundle() -> bytes:
    """The zip: all of it is Python, and imports numpy and the run-time only."""
    packed = io.BytesIO()
    package = files("blockprof")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("blockprof/__init__.py", "")
        for folder in _FOLDERS:
            for file in sorted((package / folder).iterdir(), key=lambda each: each.name):
                if not file.name.endswith(".py"):
                    continue
                is_left_out = file.name == "__init__.py" and folder not in _KEPT_INITS
                bundle.writestr(f"blockprof/{folder}/{file.name}", b"" if is_left_out else file.read_bytes())
    return packed.getvalue()
