"""Run-times that fail in each way that one can, registered for tests. What is here runs in a worker of blockprof's."""

import os
import time
from pathlib import Path

import numpy as np

from blockprof.evaluators.runtimes import Loaded, Runtime, Settings
from blockprof.foundation.errors import InputError


class Engine:
    """Runs nothing, quickly."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def convert(self, network, shapes, folder):
        model = folder / "model"
        model.write_text("converted")
        return model

    def load(self, model: Path, feeds):
        return Loaded(run=lambda: None, read=lambda _: [np.zeros(3)])


class NotHere(Engine):
    def __init__(self, settings: Settings) -> None:
        raise InputError(f"this processor has no {settings.precision}")


class CannotConvert(Engine):
    def convert(self, network, shapes, folder):
        raise RuntimeError("no operator 'Frobnicate'\nand a long story")


class Counts(Engine):
    """Adds a letter to a file for each conversion."""

    def convert(self, network, shapes, folder):
        with Path(os.environ["BLOCKPROF_TEST_COUNT"]).open("a") as file:
            file.write("c")
        return super().convert(network, shapes, folder)


class Crashes(Engine):
    def load(self, model, feeds):
        print("about to fall", flush=True)
        os.abort()


class Quits(Engine):
    def load(self, model, feeds):
        return Loaded(run=lambda: os._exit(3), read=list)


class Hangs(Engine):
    def load(self, model, feeds):
        time.sleep(600)


class Writes(Engine):
    """Writes files for a while, as a converter does."""

    def convert(self, network, shapes, folder):
        for number in range(20_000):
            (folder / f"part{number}").write_text("converted")
        return super().convert(network, shapes, folder)


def runtime(kind: type[Engine], **changed: object) -> Runtime:
    """A run-time whose engine is one of those above."""
    told = {
        "name": kind.__name__.lower(),
        "title": kind.__name__,
        "engine": f"{__name__}:{kind.__name__}",
        "needs": (),
        "distributions": (),
        "install": "pip install nothing",
        "limit_s": 60.0,
    }
    return Runtime(**(told | changed))
