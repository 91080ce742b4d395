"""Measure a folder of models in a process of its own, for tests that kill it, limit it or take turns with it.

Prints after each visit how many it has made, and with ``--turns`` waits for a line on standard input before each.
"""

import argparse
import json
import resource
import sys
from pathlib import Path

from blockprof.evaluators.device import MeasureSpec, measure_networks
from blockprof.foundation.errors import BlockprofError
from blockprof.foundation.listener import Listener, Visited


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("journal", type=Path)
    parser.add_argument("--spec", type=json.loads, required=True)
    parser.add_argument("--turns", action="store_true", help="wait for a line before each visit")
    parser.add_argument("--max-bytes", type=int, help="what no file may grow beyond")
    arguments = parser.parse_args()
    if arguments.max_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (arguments.max_bytes, arguments.max_bytes))
    models = sorted(arguments.models.glob("*.onnx"))
    if arguments.turns:
        sys.stdin.readline()

    class Telling(Listener):
        def on_visit(self, visit: Visited) -> None:
            print(visit.done, flush=True)
            if arguments.turns:
                sys.stdin.readline()

    try:
        measure_networks(
            [path.stem for path in models],
            models.__getitem__,
            arguments.journal,
            MeasureSpec(**arguments.spec),
            Telling(),
        )
    except BlockprofError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
