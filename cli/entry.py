"""Where the ``blockprof`` command begins: signals are handled before anything that takes time is imported."""

import atexit
import gc
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from blockprof.foundation import interrupts
from blockprof.foundation.lazy import lazy_import
from blockprof.tracking import settings

if TYPE_CHECKING:
    from blockprof.cli import app
else:
    app = lazy_import("blockprof.cli.app")

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def main() -> None:
    """Run the command line. When it has ended, a signal that comes while Python takes itself down changes nothing."""
    settings.set_for_process()
    # What is imported stays: to look through it for garbage again and again takes a tenth of a command's time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    with interrupts.handled():
        try:
            app.main()
            code: object = 0
        except SystemExit as ended:
            code = ended.code or 0
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
        finally:
            interrupts.heard()
            for name in interrupts.NAMES:
                if hasattr(signal, name):
                    signal.signal(getattr(signal, name), signal.SIG_IGN)
            if number := interrupts.pending():
                _leave(128 + number)
        _end(code)


def _end(code: object) -> None:
    """End as Python does, but for taking MLflow and torch down object by object: that takes a second."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # a closed pipe, a full disk: Python says so in its own way
        sys.exit(code)  # type: ignore[arg-type]
    if not isinstance(code, int):
        sys.exit(code)  # type: ignore[arg-type]
    threading._shutdown()  # type: ignore[attr-defined]
    _leave(code)


def _leave(code: int) -> None:
    """End now: taking down torch and MLflow, or threads that wait for a server, may take seconds on a busy machine."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
