import gzip
import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from codes import coded

from blockprof.fetching import fetch, files
from blockprof.foundation.errors import DataFileError, FetchError, InputError
from blockprof.latency_data import LatencyData, write_latency_csv
from blockprof.latency_data.layout import COLUMNS
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
NAME = "ofa_pn_npu_lat_data.csv"


@pytest.fixture(scope="module")
def latency_csv(tmp_path_factory):
    rng = np.random.default_rng(0)
    data = LatencyData(sample_architectures(PN, 300, rng), np.full(300, 224), rng.uniform(8, 16, 300), "npu")
    path = tmp_path_factory.mktemp("source") / NAME
    write_latency_csv(path, data)
    return path


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class Handler(BaseHTTPRequestHandler):
    """Serves the server's ``content``, with a fault where the path names one."""

    def do_GET(self):
        content = self.server.content
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", f"/ok/{NAME}")
            self.end_headers()
        elif self.path.startswith("/silent/"):
            self.server.released.wait(10)
        elif self.path.startswith(("/ok/", "/cut/")):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:1000] if self.path.startswith("/cut/") else content)
        else:
            self.send_error(404)
        self.server.asked.append(self.path)

    def log_message(self, *args):
        """Keep the tests' output clean."""


@pytest.fixture
def server(latency_csv, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.content = latency_csv.read_bytes()
        running.asked = []
        running.released = threading.Event()
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("place", ["ok", "moved"])
def test_download(server, latency_csv, tmp_path, place, capsys):
    checksum = sha256_of(server.content)
    (fetched,) = fetch(f"{server.url}/{place}/{NAME}?raw=1", tmp_path / "data", sha256=checksum, space=PN)
    assert fetched.path == tmp_path / "data" / NAME
    assert fetched.path.read_bytes() == latency_csv.read_bytes()
    assert fetched.sha256 == checksum
    assert fetched.latencies is not None
    assert (len(fetched.latencies), fetched.latencies.device, fetched.latencies.space) == (300, "npu", PN)
    assert everything_in(tmp_path) == ["data", f"data/{NAME}"]
    assert capsys.readouterr() == ("", "")


def test_download_shows_progress(server, tmp_path, capfd):
    fetch(f"{server.url}/ok/{NAME}", tmp_path, sha256=sha256_of(server.content), progress=True)
    assert "100%" in capfd.readouterr().err


def test_a_file_that_is_there_is_not_downloaded_again(server, tmp_path):
    url = f"{server.url}/ok/{NAME}"
    first = fetch(url, tmp_path, sha256=sha256_of(server.content))
    again = fetch(url, tmp_path, sha256="sha256:" + sha256_of(server.content).upper())
    assert [file.sha256 for file in first] == [file.sha256 for file in again]
    assert len(server.asked) == 1
    with pytest.raises(InputError, check=coded("file-in-the-way")):
        fetch(url, tmp_path, sha256="0" * 64)


@pytest.mark.parametrize(
    ("place", "said"), [("absent", "the server answers 404 Not Found"), ("cut", "the download broke off")]
)
def test_failed_download_leaves_nothing(server, tmp_path, place, said):
    url = f"{server.url}/{place}/{NAME}"
    with pytest.raises(FetchError) as caught:
        fetch(url, tmp_path / "data", sha256=sha256_of(server.content))
    assert str(caught.value) == f"{url}: {said}: check the address and the connection, then try again"
    assert caught.value.exit_code == 1
    assert everything_in(tmp_path) == []


def test_wrong_checksum_names_both(server, tmp_path):
    with pytest.raises(FetchError, match=f"its sha256 is {sha256_of(server.content)}, not {'0' * 64}: check"):
        fetch(f"{server.url}/ok/{NAME}", tmp_path / "data", sha256="0" * 64)
    assert everything_in(tmp_path) == []


def test_downloaded_latencies_are_checked(server, tmp_path):
    server.content = server.content.replace(b",ms,", b",hours,", 1)
    url = f"{server.url}/ok/{NAME}"
    with pytest.raises(DataFileError, match=f"^{url}: row 2, column 'lat unit': unknown unit 'hours'"):
        fetch(url, tmp_path / "data", sha256=sha256_of(server.content))
    assert everything_in(tmp_path) == []


def test_refused_connection(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/{NAME}"
        with pytest.raises(FetchError, match="ConnectionError", check=coded("download-failed")):
            fetch(url, tmp_path / "data", sha256="0" * 64)
    assert everything_in(tmp_path) == []


def test_silent_server_does_not_hang(server, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "TIMEOUT_S", 0.2)
    with pytest.raises(FetchError, match=r"0\.2", check=coded("download-failed")):
        fetch(f"{server.url}/silent/{NAME}", tmp_path / "data", sha256="0" * 64)
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "checksum", "said"),
    [
        ("https://example.org/a.csv", None, "needs the checksum of its file: pass sha256"),
        ("https://example.org/a.csv", "abc", "'abc' is not a sha256 checksum: pass 64 hex digits"),
        ("https://example.org/", "0" * 64, "does not end in the name of a file"),
        ("https://example.org/a/%2e%2e", "0" * 64, "does not end in the name of a file"),
        ("ftp://example.org/a.csv", "0" * 64, "is not an http or https address"),
        ("https:///a.csv", "0" * 64, "is not an http or https address"),
        ("http://[::1/a.csv", "0" * 64, "is not an address"),
    ],
)
def test_address_that_cannot_be_used(tmp_path, url, checksum, said):
    with pytest.raises(InputError, match=said):
        fetch(url, tmp_path / "data", sha256=checksum)
    assert everything_in(tmp_path) == []


