"""``blockprof doctor``."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from blockprof.evaluators.device.health import Health


def _complete_own(incomplete: str) -> list[str]:
    from blockprof.evaluators.runtimes import find_runtime, runtime_names

    return [name for name in runtime_names() if name.startswith(incomplete) and find_runtime(name).environment]


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
) -> None:
    """Say which run-times work here, in which precisions, what would make the others work, and where things are kept.

    Each run-time is started in a process of its own, which takes a few seconds. Nothing is written but what --install
    asks for.

    Example: blockprof doctor
    """
    from blockprof.cli import render
    from blockprof.evaluators.device.health import examine
    from blockprof.evaluators.runtimes import find_runtime, runtime_names
    from blockprof.foundation.paths import cache_folder, data_folder, runtimes_folder
    from blockprof.foundation.text import masked
    from blockprof.tracking.location import registry_uri, tracking_uri

    for runtime in [find_runtime(name) for name in install or ()]:
        with render.working(f"installing {runtime.title}"):
            runtime.install_environment()
        render.note(f"{runtime.title} is in {runtime.folder}")
    found = []
    with render.working("starting each run-time"):
        found = [examine(find_runtime(name)) for name in runtime_names()]
    render.print_table(("run-time", "version", "works in", "what else"), [_row(each) for each in found])
    stores = dict.fromkeys((tracking_uri(), registry_uri()))
    for what, where in (
        ("data", [data_folder().absolute()]),
        ("cache", [cache_folder().absolute()]),
        ("run-times", [runtimes_folder().absolute()]),
        ("MLflow store", stores),
    ):
        render.print_line(f"{what}: {', '.join(masked(str(each)) for each in where)}")


def _row(health: "Health") -> tuple[str, str, str, str]:
    works = ", ".join(precision for precision, problem in health.problems.items() if not problem)
    others = dict.fromkeys(problem for problem in health.problems.values() if problem)
    return health.runtime.name, health.version, works or "nothing", "; ".join(others)
