"""Times the networks of this folder with ONNX Runtime, in the order of visits.csv, and writes each visit to times.csv.

python3 time_networks.py [PROVIDER]; it needs Python 3.8 or later, numpy and onnxruntime. Interrupted and called again,
it goes on. Another run-time: change open_network. The latencies: blockprof train-predictor ... times.csv
"""

from __future__ import annotations

import csv
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

THREADS = 1
WARM_UP_RUNS, MIN_RUNS, MIN_SECONDS = 3, 10, 0.4
CPU = "CPUExecutionProvider"
FOLDER = Path(__file__).resolve().parent


def open_network(path: Path, size: int, provider: str) -> Callable[[], object]:
    """Load a network, and give what runs it once."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it phones home as soon as it is imported
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
    image = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)
    return lambda: session.run(None, {"image": image})


def time_one(run: Callable[[], object], has_own_clock: bool) -> float:
    """The median of the network's own times, in ms: on one thread of the CPU without waiting for a core."""
    for _ in range(WARM_UP_RUNS):
        run()
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < MIN_RUNS or time.perf_counter() - begin < MIN_SECONDS:
        start, own = time.perf_counter(), time.thread_time()
        run()
        passed, own = time.perf_counter() - start, time.thread_time() - own
        times.append(min(passed, own) if has_own_clock else passed)
    return 1000 * statistics.median(times)


def main(arguments: Sequence[str]) -> None:
    """Make the visits that the log does not have yet."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    provider = arguments[0] if arguments else CPU
    has_own_clock = provider == CPU and THREADS == 1 and time.get_clock_info("thread_time").resolution < 1e-6
    with (FOLDER / "visits.csv").open(newline="") as file:
        header, *visits = list(csv.reader(file))
    place = {name: header.index(name) for name in header}
    log = FOLDER / "times.csv"
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    with log.open("r+b" if log.exists() else "wb") as whole:
        whole.truncate(sum(len(line) + 1 for line in lines))  # a line that was cut off goes
    anchor: Any = None
    with log.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([] if lines else [header])
        for number, row in enumerate(visits):
            is_anchor, size = row[place["anchor"]] == "1", int(row[place["resolution"]])
            path = FOLDER / row[place["onnx_file"]]
            if number < len(lines) - 1:
                continue
            if is_anchor:
                anchor = run = anchor or open_network(path, size, provider)
            else:
                run = open_network(path, size, provider)
            row[place["started_s"]] = repr(time.time())
            row[place["end-to-end lat"]] = repr(time_one(run, has_own_clock))
            writer.writerow(row)
            file.flush()
            print(
                f"{number + 1} of {len(visits)}: {path.name}, {float(row[place['end-to-end lat']]):.3f} ms", flush=True
            )


if __name__ == "__main__":
    main(sys.argv[1:])