def test_local_file(latency_csv, tmp_path):
    (fetched,) = fetch(latency_csv, tmp_path / "data", sha256=sha256_of(latency_csv.read_bytes()))
    assert fetched.path.read_bytes() == latency_csv.read_bytes()
    assert fetched.latencies is not None
    assert fetched.latencies.space is PN
    assert fetch(latency_csv, tmp_path / "data")[0].path == fetched.path, "the same file again is no error"


def test_a_different_file_is_not_replaced(latency_csv, tmp_path):
    mine = tmp_path / NAME
    mine.write_text("measured for weeks")
    with pytest.raises(InputError, check=coded("file-in-the-way")):
        fetch(latency_csv, tmp_path)
    assert mine.read_text() == "measured for weeks"
    assert everything_in(tmp_path) == [NAME]


NO_BLOCK_TABLE = "ofa_pn_mine_r224_block_table.csv"
BLOCK_TABLE_HEADER = "piece,cost_ms,space,resolution,scale,device,onnxruntime\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("table.csv", "block,ms\ne6k7,nan\n", r"table\.csv: is not understood: give a CSV of latencies"),
        ("weights.pth", "x", r"weights\.pth: is not understood"),
        ("lat.csv", f"{','.join(COLUMNS)}\n", r"lat\.csv: column 'net_str': has no rows"),
        ("lat.csv", f"{','.join(COLUMNS)}\n0,x,npu,224,ms,1\n", r"lat\.csv: column 'net_str': .* no space: 'x'"),
        ("table.yaml", "a: {mean: 1}", r"table\.yaml: is not understood: look-up tables are named RESOLUTION_lookup"),
        ("224_lookup_table.yaml", "a: {mean: 1}", "is called as its folder is: give the folder"),
        ("i7-8700K_lut.yaml", "a: {mean: 1}", "is not understood"),
        (NO_BLOCK_TABLE, "piece,cost_ms\n", f"{NO_BLOCK_TABLE}: row 1: no column 'space'"),
        (NO_BLOCK_TABLE, BLOCK_TABLE_HEADER + "stem,1,vgg,224,1,d,1\n", "there is no space 'vgg'"),
        (
            NO_BLOCK_TABLE,
            BLOCK_TABLE_HEADER + "stem,1,mbv3,224,1,d,1\n",
            "is a block table of mbv3: name it",
        ),
    ],
)
def test_a_file_that_is_not_understood_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataFileError, match=said):
        fetch(tmp_path / name, tmp_path / "data")
    assert everything_in(tmp_path) == [name]


