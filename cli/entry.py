"""Where the ``blockprof`` command begins: signals are handled before anything that takes time is imported."""

import signal
import sys

from blockprof import interrupts


def main() -> None:
    """Run the command line. When it has ended, a signal that comes while Python takes itself down changes nothing."""
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
