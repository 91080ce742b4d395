"""Networks as files for another device: what the files compute, and what is kept of what is there."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from codes import coded
from known_spaces import SPACES
from listening import Heard

from blockprof.evaluators.device.device_folder import LOOPS, DeviceFolder, plan_device_folder
from blockprof.evaluators.device.process import RuntimeProcess
from blockprof.evaluators.device.runner import visiting_order
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.runtimes import find_runtime
from blockprof.foundation.errors import InputError, MetricError
from blockprof.latency_data import parse_network_csv, write_network_csv
from blockprof.networks.onnx import FragmentStore, write_network
from blockprof.networks.onnx.modules import build_network
from blockprof.networks.onnx.pieces import piece_name, pieces_of
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
ARCHS = sample_architectures(PN, 3, np.random.default_rng(0))
SIZES = np.array([128, 160, 128])


@pytest.fixture
def written(tmp_path: Path) -> DeviceFolder:
    planned = plan_device_folder(ARCHS, SIZES, tmp_path / "new", "phone")
    assert planned.num_latencies is None
    assert planned.write().num_kept == 0
    return planned


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> DeviceFolder:
    """One that the tests leave as it is."""
    planned = plan_device_folder(ARCHS, SIZES, tmp_path_factory.mktemp("shared") / "new", "phone")
    planned.write()
    return planned


@pytest.fixture
def listed(tmp_path: Path) -> DeviceFolder:
    """One whose CSV is there, and no file yet."""
    planned = plan_device_folder(ARCHS, SIZES, tmp_path / "new", "phone")
    write_network_csv(planned.csv, ARCHS, SIZES, "phone", [file.name for file in planned.files])
    return planned


def plan(written: DeviceFolder) -> DeviceFolder:
    return plan_device_folder(ARCHS, SIZES, written.folder, "phone")


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """What is there to measure: not the loops, which are copied each time, nor the weights."""
    files = [file for file in folder.iterdir() if file.is_file() and file.name not in LOOPS]
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def loaded(path: Path) -> onnx.ModelProto:
    """A network with the weights that it shares in it, as if it had them."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        tensor.ClearField("data_location")  # which loading sets
    return model


def test_the_files_are_the_networks_that_the_csv_names(shared: DeviceFolder, tmp_path: Path) -> None:
    names = ["pn-r128-000.onnx", "pn-r160-001.onnx", "pn-r128-002.onnx"]
    assert {file.name for file in shared.folder.iterdir()} == {*names, "networks.csv", "visits.csv", *LOOPS, "weights"}
    listed = parse_network_csv(shared.csv.read_bytes(), PN, "networks.csv")
    assert listed.archs.to_strings() == ARCHS.to_strings()
    assert listed.resolutions.tolist() == SIZES.tolist()
    for index, (name, size) in enumerate(zip(names, SIZES.tolist(), strict=True)):
        path = shared.folder / name
        write_network(FragmentStore(PN), ARCHS, index, tmp_path / "one.onnx", resolution=size)
        assert loaded(path) == onnx.load(tmp_path / "one.onnx")
        metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        assert (metadata["net"], metadata["resolution"]) == (ARCHS.to_strings()[index], str(size))
        images = np.random.default_rng(1).standard_normal((1, 3, size, size), dtype=np.float32)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (logits,) = session.run(["logits"], {"image": images})
        assert logits.shape == (1, 1000)
        assert np.isfinite(logits).all()
        with torch.inference_mode():
            expected = build_network(ARCHS[index])(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())


def test_called_again_it_writes_what_is_missing_or_another_network(written: DeviceFolder) -> None:
    before = contents(written.folder)
    first, second, third = written.files
    first.unlink()
    second.write_bytes(third.read_bytes())
    again, heard = plan(written), Heard()
    assert again.num_latencies == 0
    result = again.write(heard)
    assert (result.num_kept, heard.steps) == (1, [(1, 3), (2, 3), (3, 3)])
    after = contents(written.folder)
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    assert after[third.name] == before[third.name]
    assert after["networks.csv"] == before["networks.csv"]
    weights = [*(written.folder / "weights").iterdir()]
    assert result.num_bytes == sum(file.stat().st_size for file in (*written.files, *weights))


def test_weights_that_are_damaged_are_written_again(written: DeviceFolder) -> None:
    first, second, *_ = sorted((written.folder / "weights").iterdir())
    before = first.read_bytes(), second.read_bytes()
    first.unlink()
    second.write_bytes(b"x" + before[1][1:])
    assert plan(written).write().num_kept == 3
    assert (first.read_bytes(), second.read_bytes()) == before


def test_each_piece_is_there_once(shared: DeviceFolder) -> None:
    names = [piece_name(PN, piece) for index in range(3) for piece in pieces_of(ARCHS, index)]
    assert sorted(file.stem for file in (shared.folder / "weights").iterdir()) == sorted(set(names))
    assert len(set(names)) < len(names)
    assert max(file.stat().st_size for file in shared.files) < 100_000


