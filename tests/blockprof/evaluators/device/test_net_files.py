"""Files that say which networks to measure: CSV, net strings, OFA's settings."""

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
from codes import coded

from blockprof.evaluators.device.net_files import read_networks
from blockprof.foundation.errors import DataFileError, InputError
from blockprof.latency_data.layout import COLUMNS
from blockprof.networks.modules import subnet_settings
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

SPACE = load_space("mbv3")
ARCHS = sample_architectures(SPACE, 3, np.random.default_rng(0))
NETS = ARCHS.to_strings()
SETTINGS = [subnet_settings(ARCHS, index) for index in range(3)]


def csv_of(nets: list[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([number, net, "npu", 224, "ms", ""] for number, net in enumerate(nets))
    return text.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(NETS).encode(),
        "\n".join(NETS).encode("utf-8-sig"),
        gzip.compress("\n".join(NETS).encode()),
        json.dumps(SETTINGS).encode(),
        json.dumps(SETTINGS, indent=1).encode("utf-8-sig"),
        "\n".join(map(json.dumps, SETTINGS)).encode(),
        "\n".join([NETS[0], json.dumps(SETTINGS[1]), "", json.dumps([SETTINGS[2]])]).encode(),
        csv_of([NETS[0], *map(json.dumps, SETTINGS[1:])]).encode(),
    ],
)
def test_the_same_networks_in_every_form(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "nets").write_bytes(content)
    archs, sizes = read_networks(tmp_path / "nets", SPACE)
    assert archs.to_strings() == NETS
    assert sizes.tolist() == [224] * 3


def test_resolutions_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "nets"
    path.write_text(json.dumps([SETTINGS[0] | {"r": 176}, SETTINGS[0], SETTINGS[1] | {"image_size": 128}]))
    archs, sizes = read_networks(path, SPACE)
    assert sizes.tolist() == [176, 224, 128]
    assert archs.to_strings() == [NETS[0], NETS[0], NETS[1]]
    with pytest.raises(InputError, check=coded("resolution-said-twice")):
        read_networks(path, SPACE, [192])
    path.write_text("\n".join(NETS[:2]))
    archs, sizes = read_networks(path, SPACE, [192, 224])
    assert (archs.to_strings(), sizes.tolist()) == ([NETS[0], NETS[0], NETS[1], NETS[1]], [192, 224] * 2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no networks: give a CSV"),
        (b"[]", "holds no networks"),
        (b"\xff\xfe", "is not a text in UTF-8"),
        (f"{NETS[0]}\nx".encode(), "row 2: .*: correct or remove the row"),
        (f"{NETS[0]}\n{json.dumps(SETTINGS[0])}".encode(), "row 2: repeats row 1"),
        (json.dumps([SETTINGS[0], SETTINGS[0]]).encode(), "row 2: repeats row 1"),
        (json.dumps([SETTINGS[0], SETTINGS[0] | {"d": [1] * 5}]).encode(), "network 2: d: unit 1 would have 1 layers"),
        (f"{json.dumps(SETTINGS[0])}\n{{".encode(), "row 2: settings of a network that are no JSON"),
        (json.dumps(SETTINGS[0] | {"r": 7}).encode(), "its resolution is not one of mbv3"),
    ],
)
def test_files_that_cannot_be_used(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "nets").write_bytes(content)
    with pytest.raises(DataFileError, match=f"^{tmp_path / 'nets'}: .*{said}|^{tmp_path / 'nets'}: {said}"):
        read_networks(tmp_path / "nets", SPACE)
