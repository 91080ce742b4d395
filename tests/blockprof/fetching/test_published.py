"""Published data, fetched by the real code from the public files in the shared folder, served on loopback."""

import hashlib
import pickle
import re
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded

from blockprof.fetching import fetch_published, load_sources, present, read_help
from blockprof.fetching.published import LOCK_FILE
from blockprof.foundation.errors import DataFileError, FetchError, InputError
from blockprof.latency_data import read_latency_csv
from blockprof.metrics.lookup import load_published
from blockprof.spaces import load_space

SOURCES = load_sources()
SUPERNET = "ofa_proxyless_d234_e346_k357_w1.3"


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files`` by name, with ranges and ETags, and ``server.fault``."""

    def do_GET(self):
        server, name = self.server, self.path.rpartition("/")[2]
        server.asked.append((name, self.headers.get("Range")))
        if name not in server.files:
            self.send_error(404)
            return
        content = server.files[name]
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", etag) == etag
        offset = int(start[1]) if start and same and server.takes_ranges else 0
        if offset and offset >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if offset else 200)
        if offset:
            self.send_header("Content-Range", f"bytes {offset}-{len(content) - 1}/{len(content)}")
        if server.has_etags:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - offset))
        self.end_headers()
        self.wfile.write(content[offset : server.cut_at])

    def log_message(self, *args):
        """Keep the tests' output clean."""


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.files, running.asked = {}, []
        running.cut_at, running.takes_ranges, running.has_etags = None, True, True
        running.url = f"http://127.0.0.1:{running.server_port}/copy"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOCKPROF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fetch(source, names, folder, mirror, space=None):
    return fetch_published(SOURCES[source], SOURCES[source].select(names, space), folder, mirror=mirror)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_note10_tables_are_where_the_metric_looks(mirror, cache, shared_data, tmp_path, monkeypatch):
    mirror.files = {file.name: file.read_bytes() for file in (shared_data / "note10").iterdir()}
    folder = tmp_path / "data"
    fetched = fetch("note10", [], folder, mirror.url)
    assert len(fetched) == 17
    assert {file.pinned_in for file in fetched} == {None}
    monkeypatch.setenv("BLOCKPROF_DATA", str(folder))
    assert load_published(load_space("mbv3"), "note10", 224).info.name == "note10"
    assert present(SOURCES["note10"], folder) == SOURCES["note10"].files
    asked = len(mirror.asked)
    assert [file.sha256 for file in fetch("note10", [], folder, mirror.url)] == [file.sha256 for file in fetched]
    shutil.rmtree(folder)
    fetch("note10", ["160_lookup_table.yaml"], folder, mirror.url)
    assert len(mirror.asked) == asked, "what is in the data folder or the cache is not downloaded again"
    assert files_in(folder) == ["note10/160_lookup_table.yaml"]


@pytest.mark.parametrize("device", ["titan_rtx_64", "v100_1"])
def test_help_becomes_the_layout(mirror, cache, shared_data, tmp_path, device):
    mirror.files = {file.name: file.read_bytes() for file in (shared_data / "help" / "original").iterdir()}
    (fetched,) = fetch("help", [device], tmp_path / "data", mirror.url)
    assert fetched.path == tmp_path / "data" / f"ofa_mbv3_{device}_lat_data.csv"
    expected = read_latency_csv(shared_data / "help" / fetched.path.name, load_space("mbv3"))
    found = read_latency_csv(fetched.path, load_space("mbv3"))
    assert found.digest == expected.digest
    assert fetched.latencies is not None
    assert fetched.latencies.device == device


@pytest.mark.parametrize("source", ["i7-8700k", "ofa-accuracy-predictor"])
def test_other_files_from_a_folder(cache, shared_data, tmp_path, source):
    (file,) = SOURCES[source].files
    (fetched,) = fetch(source, [], tmp_path / "data", str(shared_data / file.target.parent))
    assert fetched.path == tmp_path / "data" / file.target
    assert fetched.sha256 == file.remote.sha256
    assert not cache.exists(), "a file in a mirror's folder needs no copy in the cache"


@pytest.mark.parametrize("takes_ranges", [True, False])
@pytest.mark.parametrize("has_etags", [True, False])
def test_a_download_that_broke_off_is_resumed(mirror, cache, shared_data, tmp_path, takes_ranges, has_etags):
    name, folder = "acc_predictor.pth", tmp_path / "data"
    content = (shared_data / "ofa" / name).read_bytes()
    mirror.files, mirror.takes_ranges, mirror.has_etags, mirror.cut_at = {name: content}, takes_ranges, has_etags, 10**6
    with pytest.raises(FetchError) as caught:
        fetch("ofa-accuracy-predictor", [], folder, mirror.url)
    assert str(caught.value) == (
        f"{mirror.url}/{name}: the download broke off: check the address and the connection, then try again"
    )
    assert not folder.exists()
    left = cache / "downloads" / "ofa-accuracy-predictor"
    assert files_in(left) == [f"{name}.part", f"{name}.part.etag"][: 1 + has_etags]
    kept = (left / f"{name}.part").stat().st_size
    assert 0 < kept <= 10**6
    mirror.cut_at = None
    (fetched,) = fetch("ofa-accuracy-predictor", [], folder, mirror.url)
    assert fetched.path.read_bytes() == content
    assert mirror.asked == [(name, None), (name, f"bytes={kept}-")]
    assert files_in(left) == [name]


