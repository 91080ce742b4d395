"""``blockprof doctor``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.evaluators.device.health import Health


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


def doctor() -> Examined:
    """Say which run-times work here, in which precisions, what would make the others work, and where things are kept.

    Each run-time is started in a process of its own, which takes a few seconds. Nothing is written.

    Example: blockprof doctor
    """
    from blockprof.cli import render
    from blockprof.evaluators.device.health import examine
    from blockprof.evaluators.runtimes import find_runtime, runtime_names

    with render.working("starting each run-time"):
        found = Examined(tuple(examine(find_runtime(name)) for name in runtime_names()))
    render.give(found, _print)
    return found


def _print(found: Examined) -> None:
    from blockprof.cli import render
    from blockprof.foundation.paths import cache_folder, data_folder
    from blockprof.foundation.text import masked
    from blockprof.tracking.location import registry_uri, tracking_uri

    render.print_table(("run-time", "version", "works in", "what else"), [_row(each) for each in found.runtimes])
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
