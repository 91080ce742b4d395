"""Where the ``blockprof`` command begins: signals are handled before anything that takes time is imported."""

import atexit
import os
import signal
import sys

from blockprof.foundation import interrupts
from blockprof.tracking import settings


def main() -> None:
    """Run the command line. When it has ended, a signal that comes while Python takes itself down changes nothing."""
    settings.set_for_process()
    with interrupts.handled():
        try:
            from blockprof.cli import app

            app.main()
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)
        finally:
            interrupts.heard()
            for name in interrupts.NAMES:
                if hasattr(signal, name):
                    signal.signal(getattr(signal, name), signal.SIG_IGN)
            if number := interrupts.pending():
                _leave(128 + number)


def _leave(code: int) -> None:
    """End now: taking down torch and MLflow, or threads that wait for a server, may take seconds on a busy machine."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