def test_a_file_that_changed_in_between_starts_anew(mirror, cache, tmp_path):
    old, new = (np.random.default_rng(seed).bytes(400_000) for seed in (0, 1))
    mirror.files, mirror.cut_at = {SUPERNET: old}, 200_000
    with pytest.raises(FetchError, check=coded("download-failed")):
        fetch("ofa-supernets", [], tmp_path / "data", mirror.url, "pn")
    mirror.files, mirror.cut_at = {SUPERNET: new}, None
    (fetched,) = fetch("ofa-supernets", [], tmp_path / "data", mirror.url, "pn")
    assert fetched.path.read_bytes() == new


def test_a_part_that_is_all_there_is(mirror, cache, shared_data, tmp_path):
    name = "acc_predictor.pth"
    content = (shared_data / "ofa" / name).read_bytes()
    left = cache / "downloads" / "ofa-accuracy-predictor"
    left.mkdir(parents=True)
    (left / f"{name}.part").write_bytes(content)
    mirror.files = {name: content}
    fetch("ofa-accuracy-predictor", [], tmp_path / "data", mirror.url)
    assert files_in(left) == [name]


@pytest.mark.parametrize("names", [[], ["160_lookup_table"]])
def test_wrong_bytes_leave_nothing(mirror, cache, shared_data, tmp_path, names):
    mirror.files = {file.name: file.read_bytes() for file in (shared_data / "note10").iterdir()}
    mirror.files["160_lookup_table.yaml"] = mirror.files["160_lookup_table.yaml"].replace(b"mean", b"mode")
    with pytest.raises(FetchError, match=r"/160_lookup_table\.yaml", check=coded("not-the-published-file")):
        fetch("note10", names, tmp_path / "data", mirror.url)
    assert files_in(tmp_path) == []


def test_wrong_bytes_in_a_folder(cache, tmp_path):
    (tmp_path / "acc_predictor.pth").write_bytes(b"other")
    with pytest.raises(FetchError, check=coded("not-the-published-file")):
        fetch("ofa-accuracy-predictor", [], tmp_path / "data", str(tmp_path))
    with pytest.raises(InputError, check=coded("not-in-the-mirror")):
        fetch("i7-8700k", [], tmp_path / "data", str(tmp_path))
    assert files_in(tmp_path) == ["acc_predictor.pth"]


