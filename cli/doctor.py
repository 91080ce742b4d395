"""``blockprof doctor``."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blockprof.evaluators.device.health import Health


def doctor() -> None:
    """Say which run-times work here, in which precisions, what would make the others work, and where things are kept.

    Each run-time is started in a process of its own, which takes a few seconds. Nothing is written.

    Example: blockprof doctor
    """
    from blockprof.cli import render
    from blockprof.evaluators.device.health import examine
    from blockprof.evaluators.runtimes import find_runtime, runtime_names
    from blockprof.foundation.paths import cache_folder, data_folder
    from blockprof.foundation.text import masked
    from blockprof.tracking.location import registry_uri, tracking_uri

    found = []
    with render.working("starting each run-time"):
        found = [examine(find_runtime(name)) for name in runtime_names()]
    render.print_table(("run-time", "version", "works in", "what else"), [_row(each) for each in found])
    stores = dict.fromkeys((tracking_uri(), registry_uri()))
    for what, where in (
        ("data", [data_folder().absolute()]),
        ("cache", [cache_folder().absolute()]),
        ("MLflow store", stores),
    ):
        render.print_line(f"{what}: {', '.join(masked(str(each)) for each in where)}")


def _row(health: "Health") -> tuple[str, str, str, str]:
    works = ", ".join(precision for precision, problem in health.problems.items() if not problem)
    others = dict.fromkeys(problem for problem in health.problems.values() if problem)
    return health.runtime.name, health.version, works or "nothing", "; ".join(others)
