"""``blockprof.export``: a run's tables, a predictor or networks as files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blockprof import tracking
from blockprof.api.choosing import Networks
from blockprof.api.defaults import RESOLUTION
from blockprof.api.latencies import check_latency_name
from blockprof.foundation.extras import check_extra
from blockprof.foundation.lazy import lazy_import
from blockprof.foundation.listener import SILENT, Listener
from blockprof.output.exporting import Format, write_frames
from blockprof.spaces import Architectures, Space, load_space

if TYPE_CHECKING:
    from blockprof.evaluators.device import device_folder
    from blockprof.evaluators.device.device_folder import DeviceFolder, WrittenFolder
    from blockprof.networks import modules, onnx
    from blockprof.networks.onnx import NetworkFile
    from blockprof.predictors import onnx_export, saved
    from blockprof.predictors.onnx_export import OnnxCheck
    from blockprof.tracking import StoredPredictor
else:
    device_folder = lazy_import("blockprof.evaluators.device.device_folder")
    modules = lazy_import("blockprof.networks.modules")
    onnx = lazy_import("blockprof.networks.onnx")
    onnx_export = lazy_import("blockprof.predictors.onnx_export")
    saved = lazy_import("blockprof.predictors.saved")


@dataclass(frozen=True, eq=False)
class PredictorFile:
    """A predictor as ONNX in ``path``, and how near it is to the model."""

    path: Path
    stored: "StoredPredictor"
    check: "OnnxCheck"


@dataclass(frozen=True, eq=False)
class NetworkFiles:
    """Networks as ONNX in a folder, to be measured on a device whose latency is called ``metric``."""

    folder: "DeviceFolder"
    written: "WrittenFolder"
    metric: str


def export(
    what: str | Architectures,
    out: str | Path | None = None,
    *,
    file_format: Format = "csv",
    resolution: int = RESOLUTION,
    listener: Listener = SILENT,
) -> tuple[Path, ...]:
    """Write a run's tables, a registered predictor, or a network as files, and say which.

    Args:
        what: a run by id or name; a predictor such as ``blockprof-pn-npu`` (its champion) or ``blockprof-pn-npu/2``; or
            one network.
        out: of a run the folder, else the ONNX file; named as the run, the predictor or ``network`` where None.
        file_format: of a run's tables: ``csv`` or ``parquet``.
        resolution: of a network's input, in pixels.
        listener: told of progress.

    Raises:
        InputError: there is no such run or predictor, or a file cannot be written.
        TrackingError: the MLflow store does not answer.
        BlockprofError: what is written does not compute what it should.
    """
    path = None if out is None else Path(out)
    if isinstance(what, Architectures):
        file = export_network(what, path or Path("network.onnx"), resolution=resolution, listener=listener)
        return (file.path,)
    if tracking.is_predictor_name(what):
        return (export_predictor(what, path).path,)
    return tuple(export_run(what, path, file_format))


def export_run(run: str, out: Path | None = None, file_format: Format = "csv") -> list[Path]:
    """Write the tables of a run as files into ``out``, named as the run where None; raises as :func:`export`."""
    record = tracking.find_run(run)
    # A run may be called anything, such as ../x.
    is_file_name = record.name != ".." and record.name == Path(record.name).name
    folder = out or Path(record.name if is_file_name else record.id)
    return write_frames(tracking.load_frames(record), folder, file_format)


def export_predictor(predictor: str, out: Path | None = None) -> PredictorFile:
    """Write a predictor as ONNX, checked against the model with ONNX Runtime; raises as :func:`export`."""
    check_extra("measure", "writing ONNX")
    stored = tracking.find_predictor(predictor)
    path = out or Path(f"{stored.name}-{stored.version}.onnx")
    return PredictorFile(path, stored, onnx_export.write_onnx(saved.load_predictor(stored.folder), path))


def export_network(
    archs: Architectures,
    out: Path,
    *,
    resolution: int = RESOLUTION,
    batch: int | None = 1,
    check: bool = True,
    settings: Path | None = None,
    listener: Listener = SILENT,
) -> "NetworkFile":
    """Write one network as ONNX; its weights are random.

    Args:
        archs: the one network.
        out: the ONNX file.
        resolution: of the input, in pixels.
        batch: images at once; None leaves it open.
        check: run the file before it appears, and compare with torch.
        settings: a file for OFA's settings of the network, as JSON; none where None.
        listener: told of progress.

    Raises:
        InputError, MetricError, BlockprofError: as for ``write_network`` and ``write_settings``.
    """
    check_extra("measure", "writing ONNX")
    listener.on_start("composing the network")
    store = onnx.FragmentStore(archs.space)
    written = onnx.write_network(store, archs, 0, out, resolution=resolution, batch=batch, check=check)
    if settings:
        modules.write_settings(archs, 0, settings, resolution=resolution)
    return written


def export_networks(
    space: Space | str,
    out: Path,
    metric: str,
    *,
    networks: Networks | None = None,
    seed: int = 0,
    listener: Listener = SILENT,
) -> NetworkFiles:
    """Choose networks as ``blockprof.measure`` does, and write them as ONNX files, to be measured on another device.

    Beside them ``networks.csv`` has a row for each file, for their latencies. The same call resumes.

    Args:
        space: a space, or its name.
        out: folder to write to.
        metric: the name of the device's latency in ``train`` and ``profile``.
        networks: which networks; the defaults where None.
        seed: of the networks.
        listener: told of progress.

    Raises:
        InputError, MetricError, DataFileError, BlockprofError: as for ``Networks.choose``, ``plan_device_folder`` and
            ``DeviceFolder.write``.
    """
    check_extra("measure", "writing ONNX")
    chosen = load_space(space) if isinstance(space, str) else space
    check_latency_name(chosen, metric)
    archs, resolutions, _ = (networks or Networks()).choose(chosen, seed, listener)
    folder = device_folder.plan_device_folder(archs, resolutions, out, metric)
    return NetworkFiles(folder, folder.write(listener), metric)