def test_absent_and_unreachable(mirror, cache, tmp_path):
    with pytest.raises(FetchError, match=r"404.*Not.*Found", check=coded("download-failed")):
        fetch("i7-8700k", [], tmp_path / "data", mirror.url)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError, match="ConnectionError", check=coded("download-failed")):
            fetch("i7-8700k", [], tmp_path / "data", f"http://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(InputError, check=coded("not-an-http-address")):
        fetch("i7-8700k", [], tmp_path / "data", "ftp://127.0.0.1/copy")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("source", ["blockprofile-csv", "ofa-supernets"])
def test_google_drive_without_a_network(cache, tmp_path, monkeypatch, source):
    """The code that asks Google Drive, behind a proxy that nobody answers at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        space = {"blockprofile-csv": "pn", "ofa-supernets": "resnet50"}[source]
        with pytest.raises(FetchError, match=r"Google Drive (folder|file) \S+: the connection failed \(ProxyError\)"):
            fetch(source, [], tmp_path / "data", None, space)
    assert files_in(tmp_path) == []


def test_the_first_checksum_is_kept_where_none_is_published(mirror, cache, tmp_path):
    folder = tmp_path / "data"
    mirror.files = {SUPERNET: b"weights"}
    (first,) = fetch("ofa-supernets", [], folder, mirror.url, "pn")
    assert first.path == folder / "ofa" / SUPERNET
    assert first.pinned_in == folder / LOCK_FILE
    assert first.sha256 in (folder / LOCK_FILE).read_text()
    shutil.rmtree(folder / "ofa")
    shutil.rmtree(cache)
    mirror.files = {SUPERNET: b"others"}
    with pytest.raises(FetchError, match=f"its sha256 is not {first.sha256}"):
        fetch("ofa-supernets", [], folder, mirror.url, "pn")
    assert files_in(folder) == [LOCK_FILE]
    (folder / LOCK_FILE).write_text("[]")
    with pytest.raises(DataFileError, check=coded("damaged-list-of-checksums")):
        fetch("ofa-supernets", [], folder, mirror.url, "pn")


def test_a_page_instead_of_a_csv_is_not_kept(mirror, cache, shared_data, tmp_path):
    name = "ofa_pn_npu_lat_data.csv"
    mirror.files = {name: b"<html>too many visitors</html>"}
    with pytest.raises(DataFileError, match=f"{name} is not a CSV file of latencies"):
        fetch("blockprofile-csv", ["ofa_pn_npu_lat_data"], tmp_path / "data", mirror.url)
    assert files_in(tmp_path) == []
    mirror.files = {name: (shared_data / "kirin" / name).read_bytes()}
    (fetched,) = fetch("blockprofile-csv", ["ofa_pn_npu_lat_data"], tmp_path / "data", mirror.url)
    assert fetched.latencies is not None
    assert files_in(tmp_path / "data") == [LOCK_FILE, name]


def test_own_latencies_of_a_published_name_are_not_listed_as_published(mirror, cache, shared_data, tmp_path):
    name, source = "ofa_pn_npu_lat_data.csv", SOURCES["blockprofile-csv"]
    mirror.files = {name: (shared_data / "kirin" / name).read_bytes()}
    own, folder = tmp_path / "own", tmp_path / "data"
    own.mkdir()
    (own / name).write_bytes(mirror.files[name])
    assert present(source, own) == ()
    fetch("blockprofile-csv", ["ofa_pn_npu_lat_data"], folder, mirror.url)
    assert [file.name for file in present(source, folder)] == ["ofa_pn_npu_lat_data"]
    (folder / name).unlink()
    assert present(source, folder) == ()


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_file_with_code_does_not_run(shared_data, tmp_path):
    original = shared_data / "help" / "original"
    evidence = tmp_path / "ran"
    torch.save([Touch(evidence)], tmp_path / "zip.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps([Touch(evidence)], protocol=2))
    for name in ("zip.pt", "plain.pt"):
        with pytest.raises(DataFileError, match=rf"{name}: holds code \(") as caught:
            read_help(original / "ofa_archs.pt", tmp_path / name, "x", load_space("mbv3"))
        assert "\n" not in str(caught.value)
        assert "weights_only" not in str(caught.value), "no advice to run it"
        with pytest.raises(DataFileError, check=coded("holds-code")):
            read_help(tmp_path / name, original / "v100_1.pt", "x", load_space("mbv3"))
    assert not evidence.exists()


def test_help_files_of_other_content(shared_data, tmp_path):
    original = shared_data / "help" / "original"
    for content, said in [
        ([1.0, 2.0], r"shape \(2,\), but .* holds 5000 networks"),
        ({"a": 1}, "not hold a list of latencies"),
        ([*[1.0] * 4999, float("nan")], "latency 5000: nan is not a positive, finite number"),
        ([-1.0] * 5000, r"latency 1: -1\.0 is not a positive, finite number"),
        ([*[1.0] * 4999, 1e300], r"latency 5000: 1e\+300 is a latency that no clock gives"),
    ]:
        torch.save(content, tmp_path / "latencies.pt")
        with pytest.raises(DataFileError, match=said):
            read_help(original / "ofa_archs.pt", tmp_path / "latencies.pt", "x", load_space("mbv3"))
    net = {"ks": [3] * 20, "e": [6] * 20, "d": [2] * 5, "r": 224}
    for change in ({"ks": [9] * 20}, {"d": [5] * 5}, {"e": [6] * 19}, {"r": None}):
        torch.save({"arch": [net | change]}, tmp_path / "archs.pt")
        with pytest.raises(DataFileError, check=coded("not-help-networks")):
            read_help(tmp_path / "archs.pt", original / "v100_1.pt", "x", load_space("mbv3"))


def test_names_and_spaces_that_a_source_lacks():
    with pytest.raises(InputError, match=r"help.*2080ti_1", check=coded("no-such-published-file")):
        SOURCES["help"].select(["pixel"])
    with pytest.raises(InputError, match=r"note10.*mbv3.*pn.*space='mbv3", check=coded("not-of-space")):
        SOURCES["note10"].select(space="pn")
    assert [file.name for file in SOURCES["ofa-supernets"].select(space="pn")] == [SUPERNET]


def test_the_catalogue_holds_the_facts_about_the_public_files(shared_data):
    local = {"note10": "note10", "i7-8700k": "i7", "ofa-accuracy-predictor": "ofa", "help": "help/original"}
    for name, folder in local.items():
        for remote in (file.remote for file in SOURCES[name].files):
            path = shared_data / folder / remote.name
            if path.exists():
                assert hashlib.sha256(path.read_bytes()).hexdigest() == remote.sha256
                assert path.stat().st_size == remote.num_bytes
    assert {file.remote.url.split("/")[2] for file in SOURCES["help"].files} == {"raw.githubusercontent.com"}
