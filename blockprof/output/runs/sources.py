"""What is to be compared, found in the store: runs of profiles, runs of predictors, registered versions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pandas as pd

from blockprof import tracking
from blockprof.comparing.predictors import BOUNDS, PredictedRows
from blockprof.comparing.profiles import ProfileTables
from blockprof.foundation.errors import Argument, InputError, Said
from blockprof.output.runs.asking import predict_by_code, predict_stored

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.tracking import OtherModel, RunRecord, StoredPredictor

Kind = Literal["predictor", "profile", "metric"]

TEST_ROWS = "test_predictions"
CROSS_VALIDATED = "cv_predictions"
"""The tables of what a predictor says of its run's test rows, and of what its cross-validation says of all rows."""
_ID_SHOWN = 8


@dataclass(frozen=True)
class Source:
    """A run of a profile or predictor, or a registered predictor with the run that trained it; or a metric by name,
    which has neither.

    Another's model is of the others' space, and may be of no run.
    """

    label: str
    kind: Kind
    space: str
    run: "RunRecord | None"
    predictor: "StoredPredictor | OtherModel | None"

    @property
    def run_id(self) -> str:
        """Of its run; empty where it has none."""
        return self.run.id if self.run else ""

    @property
    def metric(self) -> str:
        """What its registered predictor predicts; empty where that is not known."""
        return self.predictor.tags["metric"] if isinstance(self.predictor, tracking.StoredPredictor) else ""

    def logged(self) -> "RunRecord":
        """Its run.

        Raises:
            InputError: another's model, of whose run nothing is known.
        """
        if self.run is None:
            raise InputError(
                f"{self.label} is not blockprof's, so it has no test rows",
                remedy=Said("give networks as {}", Argument("data")),
            )
        return self.run


def find_sources(references: Sequence[str], space: str | None = None) -> list[Source]:
    """Find runs by id or name, and predictors by ``blockprof-pn-npu/2`` or ``blockprof-pn-npu@champion``.

    With a ``space``, all that are no predictors are metrics of it by name.

    Raises:
        InputError: fewer than two, one that is not there or given twice, one that is neither a profile nor a predictor,
            or several that are not of one kind and space.
        TrackingError: the store does not answer.
    """
    if len(references) < 2:
        raise InputError("compare needs at least two runs or registered predictors", remedy="name another one")
    found = [_find(reference, space) for reference in references]
    space = next((source.space for source in found if source.space), space)
    if space is None:
        raise InputError(
            "another's models are asked of a space of blockprof's", remedy="name one of its predictors beside them"
        )
    sources = [source if source.space else replace(source, space=space) for source in found]
    first = sources[0]
    for source in sources[1:]:
        if "profile" in (source.kind, first.kind) and source.kind != first.kind:
            raise InputError(
                f"{first.label} is a {first.kind} and {source.label} a {source.kind}: compare profiles with profiles, "
                "or predictors with predictors"
            )
        if source.space != first.space:
            raise InputError(
                f"{first.label} is of {first.space} and {source.label} of {source.space}: compare what is of one space"
            )
    identities = [
        (source.run_id or source.label, source.predictor.model_uri if source.predictor else None) for source in sources
    ]
    for index, source in enumerate(sources):
        if identities[index] in identities[:index]:
            raise InputError(
                f"{references[index]} is {source.label}, which is given already", remedy="name another one"
            )
    return _with_own_labels(sources)


