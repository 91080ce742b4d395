"""What is logged of ``fetch-data``: the params, metrics and files its run has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blockprof.foundation.lazy import lazy_import
from blockprof.output.runs.origins import data_origin, log_data
from blockprof.tracking import Run

if TYPE_CHECKING:
    import pandas as pd

    from blockprof.fetching import FetchedFile
else:
    pd = lazy_import("pandas")


def record_fetch(run: Run, files: "Sequence[FetchedFile]", source: str, params: dict[str, object]) -> None:
    """Log what was fetched: where from, the files with their checksums, the latencies they hold."""
    held = [file.latencies for file in files if file.latencies is not None]
    origins = {data_origin(data.device) for data in held} or {"file"}
    run.log_tags({"blockprof.data_origin": ",".join(sorted(origins))})
    run.log_params({"source": source, **params})
    run.log_metrics({"num_files": len(files), "num_nets": sum(len(data) for data in held)})
    rows = [(str(file.path), file.sha256, len(file.latencies) if file.latencies else None) for file in files]
    run.log_frame(pd.DataFrame(rows, columns=["file", "sha256", "num_nets"]), "files.csv")
    for file in files:
        if file.latencies is not None:
            log_data(run, file.latencies, file.path, "fetched")