@pytest.mark.parametrize("name", ["openvino", "mnn", "torch"])
def test_other_run_times_read_the_shared_weights(name: str, shared: DeviceFolder, tmp_path: Path) -> None:
    runtime = find_runtime(name)
    if runtime.missing:
        pytest.skip(f"{runtime.title} is not installed")
    write_network(FragmentStore(PN), ARCHS, 0, tmp_path / "one.onnx", resolution=128)
    found = []
    with RuntimeProcess(runtime, MeasureSpec(name)) as process:
        for key, path in enumerate((shared.files[0], tmp_path / "one.onnx")):
            process.load("network", path.name, key, lambda path=path: path)
            found += process.outputs("network", path.name)
    np.testing.assert_array_equal(*found)


def test_the_visits_are_those_of_a_measurement(shared: DeviceFolder) -> None:
    spec, plan_ = MeasureSpec(), pd.read_csv(shared.folder / "visits.csv")
    networks = plan_[plan_["anchor"] == 0]
    assert [*zip(networks["round"], networks["net_id"], strict=True)] == [*visiting_order(3, spec)]
    is_anchor = (plan_["anchor"] == 1).to_numpy()
    assert (plan_.loc[is_anchor, "net_id"] == 0).all()
    assert is_anchor[[0, -1]].all()
    assert np.diff(np.flatnonzero(is_anchor)).tolist()[:-1] == [spec.anchor_every + 1] * (sum(is_anchor) - 2)
    named = [shared.files[number].name for number in plan_["net_id"]]
    assert plan_["onnx_file"].tolist() == named


def test_interrupted_it_goes_on(listed: DeviceFolder) -> None:
    with pytest.raises(KeyboardInterrupt):
        plan(listed).write(Heard(stop_at=2))
    kept = contents(listed.folder)
    assert set(kept) == {"networks.csv", "visits.csv", "pn-r128-000.onnx", "pn-r160-001.onnx"}
    assert plan(listed).write().num_kept == 2
    after = contents(listed.folder)
    assert kept.items() <= after.items()
    assert after.keys() - kept.keys() == {"pn-r128-002.onnx"}


def test_what_somebody_wrote_into_the_csv_stays(listed: DeviceFolder) -> None:
    text = listed.csv.read_text().replace("ms,,pn-r160", "us,1234.5,pn-r160") + "\n"
    listed.csv.write_text(text)
    again = plan(listed)
    assert again.num_latencies == 1
    again.write()
    assert listed.csv.read_text() == text


@pytest.mark.parametrize(("filled", "said"), [(False, ""), (True, ", 1 of them with latencies")])
def test_a_csv_of_other_networks_is_refused(filled: bool, said: str, listed: DeviceFolder) -> None:
    if filled:
        listed.csv.write_text(listed.csv.read_text().replace("ms,,", "ms,7,", 1))
    before = contents(listed.folder)
    for archs, sizes in ((ARCHS[[1, 0, 2]], SIZES), (ARCHS, SIZES + 4), (ARCHS[[0, 1]], SIZES[:2])):
        with pytest.raises(InputError, match=rf"networks\.csv: lists 3 other networks{said}, and is left as it is: "):
            plan_device_folder(archs, sizes, listed.folder, "phone")
    assert contents(listed.folder) == before


@pytest.mark.parametrize("content", [b"", b"anything\n1\n", b"\0"])
def test_another_file_of_the_name_is_refused(content: bytes, listed: DeviceFolder) -> None:
    listed.csv.write_bytes(content)
    with pytest.raises(InputError, match=r"networks\.csv", check=coded("file-in-the-way")):
        plan(listed)
    assert listed.csv.read_bytes() == content


def test_a_csv_of_another_space_is_refused(listed: DeviceFolder) -> None:
    archs = sample_architectures(load_space("mbv3"), 3, np.random.default_rng(0))
    with pytest.raises(InputError, check=coded("file-in-the-way")):
        plan_device_folder(archs, SIZES, listed.folder, "phone")


def test_numbers_have_as_many_digits_as_they_need() -> None:
    for space in SPACES.values():
        archs = sample_architectures(space, 1001, np.random.default_rng(0))
        for n, first, last in ((1, "000", "000"), (1000, "000", "999"), (1001, "0000", "1000")):
            files = DeviceFolder(archs[np.arange(n)], np.full(n, 224), Path("x"), "phone", None).files
            assert [files[0].name, files[-1].name] == [f"{space.name}-r224-{each}.onnx" for each in (first, last)]
            assert len(set(files)) == n
            assert files == sorted(files)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(InputError, check=coded("no-networks")):
        plan_device_folder(ARCHS[np.arange(0)], SIZES[:0], tmp_path, "phone")
    with pytest.raises(InputError, match=r"2.*3", check=coded("unpaired-resolutions")):
        plan_device_folder(ARCHS, SIZES[:2], tmp_path, "phone")
    with pytest.raises(MetricError, match="225", check=coded("no-such-resolution")):
        plan_device_folder(ARCHS, SIZES * 0 + 225, tmp_path, "phone")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        plan_device_folder(ARCHS, SIZES, tmp_path / "file", "phone").write()
