"""Where a run's numbers come from: its tags, and the data that it used."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof.metrics import MetricInfo

if TYPE_CHECKING:
    from blockprof.latency_data import LatencyData
    from blockprof.tracking import Run


def origin_tags(infos: Sequence[MetricInfo]) -> dict[str, str]:
    """The tags of any run with metrics: where each one's numbers come from, and how far they are off."""
    tags = {"blockprof.data_origin": ",".join(dict.fromkeys(info.origin for info in infos))}
    tags |= {f"blockprof.source.{info.name}": info.source for info in infos}
    tags |= {f"blockprof.error.{info.name}": info.errors.text for info in infos if info.errors}
    predicted = [info.source for info in infos if info.origin == "predicted"]
    if predicted:
        tags["blockprof.predictor"] = "; ".join(predicted)
    return tags


def used_models(infos: Sequence[MetricInfo]) -> list[str]:
    """The registered models that a run's metrics are predicted by, each once."""
    return list(dict.fromkeys(info.model_uri for info in infos if info.model_uri))


def data_origin(device: str) -> str:
    """``reference`` for data made from the reference tables, else ``file``."""
    return "reference" if device.startswith("reference-") else "file"


def log_data(run: "Run", data: "LatencyData", path: Path, context: str) -> None:
    """Log which latencies a run used, by their digest."""
    run.log_dataset(data.to_frame(), source=str(path), name=path.name, digest=data.digest, context=context)
