"""``blockprof doctor``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.cli import render
    from blockprof.evaluators import runtimes
    from blockprof.evaluators.device import health
    from blockprof.evaluators.device.health import Health
    from blockprof.foundation import paths, text
    from blockprof.tracking import location
else:
    health = lazy_import("blockprof.evaluators.device.health")
    location = lazy_import("blockprof.tracking.location")
    paths = lazy_import("blockprof.foundation.paths")
    render = lazy_import("blockprof.cli.render")
    runtimes = lazy_import("blockprof.evaluators.runtimes")
    text = lazy_import("blockprof.foundation.text")


@dataclass(frozen=True, eq=False)
class Examined:
    """How each run-time is here."""

    runtimes: "tuple[Health, ...]"

    def to_pandas(self) -> "pd.DataFrame":
        """One row a run-time and precision: ``runtime``, ``version``, ``precision``, ``works``, ``problem``."""
        import pandas as pd

        rows = [
            {
                "runtime": each.runtime.name,
                "version": each.version,
                "precision": precision,
                "works": not problem,
                "problem": problem,
            }
            for each in self.runtimes
            for precision, problem in each.problems.items()
        ]
        return pd.DataFrame(rows)


def _complete_own(incomplete: str) -> list[str]:
    found = map(runtimes.find_runtime, runtimes.runtime_names())
    return [each.name for each in found if each.name.startswith(incomplete) and each.environment]


def doctor(
    install: Annotated[
        list[str] | None,
        typer.Option(
            "--install",
            metavar="RUNTIME",
            help="First install a run-time that needs an environment of its own: litert or executorch. It takes "
            "minutes, and 0.3 to 1 GB in the user's data folder.",
            autocompletion=_complete_own,
        ),
    ] = None,
) -> Examined:
    """Say which run-times work here, in which precisions, what would make the others work, and where things are kept.

    Each run-time is started in a process of its own, which takes a few seconds. Nothing is written but what --install
    asks for.

    Example: blockprof doctor
    """
    for runtime in map(runtimes.find_runtime, install or ()):
        with render.working(f"installing {runtime.title}"):
            runtime.install_environment()
        render.note(f"{runtime.title} is in {runtime.folder}")
    with render.working("starting each run-time"):
        found = Examined(tuple(health.examine(runtimes.find_runtime(name)) for name in runtimes.runtime_names()))
    render.give(found, _print)
    return found


def _print(found: Examined) -> None:
    render.print_table(("run-time", "version", "works in", "what else"), [_row(each) for each in found.runtimes])
    stores = dict.fromkeys((location.tracking_uri(), location.registry_uri()))
    for what, where in (
        ("data", [paths.data_folder().absolute()]),
        ("cache", [paths.cache_folder().absolute()]),
        ("run-times", [paths.runtimes_folder().absolute()]),
        ("MLflow store", stores),
    ):
        render.print_line(f"{what}: {', '.join(text.masked(str(each)) for each in where)}")


def _row(examined: "Health") -> tuple[str, str, str, str]:
    works = ", ".join(precision for precision, problem in examined.problems.items() if not problem)
    others = dict.fromkeys(problem for problem in examined.problems.values() if problem)
    return examined.runtime.name, examined.version, works or "nothing", "; ".join(others)