def test_a_folder_of_ones_own_tables(shared_data, tmp_path):
    lab = tmp_path / "my-phone"
    lab.mkdir()
    table = lab / "224_lookup_table.yaml"
    table.write_bytes((shared_data / "note10" / table.name).read_bytes())
    (lab / "notes.txt").write_text("measured in May")
    (fetched,) = fetch(lab, tmp_path / "data")
    assert fetched.path == tmp_path / "data" / "my-phone" / table.name
    assert fetched.path.read_bytes() == table.read_bytes()
    good = table.read_text()
    for content, said in [
        (good.replace("Logits-input:1x1x1536-output:1000", "Logits"), "no entry 'Logits-input:1x1x1536-output:1000'"),
        (good.replace("mean: ", "mean: -"), "mean: -.* is not a positive, finite number"),
        ("a: [1", "is not YAML"),
    ]:
        table.write_text(content)
        with pytest.raises(DataFileError, match=f"^{table}: .*{said}"):
            fetch(lab, tmp_path / "other")
    table.write_text(good)
    (lab / "320_lookup_table.yaml").write_text(good)
    with pytest.raises(DataFileError, match=r"^.*320_lookup_table\.yaml: is not understood"):
        fetch(lab, tmp_path / "other")
    (lab / "320_lookup_table.yaml").unlink()
    for name, said in [
        ("macs", "built-in metric"),
        ("a,b", "cannot be: rename the folder"),
        ("3", "rename the folder"),
    ]:
        lab = lab.rename(tmp_path / name)
        with pytest.raises(InputError, match=said):
            fetch(lab, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_i7_table_in_its_folder(shared_data, tmp_path):
    (fetched,) = fetch(shared_data / "i7", tmp_path / "data")
    assert fetched.path == tmp_path / "data" / "i7" / "i7-8700K_lut.yaml"


def test_file_of_another_space(latency_csv, tmp_path):
    with pytest.raises(DataFileError, match="space='pn", check=coded("not-of-space")):
        fetch(latency_csv, tmp_path / "data", space=load_space("mbv3"))
    assert everything_in(tmp_path) == []


def test_local_sources_that_cannot_be_used(latency_csv, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no data")
    before = everything_in(tmp_path)
    for source, checksum, error, said in [
        (tmp_path / "absent.csv", None, InputError, r"absent\.csv: there is no such file or folder"),
        (
            tmp_path / "empty",
            None,
            InputError,
            r"the folder holds no \.csv, \.csv\.gz, \.tsv, \.parquet, \.yaml, \.yml files",
        ),
        (tmp_path / "empty", "0" * 64, InputError, "a checksum is for one file"),
        (latency_csv, "0" * 64, FetchError, f"its sha256 is .*, not {'0' * 64}"),
    ]:
        with pytest.raises(error, match=said):
            fetch(source, tmp_path / "data", sha256=checksum)
    assert everything_in(tmp_path) == before


def test_unwritable_folder(server, latency_csv, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for source in (latency_csv, latency_csv.parent, f"{server.url}/ok/{NAME}"):
        with pytest.raises(InputError, check=coded("unwritable-folder")):
            fetch(source, tmp_path / "file" / "data", sha256=None if isinstance(source, Path) else "0" * 64)
    assert server.asked == [], "said before anything is downloaded"
    assert everything_in(tmp_path) == ["file"]


def test_folder_of_tables(shared_data, tmp_path):
    fetched = fetch(shared_data / "note10", tmp_path / "data")
    assert len(fetched) == 17
    assert fetched[0].path == tmp_path / "data" / "note10" / "160_lookup_table.yaml"
    assert fetched[0].path.read_bytes() == (shared_data / "note10" / "160_lookup_table.yaml").read_bytes()
    assert len(everything_in(tmp_path / "data")) == 1 + 17, "the tables, not the license"


def test_folder_of_latencies_in_every_form(latency_csv, tmp_path):
    source = tmp_path / "lab"
    source.mkdir()
    content = latency_csv.read_bytes()
    (source / "a.csv.gz").write_bytes(gzip.compress(content))
    (source / "b.tsv").write_bytes(content.replace(b",", b"\t"))
    pd.read_csv(latency_csv).to_parquet(source / "c.parquet")
    fetched = fetch(source, tmp_path / "data")
    assert [file.path.name for file in fetched] == ["a.csv.gz", "b.tsv", "c.parquet"]
    assert {file.latencies.digest for file in fetched} == {fetch(latency_csv, tmp_path / "one")[0].latencies.digest}


def test_folder_with_one_bad_file_brings_none(latency_csv, tmp_path):
    source = tmp_path / "lab"
    source.mkdir()
    (source / "a.csv").write_bytes(latency_csv.read_bytes())
    (source / "b.csv").write_bytes(latency_csv.read_bytes().replace(b",224,", b",225,", 1))
    with pytest.raises(DataFileError, match=r"b\.csv.*2", check=coded("no-such-resolution")):
        fetch(source, tmp_path / "data")
    assert not (tmp_path / "data").exists()