def _find(reference: str, space: str | None) -> Source:
    if tracking.is_predictor_name(reference):
        predictor = tracking.find_predictor(reference)
        run = tracking.find_run(predictor.run_id)
        return Source(f"{predictor.name} v{predictor.version}", "predictor", predictor.tags["space"], run, predictor)
    if tracking.is_other_model(reference):
        model = tracking.find_other_model(reference)
        return Source(f"{model.name} v{model.version}", "predictor", "", None, model)
    if space is not None:
        return Source(reference, "metric", space, None, None)
    run = tracking.find_run(reference)
    frames = tracking.list_frames(run)
    # A comparison of profiles has placements too, but no random networks.
    if {"placements", "random"} <= set(frames):
        return Source(run.name, "profile", run.space, run, None)
    if TEST_ROWS in frames:
        return Source(run.name, "predictor", run.space, run, None)
    what = f"of `blockprof {run.command}`" if run.command else "none of blockprof's"
    raise InputError(
        f"run '{reference}' is {what} ({run.status}) and holds no profile and no predictor's test rows: compare runs "
        "of profile, train-predictor or import-predictor"
    )


def _with_own_labels(sources: Sequence[Source]) -> list[Source]:
    """Runs may have the same name: then the start of their id tells them apart."""
    labels = [source.label for source in sources]
    return [
        replace(source, label=f"{source.label} {source.run_id[:_ID_SHOWN]}")
        if labels.count(source.label) > 1
        else source
        for source in sources
    ]


def load_predictions(
    sources: Sequence[Source], data: "LatencyData | None" = None, *, trust_code: bool = False
) -> list[PredictedRows]:
    """What each predictor says of ``data``, or said of networks that it was not trained on.

    These are the test rows that its run logged or, where it was cross-validated, all rows, each left out in turn.
    Predictors of blockprof are read as numbers; another's model is code, which runs only with ``trust_code``.

    Raises:
        InputError: with ``data``, a run that registered no predictor, a resolution that a predictor does not know, or
            another's model without ``trust_code``; without, another's model.
        TrackingError: the store does not answer, or a predictor cannot be loaded.
    """
    if data is None:
        return [PredictedRows(source.label, _left_out(source)) for source in sources]
    return [PredictedRows(source.label, _predict(source, data, trust_code)) for source in sources]


def _left_out(source: Source) -> pd.DataFrame:
    run = source.logged()
    names = tracking.list_frames(run)
    return tracking.load_frame(run, CROSS_VALIDATED if CROSS_VALIDATED in names else TEST_ROWS)


def _predict(source: Source, data: "LatencyData", trust_code: bool) -> pd.DataFrame:
    predictor = source.predictor or tracking.find_predictor_of(source.run_id)
    if predictor is None:
        raise InputError(
            f"run {source.label} registered no predictor",
            remedy=Said("leave {} out, or name a registered one", Argument("data")),
        )
    if isinstance(predictor, tracking.StoredPredictor):
        predicted = predict_stored(predictor, data)
    elif trust_code:
        predicted = predict_by_code(predictor, data)
    else:
        raise InputError(
            f"{source.label} is not blockprof's: to ask it, code from the registry must run",
            remedy=Said("give {} if you trust whoever registered it", Argument("trust_code", True)),
        )
    frame = data.to_frame().assign(predicted_ms=predicted["latency_ms"].to_numpy())
    return frame.assign(**{name: predicted[name].to_numpy() for name in BOUNDS if name in predicted})


def unlike_settings(sources: Sequence[Source]) -> list[str]:
    """What the runs of profiles were given differently, a sentence each: it is a part of what differs."""
    sentences = []
    for param in ("sampler", "resolution"):
        values = [source.logged().params.get(param, "unknown") for source in sources]
        if len(set(values)) > 1:
            told = ", ".join(f"{source.label} {value}" for source, value in zip(sources, values, strict=True))
            sentences.append(f"the profiles differ in {param} ({told}): so may their effects")
    return sentences


def load_profiles(sources: Sequence[Source]) -> list[ProfileTables]:
    """The tables of each profile's run.

    Raises:
        TrackingError: the store does not answer.
    """
    frames = [tracking.load_frames(source.logged()) for source in sources]
    return [
        ProfileTables(
            source.label, tables["random"], tables["placements"], tables.get("responses", tables["placements"].head(0))
        )
        for source, tables in zip(sources, frames, strict=True)
    ]
