import csv

import numpy as np
import pytest
from codes import coded
from known_spaces import WITH_NARROW

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.latency_data import (
    LatencyData,
    parse_network_csv,
    read_latency_csv,
    staged,
    write_latency_csv,
    write_network_csv,
)
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures


def make_data(space, n=50, seed=0):
    rng = np.random.default_rng(seed)
    archs = sample_architectures(space, n, rng)
    return LatencyData(archs, rng.choice(space.resolutions, n), rng.lognormal(2, 1, n), "my phone, 2nd")


@pytest.mark.parametrize("space", WITH_NARROW.values(), ids=str)
def test_reading_gives_back_what_was_written(space, tmp_path):
    data = make_data(space)
    path = tmp_path / "new" / "folder" / "lat.csv"
    write_latency_csv(path, data)
    again = read_latency_csv(path, space)
    assert again.latencies_ms.tolist() == data.latencies_ms.tolist()
    assert again.resolutions.tolist() == data.resolutions.tolist()
    assert again.archs.to_strings() == data.archs.to_strings()
    assert (again.device, again.digest) == (data.device, data.digest)
    assert path.read_text().splitlines()[0] == "net_id,net_str,device,resolution,lat unit,end-to-end lat,space"
    assert path.read_text().splitlines()[2].startswith("1,")


@pytest.mark.parametrize("space", WITH_NARROW.values(), ids=str)
def test_latencies_that_are_filled_in_are_read(space, tmp_path):
    data, path = make_data(space), tmp_path / "new" / "lat.csv"
    files = [f"{number}.onnx" for number in range(len(data))]
    write_network_csv(path, data.archs, data.resolutions, data.device, files)
    listed = parse_network_csv(path.read_bytes(), space, "lat.csv")
    assert listed.archs.to_strings() == data.archs.to_strings()
    assert (listed.resolutions.tolist(), listed.num_latencies) == (data.resolutions.tolist(), 0)
    with pytest.raises(DataFileError, match=r"50.*50", check=coded("empty-latency")):
        read_latency_csv(path, space)
    header, *rows = csv.reader(path.read_text().splitlines())
    assert header == ["net_id", "net_str", "device", "resolution", "lat unit", "end-to-end lat", "onnx_file", "space"]
    assert [row[-2:] for row in rows] == [[file, space.name] for file in files]
    filled = [[*row[:5], latency, *row[6:]] for row, latency in zip(rows, data.latencies_ms.tolist(), strict=True)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *filled])
    assert read_latency_csv(path, space).digest == data.digest


def test_digest_changes_with_every_part():
    data = make_data(load_space("pn"))
    changed = [
        data.select(np.arange(len(data))[::-1]),
        data.select(np.arange(len(data) - 1)),
        LatencyData(data.archs, data.resolutions, data.latencies_ms * 1.001, data.device),
        LatencyData(data.archs, data.resolutions + 4, data.latencies_ms, data.device),
        LatencyData(data.archs, data.resolutions, data.latencies_ms, "other"),
    ]
    assert len({data.digest, *(other.digest for other in changed)}) == 6
    assert data.digest == make_data(load_space("pn")).digest


def test_networks_are_counted_once_at_several_resolutions():
    data = make_data(load_space("pn"), n=20)
    other = LatencyData(data.archs, data.resolutions + 4, data.latencies_ms, data.device)
    both = LatencyData(data.archs[np.r_[:20, :10]], np.r_[data.resolutions, other.resolutions[:10]], np.ones(30), "d")
    assert (both.num_networks, len(both)) == (20, 30)


def test_frame():
    data = make_data(load_space("pn"), n=3)
    frame = data.to_frame()
    assert list(frame.columns) == ["net", "device", "resolution", "latency_ms"]
    assert frame["net"].tolist() == data.archs.to_strings()
    assert frame["device"].tolist() == [data.device] * 3
    assert frame["latency_ms"].tolist() == data.latencies_ms.tolist()


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        write_latency_csv(tmp_path / "file" / "lat.csv", make_data(load_space("pn")))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_staged_files_appear_together_at_the_end(tmp_path):
    target = tmp_path / "a" / "b"
    with staged(target) as temporary:
        (temporary / "one.csv").write_text("1")
        (temporary / "two.csv").write_text("2")
        assert not target.exists()
    assert sorted(path.name for path in target.iterdir()) == ["one.csv", "two.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_behind_after_an_error(tmp_path, error):
    (tmp_path / "one.csv").write_text("before")

    def write_and_fail(folder):
        with staged(folder) as temporary:
            (temporary / "one.csv").write_text("after")
            raise error

    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(error):
            write_and_fail(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]
    assert (tmp_path / "one.csv").read_text() == "before"
