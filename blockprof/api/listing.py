"""``blockprof.list_runs`` and ``blockprof.list_predictors``: what is in the MLflow store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from blockprof import tracking
from blockprof.foundation.display import as_html
from blockprof.spaces import load_space

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.tracking import PredictorVersion, RunRecord

RUN_COLUMNS = ("name", "command", "space", "what", "origin", "status", "started", "id")
PREDICTOR_COLUMNS = (
    "name", "version", "is_champion", "space", "metric", "kind", "device", "origin", "num_networks",
    "test_mape_percent", "resolutions", "registered", "run",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of blockprof's commands, the newest first."""

    records: "tuple[RunRecord, ...]"

    def __repr__(self) -> str:
        return f"<Runs: {len(self.records)}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    def __len__(self) -> int:
        return len(self.records)

    def to_pandas(self) -> "pd.DataFrame":
        """One row a run: ``name``, ``command``, ``space``, ``what`` (the metrics it is of), ``origin`` of its numbers
        (predicted, measured, reference, ...), ``status``, ``started`` (UTC) and ``id``.
        """
        import pandas as pd

        rows = [
            (
                run.name,
                run.command,
                run.space,
                _metrics_of(run),
                run.tags.get("blockprof.data_origin", ""),
                run.status,
                run.started,
                run.id,
            )
            for run in self.records
        ]
        return pd.DataFrame(rows, columns=list(RUN_COLUMNS))


@dataclass(frozen=True, eq=False)
class Predictors:
    """Versions of registered predictors, the newest of each name first."""

    versions: "tuple[PredictorVersion, ...]"

    def __repr__(self) -> str:
        names = {one.name for one in self.versions}
        return f"<Predictors: {len(self.versions)} versions of {len(names)}>"

    def _repr_html_(self) -> str:
        return as_html(repr(self), self.to_pandas())

    def __len__(self) -> int:
        return len(self.versions)

    def to_pandas(self) -> "pd.DataFrame":
        """One row a version: ``name``, ``version``, ``is_champion``, ``space``, ``metric``, ``kind``, ``device``,
        ``origin`` of what it was trained on (reference or measured), ``num_networks``, ``test_mape_percent``,
        ``resolutions``, ``registered`` (UTC) and ``run``, the id of its run.
        """
        import pandas as pd

        from blockprof.fetching.reference import DEVICE_PREFIX

        rows = [
            (
                one.name,
                one.version,
                one.is_champion,
                one.tags.get("space", ""),
                one.tags.get("metric", ""),
                one.tags.get("kind", ""),
                one.tags.get("device", ""),
                "reference" if one.tags.get("device", "").startswith(DEVICE_PREFIX) else "measured",
                int(one.tags.get("num_nets", 0)),
                float(one.tags.get("test_mape", "nan")),
                one.tags.get("resolutions", ""),
                one.registered,
                one.run_id,
            )
            for one in self.versions
        ]
        return pd.DataFrame(rows, columns=list(PREDICTOR_COLUMNS))


def list_runs(command: str | None = None, space: str | None = None, most: int | None = None) -> Runs:
    """The runs in the MLflow store of this folder, or of MLFLOW_TRACKING_URI, the newest first.

    Args:
        command: only those of a command, such as ``profile``.
        space: only those of a space.
        most: at most so many.

    Raises:
        InputError: no such space.
        TrackingError: the MLflow store does not answer.
    """
    return Runs(tuple(tracking.list_runs(command, load_space(space).name if space else None, most)))


def list_predictors(space: str | None = None) -> Predictors:
    """The predictors in the model registry, of one space where given: every version of each.

    Raises:
        InputError: no such space.
        TrackingError: the MLflow store does not answer.
    """
    return Predictors(tuple(tracking.list_versions(load_space(space).name if space else None)))


def _metrics_of(run: "RunRecord") -> str:
    """What a run is of, as its command logged it."""
    params = run.params
    parts = [params.get(name, "") for name in ("metrics", "metric", "maximize", "minimize", "gain", "costs")]
    return ",".join(part for part in parts if part)
