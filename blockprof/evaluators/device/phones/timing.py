"""Time the networks of a folder that ``export networks`` wrote, in the order of its visits, into its log."""

import csv
import os
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from blockprof.evaluators.device.device_folder import LOG_NAME, PLAN_NAME
from blockprof.evaluators.device.phones.programs import Program
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.foundation.listener import SILENT, Listener, Visited
from blockprof.latency_data.layout import ANCHOR, FILE, LATENCY, RESOLUTION, ROUND, STARTED
from blockprof.networks.onnx.sharing import FOLDER


class Device(Protocol):
    """What runs the program."""

    def push(self, file: Path, place: PurePosixPath, *, executable: bool = False) -> None:
        """Bring a file there, unless it is."""

    def run(self, command: str) -> str:
        """What a command prints."""


def time_folder(
    folder: Path,
    device: Device,
    place: PurePosixPath,
    program: Program,
    file: Path,
    options: Sequence[str],
    *,
    clock: Callable[[], float] = time.time,
    listener: Listener = SILENT,
) -> Path:
    """Make the visits that the log does not have yet, and say where it is: ``train`` takes it as it is.

    Args:
        folder: of the networks, with their visits.
        device: where they run.
        place: the folder there.
        program: what runs them.
        file: the program, built for the device.
        options: of the program.
        clock: tells the time, in seconds.
        listener: told of each visit of a network.

    Raises:
        InputError: a model is not there, such as the ``.tflite`` of a network.
        DataFileError: the folder has no visits.
        BlockprofError: the device is lost, or the program tells no time.
    """
    header, rows = _read_plan(folder / PLAN_NAME)
    done, log = _read_done(folder / LOG_NAME), folder / LOG_NAME
    models = [folder / f"{row[FILE].removesuffix('.onnx')}{program.suffix}" for row in rows]
    for model in dict.fromkeys(models[done:]):
        if not model.is_file():
            raise InputError(
                "is not there",
                where=model,
                remedy=f"make it of {model.name.split('.')[0]}.onnx: {program.name} runs it",
            )
    if done < len(rows):
        device.run(f"mkdir -p {shlex.quote(str(place / FOLDER))}")
        device.push(file, place / file.name, executable=True)
        weights = sorted((folder / FOLDER).glob("*")) if program.suffix == ".onnx" else []
        for number, each in enumerate(weights, start=1):
            device.push(each, place / FOLDER / each.name)
            listener.on_step("weights", number, len(weights))
    total = sum(row[ANCHOR] == "0" for row in rows)
    for number in range(done, len(rows)):
        row, model = rows[number], models[number]
        there = place / model.name.removesuffix(program.suffix) if program.has_folders else place
        device.run(f"mkdir -p {shlex.quote(str(there))}")
        for each in (model, *(model.with_name(model.name.replace(program.suffix, end)) for end in program.beside)):
            device.push(each, there / each.name)
        command = program.command(f"./{file.name}", str(there / model.name), int(row[RESOLUTION]), options)
        started_s = clock()
        latency_ms = program.read_ms(device.run(f"cd {shlex.quote(str(place))} && {command}"), model.name)
        _append(log, header, row | {STARTED: repr(started_s), LATENCY: repr(latency_ms)})
        if row[ANCHOR] == "0":
            made = sum(each[ANCHOR] == "0" for each in rows[: number + 1])
            listener.on_visit(Visited(model.name, int(row[ROUND]), latency_ms, made, total))
    return log


def _read_plan(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            header = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error):
        header, rows = [], []
    if not rows or not {FILE, RESOLUTION, ROUND, ANCHOR, STARTED, LATENCY} <= set(header):
        raise DataFileError(
            "holds no visits", where=path, remedy="give a folder that `blockprof export networks` wrote", code="no-plan"
        )
    return header, rows


def _read_done(path: Path) -> int:
    """How many visits a log has; a line that was cut off goes."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(path, len(whole))
    return max(whole.count(b"\n") - 1, 0)


def _append(path: Path, header: Sequence[str], row: dict[str, str]) -> None:
    is_new = not path.exists() or not path.stat().st_size
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)
        file.flush()
        os.fsync(file.fileno())
